// Function names as they are called in every build.
#ifndef DUMP_CONSOLE_FUNCTION_NAME_H_
#define DUMP_CONSOLE_FUNCTION_NAME_H_

#include <string>
#include <string_view>

namespace vmm {

// Removes the suffixes of compilers and linkers (".constprop.0", ".isra.0", ".part.1", ".cold", ".llvm.1234"), and
// writes each form of a system call's function as "sys_NAME": "__x64_sys_read", "__se_sys_read", "__do_sys_read",
// "SyS_read", "SYSC_read", "__arm64_sys_read" are all "sys_read"; with "compat_sys_" likewise.
std::string PlainFunctionName(std::string_view name);

}  // namespace vmm

#endif  // DUMP_CONSOLE_FUNCTION_NAME_H_
