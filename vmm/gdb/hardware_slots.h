// The debugger's use of the processor's four breakpoints.
#ifndef VMM_GDB_HARDWARE_SLOTS_H_
#define VMM_GDB_HARDWARE_SLOTS_H_

#include <vector>

#include "absl/status/status.h"
#include "vmm/vcpu/guest_debug.h"

namespace vmm {

class HardwareSlots {
 public:
  // Adds what gdb asks for: a watchpoint of 16 bytes, or one that is not aligned, takes several breakpoints. Adding one
  // twice is adding it once. ResourceExhausted if they do not suffice; nothing is then added. InvalidArgument for a
  // size of 0 or over 32.
  absl::Status Add(HardwareBreak::Kind kind, uint64_t address, uint64_t size);

  // False if it was not there.
  bool Remove(HardwareBreak::Kind kind, uint64_t address, uint64_t size);

  void Clear() { wanted_.clear(); }

  std::vector<HardwareBreak> breaks() const;

 private:
  struct Wanted {
    HardwareBreak::Kind kind;
    uint64_t address;
    uint64_t size;

    bool operator==(const Wanted&) const = default;
  };
  std::vector<Wanted> wanted_;
};

}  // namespace vmm

#endif  // VMM_GDB_HARDWARE_SLOTS_H_
