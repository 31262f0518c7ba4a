// A vmcore as a reader sees it that knows nothing of its writer: libelf, and the layouts of the note formats.
#ifndef GUEST_TESTS_CORE_NOTES_H_
#define GUEST_TESTS_CORE_NOTES_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace vmm {

// Registers by their names: "rax", "rip", "fs_base".
using Registers = std::map<std::string, uint64_t>;

struct CoreNotes {
  std::vector<Registers> prstatus;  // the "CORE" notes, in order; "pid" is pr_pid
  std::vector<Registers> qemu;      // the "QEMU" notes; "cs" is a selector, "cs_base" its base
};

absl::StatusOr<CoreNotes> ReadCoreNotes(const std::string& path);

// `size` bytes of guest-physical memory out of the core's PT_LOADs.
absl::StatusOr<std::string> ReadCoreMemory(const std::string& path, uint64_t address, uint64_t size);

// The value of a symbol of an ELF file.
absl::StatusOr<uint64_t> SymbolAddress(const std::string& path, const std::string& name);

}  // namespace vmm

#endif  // GUEST_TESTS_CORE_NOTES_H_
