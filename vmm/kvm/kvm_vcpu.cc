#include "vmm/kvm/kvm_vcpu.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "vmm/kvm/cpuid_ioctl.h"
#include "vmm/kvm/decode_exit.h"
#include "vmm/kvm/kick_signal.h"
#include "vmm/kvm/kvm_ioctl.h"
#include "vmm/kvm/msrs.h"
#include "vmm/kvm/nested_state_ioctl.h"
#include "vmm/kvm/registers.h"

namespace vmm {
namespace {

constexpr uint64_t kFastStrings = 1;  // IA32_MISC_ENABLE bit 0
// MTRRs on, all memory write-back. If they are off, Linux before 6.3 leaves the PAT off too.
constexpr uint64_t kMtrrsOnWriteBack = 1u << 11 | 6;

// Local APIC registers and delivery modes, Intel SDM vol. 3, 11.5.1.
constexpr size_t kLvtLint0 = 0x350;
constexpr size_t kLvtLint1 = 0x360;
constexpr uint32_t kDeliverNmi = 4u << 8;
constexpr uint32_t kDeliverExtInt = 7u << 8;

IoRegisters FromKvm(const kvm_regs& regs) {
  return {.rax = regs.rax,
          .rbx = regs.rbx,
          .rcx = regs.rcx,
          .rdx = regs.rdx,
          .rsi = regs.rsi,
          .rdi = regs.rdi,
          .rbp = regs.rbp};
}

void ToKvm(const IoRegisters& registers, kvm_regs& regs) {
  regs.rax = registers.rax, regs.rbx = registers.rbx, regs.rcx = registers.rcx, regs.rdx = registers.rdx;
  regs.rsi = registers.rsi, regs.rdi = registers.rdi, regs.rbp = registers.rbp;
}

pid_t ThisThread() {
  static thread_local const pid_t thread = gettid();
  return thread;
}

}  // namespace

absl::StatusOr<std::unique_ptr<KvmVcpu>> KvmVcpu::Create(const Kvm& kvm, int vm_fd, int id, const CpuidTable& cpuid,
                                                         const RegisterPorts& register_ports) {
  ASSIGN_OR_RETURN(const int fd, KvmIoctl(vm_fd, KVM_CREATE_VCPU, id, absl::StrFormat("vCPU %d: KVM_CREATE_VCPU", id)));
  std::unique_ptr<KvmVcpu> vcpu(new KvmVcpu(id, UniqueFd(fd), kvm.nested_state_size()));
  void* page = mmap(nullptr, kvm.run_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (page == MAP_FAILED) return ErrnoStatus(errno, vcpu->Named("map kvm_run"));
  vcpu->run_page_ = {static_cast<uint8_t*>(page), kvm.run_size()};
  vcpu->register_ports_ = register_ports;
  if (register_ports.count != 0 && register_ports.by_run_page) vcpu->run().kvm_valid_regs = KVM_SYNC_X86_REGS;

  RETURN_IF_ERROR(Annotate(SetCpuid(fd, cpuid), vcpu->Named("set CPUID")));
  vcpu->SetBootMsrs();
  return vcpu;
}

KvmVcpu::~KvmVcpu() {
  if (!run_page_.empty()) munmap(run_page_.data(), run_page_.size());
}

void KvmVcpu::SetBootMsrs() {
  const auto write = [this](const Msr& msr, uint64_t value) {
    const absl::Status status = WriteMsr(fd_.get(), msr, value);
    if (!status.ok()) notes_.push_back(Named(std::string(status.message())));
  };
  write(kMsrMiscEnable, kFastStrings);
  write(kMsrMtrrDefType, kMtrrsOnWriteBack);
}

absl::Status KvmVcpu::SetLocalInterrupts() {
  kvm_lapic_state lapic;
  RETURN_IF_ERROR(KvmIoctl(fd_.get(), KVM_GET_LAPIC, &lapic, Named("KVM_GET_LAPIC")).status());
  std::memcpy(lapic.regs + kLvtLint0, &kDeliverExtInt, sizeof(kDeliverExtInt));
  std::memcpy(lapic.regs + kLvtLint1, &kDeliverNmi, sizeof(kDeliverNmi));
  return KvmIoctl(fd_.get(), KVM_SET_LAPIC, &lapic, Named("KVM_SET_LAPIC")).status();
}

absl::Status KvmVcpu::ChangeCpuid(const CpuidTable& cpuid) {
  return Annotate(SetCpuid(fd_.get(), cpuid), Named("set CPUID"));
}

uint32_t KvmVcpu::TscKhz() const {
  const int khz = ioctl(fd_.get(), KVM_GET_TSC_KHZ, 0);
  return khz > 0 ? static_cast<uint32_t>(khz) : 0;
}

absl::StatusOr<VcpuExit> KvmVcpu::TakeExit() {
  VcpuExit exit = DecodeExit(run_page_);
  IoExit* const io = std::get_if<IoExit>(&exit);
  if (io == nullptr || !register_ports_.Has(io->port) || io->data.size() != io->size) return exit;
  if (register_ports_.by_run_page) {
    exit_regs_ = run().s.regs.regs;
  } else {
    RETURN_IF_ERROR(KvmIoctl(fd_.get(), KVM_GET_REGS, &exit_regs_, Named("KVM_GET_REGS at an I/O exit")).status());
  }
  io_registers_ = FromKvm(exit_regs_);
  registers_given_ = true;
  io->registers = &io_registers_;
  return exit;
}

// RIP is written back unchanged: KVM advances it itself when it completes the instruction.
absl::Status KvmVcpu::PutRegisters() {
  if (!registers_given_) return absl::OkStatus();
  registers_given_ = false;
  if (io_registers_ == FromKvm(exit_regs_)) return absl::OkStatus();
  ToKvm(io_registers_, exit_regs_);
  if (register_ports_.by_run_page) {
    run().s.regs.regs = exit_regs_;
    run().kvm_dirty_regs = KVM_SYNC_X86_REGS;
    return absl::OkStatus();
  }
  return KvmIoctl(fd_.get(), KVM_SET_REGS, &exit_regs_, Named("KVM_SET_REGS at an I/O exit")).status();
}

absl::StatusOr<VcpuExit> KvmVcpu::Run() {
  RegisterThread();
  if (exit_waits_) {
    if (kicked_.load()) return InterruptedExit{};
    exit_waits_ = false;
    return TakeExit();
  }
  RETURN_IF_ERROR(PutRegisters());
  for (;;) {
    if (ioctl(fd_.get(), KVM_RUN, 0) == 0) return TakeExit();
    if (errno == EINTR) return InterruptedExit{};
    // EAGAIN: a vCPU that waited for INIT and SIPI got one of them.
    if (errno != EAGAIN) return ErrnoStatus(errno, Named("KVM_RUN"));
  }
}

absl::Status KvmVcpu::CompletePendingIo() {
  if (exit_waits_) return absl::OkStatus();
  RETURN_IF_ERROR(PutRegisters());
  SetImmediateExit(1);
  int result;
  do {
    result = ioctl(fd_.get(), KVM_RUN, 0);
  } while (result < 0 && errno == EAGAIN);
  const int error = errno;
  ClearImmediateExit();
  if (result == 0) {
    exit_waits_ = true;
    return absl::OkStatus();
  }
  if (error == EINTR) return absl::OkStatus();
  return ErrnoStatus(error, Named("KVM_RUN to complete pending I/O"));
}

absl::StatusOr<CpuState> KvmVcpu::ReadState() {
  kvm_regs regs;
  kvm_sregs sregs;
  kvm_mp_state mp_state;
  RETURN_IF_ERROR(KvmIoctl(fd_.get(), KVM_GET_MP_STATE, &mp_state, Named("KVM_GET_MP_STATE")).status());
  RETURN_IF_ERROR(KvmIoctl(fd_.get(), KVM_GET_REGS, &regs, Named("KVM_GET_REGS")).status());
  RETURN_IF_ERROR(KvmIoctl(fd_.get(), KVM_GET_SREGS, &sregs, Named("KVM_GET_SREGS")).status());
  CpuState state;
  CopyFromKvm(regs, sregs, state);
  ASSIGN_OR_RETURN(state.kernel_gs_base, Annotate(ReadMsr(fd_.get(), kMsrKernelGsBase), Named("read MSR")));
  state.tsc = ReadMsr(fd_.get(), kMsrTsc).value_or(0);  // only to tell the time
  state.halted = mp_state.mp_state == KVM_MP_STATE_HALTED;
  state.started = mp_state.mp_state != KVM_MP_STATE_UNINITIALIZED && mp_state.mp_state != KVM_MP_STATE_INIT_RECEIVED;
  state.nested = ReadNested();
  return state;
}

NestedCpuState KvmVcpu::ReadNested() {
  NestedCpuState nested{.max_size = static_cast<uint32_t>(nested_state_size_)};
  if (nested_state_size_ == 0) return nested;
  absl::StatusOr<std::vector<uint8_t>> bytes = ReadNestedState(fd_.get(), nested_state_size_);
  if (bytes.ok()) {
    nested.bytes = *std::move(bytes);
  } else {
    nested.error = std::string(bytes.status().message());
  }
  return nested;
}

absl::Status KvmVcpu::WriteState(const CpuState& state) {
  kvm_regs regs;
  kvm_sregs sregs;
  RETURN_IF_ERROR(KvmIoctl(fd_.get(), KVM_GET_SREGS, &sregs, Named("KVM_GET_SREGS")).status());
  CopyToKvm(state, regs, sregs);
  const std::string modes =
      absl::StrFormat("KVM_SET_SREGS (cr0 %#x, cr4 %#x, efer %#x)", state.cr0, state.cr4, state.efer);
  RETURN_IF_ERROR(KvmIoctl(fd_.get(), KVM_SET_SREGS, &sregs, Named(modes)).status());
  RETURN_IF_ERROR(KvmIoctl(fd_.get(), KVM_SET_REGS, &regs, Named("KVM_SET_REGS")).status());
  RETURN_IF_ERROR(Annotate(WriteMsr(fd_.get(), kMsrKernelGsBase, state.kernel_gs_base), Named("write MSR")));
  kvm_mp_state mp_state{};
  mp_state.mp_state = state.started ? KVM_MP_STATE_RUNNABLE : KVM_MP_STATE_UNINITIALIZED;
  return KvmIoctl(fd_.get(), KVM_SET_MP_STATE, &mp_state, Named("KVM_SET_MP_STATE")).status();
}

absl::Status KvmVcpu::SetRip(uint64_t rip) {
  kvm_regs regs;
  RETURN_IF_ERROR(KvmIoctl(fd_.get(), KVM_GET_REGS, &regs, Named("KVM_GET_REGS")).status());
  regs.rip = rip;
  return KvmIoctl(fd_.get(), KVM_SET_REGS, &regs, Named("KVM_SET_REGS")).status();
}

// A guest that has not set up KVM's clock is no error: EINVAL.
void KvmVcpu::WasPaused() { ioctl(fd_.get(), KVM_KVMCLOCK_CTRL, 0); }

// The order against Run(): Run() stores the thread before the kernel reads immediate_exit, and Kick() stores
// immediate_exit before it reads the thread. So one of the two sees the other.
void KvmVcpu::Kick() {
  kicked_.store(true);
  SetImmediateExit(1);
  const pid_t thread = thread_.load();
  if (thread != 0) SendKickSignal(thread);
}

void KvmVcpu::Unkick() {
  kicked_.store(false);
  ClearImmediateExit();
}

void KvmVcpu::RegisterThread() {
  if (thread_.load(std::memory_order_relaxed) == ThisThread()) return;
  UnblockKickSignal();
  thread_.store(ThisThread());
}

void KvmVcpu::SetImmediateExit(uint8_t value) { std::atomic_ref<uint8_t>(run().immediate_exit).store(value); }

void KvmVcpu::ClearImmediateExit() {
  SetImmediateExit(0);
  if (kicked_.load()) SetImmediateExit(1);
}

std::string KvmVcpu::Named(std::string_view what) const { return absl::StrFormat("vCPU %d: %s", id_, what); }

}  // namespace vmm
