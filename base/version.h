// The only place that defines the version of vmm and vmcore. Both programs, the packages that ci/release makes and the
// JSON record take it from this line.
#ifndef BASE_VERSION_H_
#define BASE_VERSION_H_

#include <string_view>

namespace vmm {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace vmm

#endif  // BASE_VERSION_H_
