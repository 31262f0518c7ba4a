// One virtual CPU, seen from above the ioctls: it runs until something stops it, and gives access to its registers.
// vmm/kvm/kvm_vcpu.h is the real one; testing/scripted_vcpu.h plays a list of exits.
#ifndef VMM_VCPU_VCPU_H_
#define VMM_VCPU_VCPU_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "dump/snapshot/cpu_state.h"
#include "vmm/vcpu/guest_debug.h"
#include "vmm/vcpu/vcpu_exit.h"

namespace vmm {

// All methods but Kick() and Unkick() belong to the vCPU's own thread.
class Vcpu {
 public:
  virtual ~Vcpu() = default;

  // 0: the bootstrap processor. Equals the APIC id and Linux's CPU number.
  virtual int id() const = 0;

  // Runs the guest until the next exit. The caller leaves the answer to an IoExit or MmioExit read in its span; the
  // guest takes it at the next Run() or CompletePendingIo(). Errors come from KVM.
  virtual absl::StatusOr<VcpuExit> Run() = 0;

  // Lets KVM finish the instruction of the last IoExit or MmioExit without running the guest any further. Only after
  // this call do the registers show the state after the instruction.
  virtual absl::Status CompletePendingIo() = 0;

  // REQUIRES: no I/O is pending.
  virtual absl::StatusOr<CpuState> ReadState() = 0;
  virtual absl::Status WriteState(const CpuState& state) = 0;

  // Sets the address of the next instruction. REQUIRES: no I/O is pending.
  virtual absl::Status SetRip(uint64_t rip) = 0;

  // For a debugger, while no other thread uses the vCPU. A vCPU without KVM has none of it: Unimplemented.
  //
  // Writes what WriteState() writes, but a vCPU that halts or waits for INIT still does.
  virtual absl::Status WriteRegisters(const CpuState& state);
  virtual absl::StatusOr<FpuState> ReadFpu();
  virtual absl::Status WriteFpu(const FpuState& state);
  // From the next Run() on. An empty `debug` gives the guest its debug registers back.
  virtual absl::Status SetDebug(const GuestDebug& debug);

  // To be called after a pause, before the next Run(). A guest whose clock is KVM's learns that it stood still, so that
  // its watchdogs do not take the pause for a lockup.
  virtual void WasPaused() {}

  // Any thread. Makes the current Run(), or else the next one, return InterruptedExit soon. Sticky: each Run() returns
  // at once until Unkick().
  virtual void Kick() = 0;
  virtual void Unkick() = 0;
};

}  // namespace vmm

#endif  // VMM_VCPU_VCPU_H_
