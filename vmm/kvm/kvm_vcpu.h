// A vCPU of KVM.
#ifndef VMM_KVM_KVM_VCPU_H_
#define VMM_KVM_KVM_VCPU_H_

#include <linux/kvm.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/unique_fd.h"
#include "vmm/kvm/cpuid.h"
#include "vmm/kvm/kvm.h"
#include "vmm/kvm/register_ports.h"
#include "vmm/vcpu/vcpu.h"

namespace vmm {

// Owns the vCPU's descriptor and its run mapping. The thread that calls Run() is the vCPU's
// thread; it may change between two calls.
class KvmVcpu final : public Vcpu {
 public:
  // Calls KVM_CREATE_VCPU on `vm_fd`, a VM of `kvm`, and sets the state that firmware would leave. vCPU 0 is ready to
  // run, the others wait for INIT and SIPI. Exits at `register_ports` carry registers.
  // REQUIRES: InstallKickSignal() was called, the VM has its irqchip.
  static absl::StatusOr<std::unique_ptr<KvmVcpu>> Create(const Kvm& kvm, int vm_fd, int id, const CpuidTable& cpuid,
                                                         const RegisterPorts& register_ports = {});

  KvmVcpu(const KvmVcpu&) = delete;
  KvmVcpu& operator=(const KvmVcpu&) = delete;
  ~KvmVcpu() override;

  // One line for each MSR that KVM refused to set. A guest can run without them.
  const std::vector<std::string>& notes() const { return notes_; }

  // Sets the local APIC as firmware leaves it on the bootstrap processor ("virtual wire mode"): LINT0 takes the 8259's
  // interrupts, LINT1 NMIs. INIT undoes it, so other vCPUs do not need it.
  absl::Status SetLocalInterrupts();

  // Calls KVM_SET_CPUID2 again. The vCPU must not have run.
  absl::Status ChangeCpuid(const CpuidTable& cpuid);

  // The vCPU's descriptor, for ioctls that are not on the path of its exits.
  int fd() const { return fd_.get(); }

  // KVM_GET_TSC_KHZ. 0: KVM does not know.
  uint32_t TscKhz() const;

  // Vcpu
  int id() const override { return id_; }
  absl::StatusOr<VcpuExit> Run() override;
  // An instruction with a further access (a read-modify-write of MMIO, a string) does not end here. The next Run()
  // returns that access, and until then the registers show the unfinished instruction.
  absl::Status CompletePendingIo() override;
  // Also reads KVM's nested state, last. If the guest is not a hypervisor, that is only its header. A failure to read
  // it is recorded in the result and is not an error.
  absl::StatusOr<CpuState> ReadState() override;
  // An apic_base of 0 leaves the vCPU's unchanged. If state.started, the vCPU becomes runnable; otherwise it waits for
  // INIT again.
  absl::Status WriteState(const CpuState& state) override;
  absl::Status SetRip(uint64_t rip) override;
  absl::Status WriteRegisters(const CpuState& state) override;
  absl::StatusOr<FpuState> ReadFpu() override;
  absl::Status WriteFpu(const FpuState& state) override;
  absl::Status SetDebug(const GuestDebug& debug) override;
  void WasPaused() override;
  void Kick() override;
  void Unkick() override;

 private:
  KvmVcpu(int id, UniqueFd fd, size_t nested_state_size)
      : id_(id), fd_(std::move(fd)), nested_state_size_(nested_state_size) {}

  void SetBootMsrs();
  NestedCpuState ReadNested();

  // Decodes the exit in the run page, with its registers if its port is one of register_ports_.
  absl::StatusOr<VcpuExit> TakeExit();
  // Writes the registers of the last exit, as the caller left them, back into the guest before it goes on.
  absl::Status PutRegisters();

  kvm_run& run() { return *reinterpret_cast<kvm_run*>(run_page_.data()); }

  // Makes the calling thread the one that Kick() signals.
  void RegisterThread();
  void SetImmediateExit(uint8_t value);
  // Clears our own immediate exit, but keeps a Kick() that came meanwhile.
  void ClearImmediateExit();
  std::string Named(std::string_view what) const;  // "vCPU 3: what"

  int id_;
  UniqueFd fd_;
  size_t nested_state_size_;
  std::span<uint8_t> run_page_;
  std::vector<std::string> notes_;

  RegisterPorts register_ports_;
  bool registers_given_ = false;  // the last exit carried registers: in exit_regs_ and io_registers_
  kvm_regs exit_regs_ = {};
  IoRegisters io_registers_;

  std::atomic<bool> kicked_{false};
  std::atomic<pid_t> thread_{0};  // 0 until the first Run()
  bool exit_waits_ = false;       // run_page_ holds an exit that Run() has not returned yet
};

}  // namespace vmm

#endif  // VMM_KVM_KVM_VCPU_H_
