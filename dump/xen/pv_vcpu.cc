#include "dump/xen/pv_vcpu.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_format.h"
#include "dump/paging/page_tables.h"
#include "dump/xen/abi/xen_abi.h"

namespace vmm {
namespace {

constexpr uint64_t kAddressMask = 0x000ffffffffff000;
constexpr uint64_t kRsp0InTss = 4;  // SDM vol. 3, section 8.7
constexpr uint64_t kStackSize = 8 * kPageSize;
constexpr uint16_t kIdleDomain = 0x7fff;
constexpr uint32_t kMaxVcpus = 8192;

// The end of Xen's stack of each CPU (struct cpu_info). The parts named here are the same since Xen 3.4.
struct CpuInfoStart {
  XenUserRegs guest;  // RSP0 points at its `es`
  uint32_t processor_id;
  uint32_t pad;
  uint64_t current_vcpu;
};
static_assert(offsetof(CpuInfoStart, processor_id) == 200);
static_assert(offsetof(CpuInfoStart, current_vcpu) == 208);

// struct vcpu's first members, the same since Xen 4.6.
struct VcpuStart {
  uint32_t vcpu_id;
  uint32_t processor;
  uint64_t vcpu_info;
  uint64_t domain;  // its first member is the domain's ID
};

bool IsXens(uint64_t vaddr) { return vaddr >= kXenVirtualStart && vaddr < kXenVirtualEnd; }

// Reads Xen's memory by the virtual addresses of one CPU.
class XenView {
 public:
  XenView(const PhysicalMemory& machine, uint64_t cr3)
      : machine_(machine), tables_(machine, GuestAddr{cr3 & kAddressMask}, 4) {}

  template <typename T>
  std::optional<T> Read(uint64_t vaddr) const {
    T object;
    std::span<uint8_t> out(reinterpret_cast<uint8_t*>(&object), sizeof(object));
    while (!out.empty()) {
      if (!IsXens(vaddr)) return std::nullopt;
      const absl::StatusOr<GuestAddr> at = tables_.Translate(vaddr);
      const size_t size = std::min<uint64_t>(out.size(), kPageSize - vaddr % kPageSize);
      if (!at.ok() || !machine_.Read(*at, out.first(size)).ok()) return std::nullopt;
      vaddr += size;
      out = out.subspan(size);
    }
    return object;
  }

 private:
  const PhysicalMemory& machine_;
  PageTables tables_;
};

bool IsGuests(const XenUserRegs& regs) { return (regs.cs & 3) == 3 && (regs.ss & 3) == 3; }

// struct cpu_info by the TSS or, if the dump has none, by a look for a guest's registers at the end of the stack.
std::optional<CpuInfoStart> CpuInfoOf(const XenView& xen, const CpuState& cpu) {
  if (const auto rsp0 = xen.Read<uint64_t>(cpu.tr.base + kRsp0InTss); rsp0.has_value() && *rsp0 % 8 == 0) {
    return xen.Read<CpuInfoStart>(*rsp0 - offsetof(XenUserRegs, es));
  }
  if (!IsXens(cpu.rsp)) return std::nullopt;
  constexpr uint64_t kFarthest = 512;
  const uint64_t end = AlignDown(cpu.rsp, kStackSize) + kStackSize;
  for (uint64_t before = kFarthest; before >= sizeof(CpuInfoStart); before -= 8) {
    const auto info = xen.Read<CpuInfoStart>(end - before);
    if (info.has_value() && IsGuests(info->guest) && IsXens(info->current_vcpu)) return info;
  }
  return std::nullopt;
}

CpuState FromFrame(const CpuState& cpu, const XenUserRegs& regs) {
  CpuState guest = cpu;
  guest.r15 = regs.r15, guest.r14 = regs.r14, guest.r13 = regs.r13, guest.r12 = regs.r12;
  guest.rbp = regs.rbp, guest.rbx = regs.rbx, guest.r11 = regs.r11, guest.r10 = regs.r10;
  guest.r9 = regs.r9, guest.r8 = regs.r8, guest.rax = regs.rax, guest.rcx = regs.rcx;
  guest.rdx = regs.rdx, guest.rsi = regs.rsi, guest.rdi = regs.rdi;
  guest.rip = regs.rip, guest.rflags = regs.rflags, guest.rsp = regs.rsp;
  guest.cs.selector = regs.cs;
  guest.ss.selector = regs.ss;
  return guest;
}

// Xen's tables of descriptors and its TSS are not the guest's. A PV kernel runs with privilege 3 and sees 0 in its own
// frames, as Xen takes the privilege off when it enters the kernel; readers tell kernel from user mode by it.
void MakeGuests(CpuState& cpu) {
  cpu.gdt = {};
  cpu.idt = {};
  cpu.tr = {};
  cpu.ldt = {};
  if (cpu.cs.selector == kXenGuestKernelCs) cpu.cs.selector &= ~3;
}

}  // namespace

std::vector<PvVcpu> FindPvVcpus(const PhysicalMemory& machine, std::span<const CpuState> cpus, const PvDomain& domain) {
  std::vector<PvVcpu> vcpus;
  for (size_t i = 0; i < cpus.size(); ++i) {
    const CpuState& cpu = cpus[i];
    if (!cpu.started) continue;
    // A core without CR3 (PRSTATUS alone): Xen is mapped in any domain's tables, but whose vCPU it is stays unknown.
    const std::optional<uint64_t> root = domain.p2m->PfnOf(cpu.cr3 / kPageSize);
    if (!root.has_value()) continue;
    const XenView xen(machine, cpu.cr3);
    const std::optional<CpuInfoStart> info = CpuInfoOf(xen, cpu);
    if (!info.has_value() || !IsXens(info->current_vcpu)) continue;
    const auto start = xen.Read<VcpuStart>(info->current_vcpu);
    if (!start.has_value() || start->vcpu_id >= kMaxVcpus || start->processor != info->processor_id) continue;
    const auto id = xen.Read<uint16_t>(start->domain);
    if (!id.has_value() || *id >= kIdleDomain) continue;

    PvVcpu vcpu{.id = start->vcpu_id, .domain_id = *id, .physical_cpu = i};
    if (!IsXens(cpu.rip)) {
      vcpu.registers = cpu;
      vcpu.registers_from = absl::StrFormat("CPU %d, where it ran", i);
    } else if (IsGuests(info->guest)) {
      vcpu.registers = FromFrame(cpu, info->guest);
      vcpu.registers_from = absl::StrFormat("Xen's stack of CPU %d", i);
    } else {
      continue;
    }
    MakeGuests(vcpu.registers);
    vcpu.registers.cr3 = *root * kPageSize;
    vcpus.push_back(std::move(vcpu));
  }
  std::ranges::stable_sort(vcpus, {}, &PvVcpu::id);
  const auto again = std::ranges::unique(vcpus, {}, &PvVcpu::id);
  vcpus.erase(again.begin(), again.end());
  return vcpus;
}

std::vector<CpuState> CpusOf(std::span<const PvVcpu> vcpus) {
  std::vector<CpuState> cpus(vcpus.empty() ? 1 : vcpus.back().id + 1, CpuState{.started = false});
  for (const PvVcpu& vcpu : vcpus) cpus[vcpu.id] = vcpu.registers;
  return cpus;
}

}  // namespace vmm
