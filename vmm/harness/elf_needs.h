// The part of an x86-64 ELF program or library that a dynamic loader goes by.
#ifndef VMM_HARNESS_ELF_NEEDS_H_
#define VMM_HARNESS_ELF_NEEDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/input_file.h"

namespace vmm {

// What a file's own headers say. Nothing here was checked against other files.
struct ElfNeeds {
  std::string interpreter;          // PT_INTERP; empty: none, so the kernel starts it by itself
  std::vector<std::string> needed;  // DT_NEEDED, in order
  std::string rpath;                // DT_RPATH; the loader ignores it if there is a runpath
  std::string runpath;              // DT_RUNPATH
  std::string soname;               // DT_SONAME
};

// True if the file begins as an ELF file does.
bool LooksLikeElf(const InputFile& file);

// InvalidArgument if the file is damaged, not for x86-64, or neither a program nor a library. The message says what it
// is; the caller adds its name. Reads at most 1 MiB, whatever its headers say.
absl::StatusOr<ElfNeeds> ReadElfNeeds(const InputFile& file);

}  // namespace vmm

#endif  // VMM_HARNESS_ELF_NEEDS_H_
