#include "vmm/kvm/kvm_vm.h"

#include <linux/kvm.h>

#include <algorithm>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "vmm/kvm/cpuid.h"
#include "vmm/kvm/kick_signal.h"
#include "vmm/kvm/kvm_ioctl.h"
#include "vmm/kvm/kvm_irq_line.h"
#include "vmm/kvm/kvm_vcpu.h"
#include "vmm/platform/memory_map.h"

namespace vmm {
namespace {

constexpr CpuidBit kLa57{7, 0, CpuidRegister::kEcx, 16};

// An MSI's address and data, Intel SDM vol. 3, 11.11: physical destination, delivery mode NMI.
constexpr uint32_t kMsiAddress = 0xfee00000;
constexpr uint32_t kMsiDestinationShift = 12;
constexpr uint32_t kMsiDeliverNmi = 4u << 8;

absl::Status CheckCpus(const Kvm& kvm, int cpus) {
  const int limit = std::min(kMaxCpus, kvm.max_vcpus());
  if (cpus >= 1 && cpus <= limit) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrFormat("%d vCPUs: this host's KVM runs 1 to %d in a guest", cpus, limit));
}

}  // namespace

KvmVm::KvmVm(UniqueFd fd) : fd_(std::move(fd)) {
  for (int gsi = 0; gsi < kGsis; ++gsi) irq_lines_.push_back(std::make_unique<KvmIrqLine>(fd_.get(), gsi));
}

KvmVm::~KvmVm() = default;

absl::StatusOr<std::unique_ptr<KvmVm>> KvmVm::Create(const Kvm& kvm, const KvmVmConfig& config, GuestMemory& memory) {
  RETURN_IF_ERROR(CheckCpus(kvm, config.cpus));
  RETURN_IF_ERROR(InstallKickSignal());
  ASSIGN_OR_RETURN(const int fd, KvmIoctl(kvm.fd(), KVM_CREATE_VM, 0, "KVM_CREATE_VM"));
  std::unique_ptr<KvmVm> vm(new KvmVm(UniqueFd(fd)));
  vm->has_ioeventfd_ = ioctl(kvm.fd(), KVM_CHECK_EXTENSION, KVM_CAP_IOEVENTFD) > 0;
  vm->has_irqfd_ = ioctl(kvm.fd(), KVM_CHECK_EXTENSION, KVM_CAP_IRQFD) > 0;
  // Memory first: adding a slot waits for KVM's readers. That takes 0.1 ms, but 5 ms if the irqchip's ports are being
  // published at the same time.
  RETURN_IF_ERROR(vm->AddMemory(memory));
  RETURN_IF_ERROR(vm->CreateInterruptControllers());
  RETURN_IF_ERROR(vm->CreateVcpus(kvm, config));
  return vm;
}

absl::Status KvmVm::AddMemory(GuestMemory& memory) {
  // KVM's own pages lie in the hole, which has no RAM.
  RETURN_IF_ERROR(KvmIoctl(fd_.get(), KVM_SET_TSS_ADDR, kTssPages, "KVM_SET_TSS_ADDR").status());
  uint64_t identity_map = kIdentityMapPage;
  RETURN_IF_ERROR(KvmIoctl(fd_.get(), KVM_SET_IDENTITY_MAP_ADDR, &identity_map, "KVM_SET_IDENTITY_MAP_ADDR").status());
  uint32_t slot = 0;
  for (const GuestMemory::Region& region : memory.regions()) {
    kvm_userspace_memory_region slot_region{.slot = slot++,
                                            .guest_phys_addr = region.range.start.value,
                                            .memory_size = region.range.size,
                                            .userspace_addr = reinterpret_cast<uint64_t>(region.host)};
    RETURN_IF_ERROR(
        KvmIoctl(fd_.get(), KVM_SET_USER_MEMORY_REGION, &slot_region,
                 absl::StrFormat("KVM_SET_USER_MEMORY_REGION %#x..+%#x", region.range.start.value, region.range.size))
            .status());
  }
  return absl::OkStatus();
}

absl::Status KvmVm::CreateInterruptControllers() {
  RETURN_IF_ERROR(KvmIoctl(fd_.get(), KVM_CREATE_IRQCHIP, 0, "KVM_CREATE_IRQCHIP").status());
  // With the speaker, KVM handles port 0x61 too: Linux reads PIT channel 2 there.
  kvm_pit_config pit{.flags = KVM_PIT_SPEAKER_DUMMY};
  return KvmIoctl(fd_.get(), KVM_CREATE_PIT2, &pit, "KVM_CREATE_PIT2").status();
}

