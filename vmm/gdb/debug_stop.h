// Why a debugged guest stopped.
#ifndef VMM_GDB_DEBUG_STOP_H_
#define VMM_GDB_DEBUG_STOP_H_

#include <cstdint>

#include "vmm/vcpu/guest_debug.h"

namespace vmm {

struct DebugStop {
  enum class Reason { kSoftware, kHardware, kWatch, kStep };
  Reason reason = Reason::kSoftware;
  int vcpu = 0;
  uint64_t address = 0;                                    // kWatch: of the data
  HardwareBreak::Kind kind = HardwareBreak::Kind::kWrite;  // kWatch

  bool operator==(const DebugStop&) const = default;
};

}  // namespace vmm

#endif  // VMM_GDB_DEBUG_STOP_H_
