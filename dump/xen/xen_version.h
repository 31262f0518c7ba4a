// The version of Xen, as it says it itself.
#ifndef DUMP_XEN_XEN_VERSION_H_
#define DUMP_XEN_XEN_VERSION_H_

#include <cstdint>
#include <string>

namespace vmm {

struct XenVersion {
  uint64_t major = 0;
  uint64_t minor = 0;
  std::string banner;  // a line of Xen's own log, printable ASCII
};

}  // namespace vmm

#endif  // DUMP_XEN_XEN_VERSION_H_
