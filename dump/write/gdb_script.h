// The side file that opens a vmcore in gdb, which by itself knows neither where KASLR put the
// kernel nor which vmlinux is meant.
#ifndef DUMP_WRITE_GDB_SCRIPT_H_
#define DUMP_WRITE_GDB_SCRIPT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "base/output_dir.h"

namespace vmm {

// Text of the script for the vmcore `core_name`, which lies in the same directory. `release` may
// be empty; it stands in a script, so it must have been checked (VmcoreInfo::release()).
std::string GdbScript(std::string_view core_name, std::string_view release, std::optional<uint64_t> kernel_offset);

// Writes it as "CORE_NAME.gdb". Errors as FileSink's.
absl::Status WriteGdbScript(const OutputDir& dir, std::string_view core_name, std::string_view release,
                            std::optional<uint64_t> kernel_offset);

// Removes it, if it is what WriteGdbScript wrote for this user.
void RemoveGdbScript(const OutputDir& dir, std::string_view core_name);

}  // namespace vmm

#endif  // DUMP_WRITE_GDB_SCRIPT_H_
