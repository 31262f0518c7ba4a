#include "vmm/kvm/guest_debug_ioctl.h"

namespace vmm {
namespace {

// DR7, Intel SDM vol. 3, section 17.2.4.
constexpr uint64_t kFixedOne = 1 << 10;
constexpr uint64_t kGlobalExact = 1 << 9;
constexpr size_t kTypeAt = 16;

// The length field: 1, 2 and 4 bytes are 0, 1 and 3, and 8 bytes are 2.
uint64_t LengthField(uint8_t size) { return size == 8 ? 2 : static_cast<uint64_t>(size - 1); }

}  // namespace

kvm_guest_debug ToKvm(const GuestDebug& debug) {
  kvm_guest_debug request = {};
  if (debug.step) request.control |= KVM_GUESTDBG_SINGLESTEP;
  if (debug.step && debug.block_interrupts) request.control |= kGuestDebugBlockIrq;
  if (debug.inject_debug) request.control |= KVM_GUESTDBG_INJECT_DB;
  uint64_t dr7 = 0;
  for (size_t i = 0; i < debug.breaks.size() && i < kHardwareBreaks; ++i) {
    const HardwareBreak& at = debug.breaks[i];
    request.arch.debugreg[i] = at.address;
    const uint64_t field = static_cast<uint64_t>(at.kind) | LengthField(at.size) << 2;
    dr7 |= uint64_t{2} << 2 * i | field << (kTypeAt + 4 * i);
  }
  if (dr7 != 0) {
    request.control |= KVM_GUESTDBG_USE_HW_BP;
    request.arch.debugreg[7] = dr7 | kFixedOne | kGlobalExact;
  }
  if (request.control != 0) request.control |= KVM_GUESTDBG_ENABLE;
  return request;
}

}  // namespace vmm