absl::Status KvmVm::CreateVcpus(const Kvm& kvm, const KvmVmConfig& config) {
  KvmVcpu* bootstrap = nullptr;
  RegisterPorts register_ports = config.register_ports;
  register_ports.by_run_page = config.register_ports.by_run_page && kvm.has_sync_regs();
  for (int id = 0; id < config.cpus; ++id) {
    ASSIGN_OR_RETURN(
        const CpuidTable cpuid,
        Annotate(BuildGuestCpuid(kvm.supported_cpuid(), config.cpus, id, config.features), "CPU features"));
    guest_has_la57_ = HasCpuidBit(cpuid, kLa57);
    ASSIGN_OR_RETURN(std::unique_ptr<KvmVcpu> vcpu, KvmVcpu::Create(kvm, fd_.get(), id, cpuid, register_ports));
    tsc_hz_ = uint64_t{vcpu->TscKhz()} * 1000;
    if (config.hypervisor_leaf != HypervisorLeaf::kKvm) {
      RETURN_IF_ERROR(vcpu->ChangeCpuid(
          WithVmwareLeaf(cpuid, config.hypervisor_leaf, {.tsc_khz = vcpu->TscKhz(), .bus_khz = kApicBusHz / 1000})));
    }
    notes_.insert(notes_.end(), vcpu->notes().begin(), vcpu->notes().end());
    if (id == 0) bootstrap = vcpu.get();
    vcpu_fds_.push_back(vcpu->fd());
    vcpus_.push_back(std::move(vcpu));
  }
  // After the last vCPU: KVM adds a new vCPU to its map of APIC ids only when some APIC's state is set. Until then no
  // IPI reaches the vCPU.
  return bootstrap->SetLocalInterrupts();
}

IrqLine& KvmVm::irq_line(int gsi) { return *irq_lines_[static_cast<size_t>(gsi)]; }

bool KvmVm::SignalOnWrite(GuestAddr address, uint32_t value, int eventfd) {
  if (!has_ioeventfd_) return false;
  kvm_ioeventfd request{};
  request.datamatch = value;
  request.addr = address.value;
  request.len = sizeof(value);
  request.fd = eventfd;
  request.flags = KVM_IOEVENTFD_FLAG_DATAMATCH;
  return KvmIoctl(fd_.get(), KVM_IOEVENTFD, &request, "KVM_IOEVENTFD").ok();
}

bool KvmVm::InterruptOnSignal(int eventfd, int gsi) {
  if (!has_irqfd_) return false;
  kvm_irqfd request{};
  request.fd = static_cast<uint32_t>(eventfd);
  request.gsi = static_cast<uint32_t>(gsi);
  return KvmIoctl(fd_.get(), KVM_IRQFD, &request, "KVM_IRQFD").ok();
}

KvmStatistics KvmVm::ReadStatistics() const {
  KvmStatistics statistics;
  absl::StatusOr<std::vector<KvmStat>> vm = ReadBinaryStats(fd_.get());
  if (!vm.ok()) return statistics;
  statistics.vm = *std::move(vm);
  for (const int fd : vcpu_fds_) {
    absl::StatusOr<std::vector<KvmStat>> vcpu = ReadBinaryStats(fd);
    statistics.vcpus.push_back(vcpu.ok() ? *std::move(vcpu) : std::vector<KvmStat>());
  }
  return statistics;
}

// Sends an MSI, because KVM_NMI would wait until the vCPU's thread is out of KVM_RUN.
absl::Status KvmVm::InjectNmi(int vcpu) {
  if (vcpu < 0 || vcpu >= cpus()) {
    return absl::InvalidArgumentError(absl::StrFormat("NMI to vCPU %d: there are %d", vcpu, cpus()));
  }
  kvm_msi msi{.address_lo = kMsiAddress | static_cast<uint32_t>(vcpu) << kMsiDestinationShift, .data = kMsiDeliverNmi};
  ASSIGN_OR_RETURN(const int taken,
                   KvmIoctl(fd_.get(), KVM_SIGNAL_MSI, &msi, absl::StrFormat("NMI to vCPU %d: KVM_SIGNAL_MSI", vcpu)));
  if (taken > 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrFormat("NMI to vCPU %d: its local APIC did not take it", vcpu));
}

}  // namespace vmm
