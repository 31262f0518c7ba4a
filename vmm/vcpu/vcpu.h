// One virtual CPU, seen from above the ioctls: it runs until something stops it and tells
// its registers. vmm/kvm/kvm_vcpu.h is the real one; testing/scripted_vcpu.h plays a list of
// exits.
#ifndef VMM_VCPU_VCPU_H_
#define VMM_VCPU_VCPU_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "dump/snapshot/cpu_state.h"
#include "vmm/vcpu/vcpu_exit.h"

namespace vmm {

// All methods but Kick() belong to the vCPU's own thread.
class Vcpu {
 public:
  virtual ~Vcpu() = default;

  // 0 is the bootstrap processor; equal to the APIC id and to Linux's CPU number.
  virtual int id() const = 0;

  // Runs the guest until the next exit. The answer to an IoExit or MmioExit read, left in its
  // span, is taken by the guest at the next Run() or CompletePendingIo(). An error is KVM's.
  virtual absl::StatusOr<VcpuExit> Run() = 0;

  // Lets KVM finish the instruction of the last IoExit or MmioExit without running the guest
  // on. Only then are the registers those after the instruction.
  virtual absl::Status CompletePendingIo() = 0;

  // REQUIRES: no I/O is pending.
  virtual absl::StatusOr<CpuState> ReadState() = 0;
  virtual absl::Status WriteState(const CpuState& state) = 0;

  // The next instruction is the one at `rip`. REQUIRES: no I/O is pending.
  virtual absl::Status SetRip(uint64_t rip) = 0;

  // Any thread: makes a Run() that is in progress, or else the next one, return InterruptedExit
  // soon. Sticky until Unkick(): each Run() returns at once.
  virtual void Kick() = 0;
  virtual void Unkick() = 0;
};

}  // namespace vmm

#endif  // VMM_VCPU_VCPU_H_
