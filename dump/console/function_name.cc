#include "dump/console/function_name.h"

#include <array>
#include <utility>

namespace vmm {
namespace {

// SYSCALL_DEFINEx() of include/linux/syscalls.h and the architectures' syscall_wrapper.h, Linux 3.x to 7.x.
constexpr std::array<std::pair<std::string_view, std::string_view>, 21> kSystemCalls = {{
    {"__x64_sys_", "sys_"},
    {"__ia32_sys_", "sys_"},
    {"__x32_sys_", "sys_"},
    {"__arm64_sys_", "sys_"},
    {"__riscv_sys_", "sys_"},
    {"__s390x_sys_", "sys_"},
    {"__s390_sys_", "sys_"},
    {"__se_sys_", "sys_"},
    {"__do_sys_", "sys_"},
    {"SyS_", "sys_"},
    {"SYSC_", "sys_"},
    {"__x64_compat_sys_", "compat_sys_"},
    {"__x32_compat_sys_", "compat_sys_"},
    {"__ia32_compat_sys_", "compat_sys_"},
    {"__arm64_compat_sys_", "compat_sys_"},
    {"__riscv_compat_sys_", "compat_sys_"},
    {"__s390_compat_sys_", "compat_sys_"},
    {"__se_compat_sys_", "compat_sys_"},
    {"__do_compat_sys_", "compat_sys_"},
    {"compat_SyS_", "compat_sys_"},
    {"C_SYSC_", "compat_sys_"},
}};

}  // namespace

std::string PlainFunctionName(std::string_view name) {
  // A name may begin with a point only if it is no C function's.
  const size_t point = name.find('.', 1);
  name = name.substr(0, point);
  for (const auto& [prefix, plain] : kSystemCalls) {
    if (name.starts_with(prefix)) return std::string(plain) + std::string(name.substr(prefix.size()));
  }
  return std::string(name);
}

}  // namespace vmm
