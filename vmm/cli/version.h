#ifndef VMM_CLI_VERSION_H_
#define VMM_CLI_VERSION_H_

#include <string_view>

namespace vmm {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace vmm

#endif  // VMM_CLI_VERSION_H_
