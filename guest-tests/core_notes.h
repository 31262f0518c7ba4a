// Reads a vmcore like a reader that knows nothing about its writer: with libelf and the layouts of the note formats.
#ifndef GUEST_TESTS_CORE_NOTES_H_
#define GUEST_TESTS_CORE_NOTES_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace vmm {

// Registers by name: "rax", "rip", "fs_base".
using Registers = std::map<std::string, uint64_t>;

struct CoreNotes {
  std::vector<Registers> prstatus;  // the "CORE" notes, in order; "pid" is pr_pid
  std::vector<Registers> qemu;      // the "QEMU" notes; "cs" is a selector, "cs_base" its base
};

absl::StatusOr<CoreNotes> ReadCoreNotes(const std::string& path);

// Returns `size` bytes of guest-physical memory from the core's PT_LOADs.
absl::StatusOr<std::string> ReadCoreMemory(const std::string& path, uint64_t address, uint64_t size);

// Returns the value of a symbol in an ELF file.
absl::StatusOr<uint64_t> SymbolAddress(const std::string& path, const std::string& name);

}  // namespace vmm

#endif  // GUEST_TESTS_CORE_NOTES_H_
