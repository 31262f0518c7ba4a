// The commands that attach gdb to a run. gdb alone does not know the address that KASLR chose for the kernel.
#ifndef VMM_GDB_COMMAND_FILE_H_
#define VMM_GDB_COMMAND_FILE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"

namespace vmm {

// Text for gdb's `source`: it defines `kernel VMLINUX`, which loads symbols at their place, and connects to `socket`.
// Without `kernel_offset` the kernel chooses its place itself, and `kernel` takes the offset as its second argument.
std::string GdbCommands(const std::string& socket, std::optional<uint64_t> kernel_offset);

// Writes it for its owner alone to the new or existing file `path`, which must be no symbolic link.
absl::Status WriteGdbCommands(const std::string& path, const std::string& commands);

}  // namespace vmm

#endif  // VMM_GDB_COMMAND_FILE_H_
