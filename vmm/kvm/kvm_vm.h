// A virtual machine of KVM: RAM slots, interrupt controllers, timer, vCPUs.
#ifndef VMM_KVM_KVM_VM_H_
#define VMM_KVM_KVM_VM_H_

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/guest_memory.h"
#include "base/unique_fd.h"
#include "devices/irq_line.h"
#include "vmm/kvm/binary_stats.h"
#include "vmm/kvm/cpu_features.h"
#include "vmm/kvm/hypervisor_leaf.h"
#include "vmm/kvm/kvm.h"
#include "vmm/kvm/register_ports.h"
#include "vmm/vcpu/vcpu.h"

namespace vmm {

struct KvmVmConfig {
  int cpus = 1;          // 1 to kMaxCpus, and no more than Kvm::max_vcpus()
  CpuFeatures features;  // --cpu-features
  HypervisorLeaf hypervisor_leaf = HypervisorLeaf::kKvm;

  // The ports whose IoExits carry registers. If by_run_page is false, the run page is not used; if true, it is used if
  // this KVM supports it.
  RegisterPorts register_ports;
};

// The timer of KVM's local APIC counts one bus cycle per nanosecond (arch/x86/kvm/lapic.h, APIC_BUS_CYCLE_NS).
inline constexpr uint32_t kApicBusHz = 1'000'000'000;

// Owns the VM's descriptor and its vCPUs. Any thread may use its interrupt lines and InjectNmi(); vcpu.h gives the
// rules for the vCPUs. No vCPU may still run when this is destroyed.
//
// Interrupts follow KVM's default routing: GSI n is pin n of the IOAPIC and, below 16, input n of the 8259s. The PIT is
// on GSI 0, so a MADT needs no override for it.
class KvmVm {
 public:
  static constexpr int kGsis = 24;

  // Creates a VM that is ready for a kernel to be loaded and vCPU 0's registers to be written. The time it takes does
  // not depend on the size of RAM. `memory` must outlive the VM.
  static absl::StatusOr<std::unique_ptr<KvmVm>> Create(const Kvm& kvm, const KvmVmConfig& config, GuestMemory& memory);

  KvmVm(const KvmVm&) = delete;
  KvmVm& operator=(const KvmVm&) = delete;
  ~KvmVm();

  int cpus() const { return static_cast<int>(vcpus_.size()); }
  std::span<const std::unique_ptr<Vcpu>> vcpus() const { return vcpus_; }
  // REQUIRES: 0 <= id < cpus().
  Vcpu& vcpu(int id) { return *vcpus_[static_cast<size_t>(id)]; }

  // True if the guest's CPUID shows 57-bit linear addresses (5-level paging).
  bool guest_has_la57() const { return guest_has_la57_; }

  // The rate of the guest's TSC. 0: KVM does not know.
  uint64_t tsc_hz() const { return tsc_hz_; }

  // REQUIRES: 0 <= gsi < kGsis. Lives as long as the VM.
  IrqLine& irq_line(int gsi);

  // From now on a 32-bit write of `value` to the guest-physical `address` signals `eventfd` and causes no exit
  // (ioeventfd). It takes KVM up to some milliseconds. False: this KVM cannot do that, and the write stays an MmioExit.
  bool SignalOnWrite(GuestAddr address, uint32_t value, int eventfd);

  // From now on each signal of `eventfd` is one edge of interrupt `gsi` (irqfd). False: this KVM cannot do that.
  // REQUIRES: 0 <= gsi < kGsis.
  bool InterruptOnSignal(int eventfd, int gsi);

  // Sends a non-maskable interrupt to vCPU `vcpu`, running or halted. FailedPrecondition if its local APIC does not
  // accept it.
  absl::Status InjectNmi(int vcpu);

  // KVM's counters so far. Empty if this KVM gives no statistics.
  KvmStatistics ReadStatistics() const;

  // One line, for a log, for each setting that KVM refused and that a guest can do without.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  explicit KvmVm(UniqueFd fd);

  absl::Status AddMemory(GuestMemory& memory);
  absl::Status CreateInterruptControllers();
  absl::Status CreateVcpus(const Kvm& kvm, const KvmVmConfig& config);

  UniqueFd fd_;
  std::vector<std::unique_ptr<IrqLine>> irq_lines_;
  std::vector<std::unique_ptr<Vcpu>> vcpus_;
  std::vector<int> vcpu_fds_;  // of vcpus_, in the same order
  bool has_ioeventfd_ = false;
  bool has_irqfd_ = false;
  bool guest_has_la57_ = false;
  uint64_t tsc_hz_ = 0;
  std::vector<std::string> notes_;
};

}  // namespace vmm

#endif  // VMM_KVM_KVM_VM_H_
