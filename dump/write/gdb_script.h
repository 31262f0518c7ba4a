// The side file that opens a vmcore in gdb. gdb alone knows neither the address that KASLR chose for the kernel nor the
// matching vmlinux.
#ifndef DUMP_WRITE_GDB_SCRIPT_H_
#define DUMP_WRITE_GDB_SCRIPT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "base/output_dir.h"

namespace vmm {

// Returns the script's text for the vmcore `core_name`, which lies in the same directory. `release` may be empty. It
// must have been checked (VmcoreInfo::release()), because it is pasted into a script.
std::string GdbScript(std::string_view core_name, std::string_view release, std::optional<uint64_t> kernel_offset);

// Writes it as "CORE_NAME.gdb". The errors are FileSink's.
absl::Status WriteGdbScript(const OutputDir& dir, std::string_view core_name, std::string_view release,
                            std::optional<uint64_t> kernel_offset);

// Removes it, if WriteGdbScript wrote it for this user.
void RemoveGdbScript(const OutputDir& dir, std::string_view core_name);

}  // namespace vmm

#endif  // DUMP_WRITE_GDB_SCRIPT_H_
