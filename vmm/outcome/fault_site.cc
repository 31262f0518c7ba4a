#include "vmm/outcome/fault_site.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_format.h"
#include "base/log.h"
#include "dump/nested/l1_state.h"
#include "dump/paging/page_tables.h"

namespace vmm {
namespace {

constexpr uint64_t kCr0ProtectionEnable = 1;
constexpr uint64_t kCr0Paging = 1ull << 31;
constexpr uint64_t kEferLongModeActive = 1ull << 10;

constexpr size_t kLongestInstruction = 15;
constexpr uint64_t kResetRip = 0xfff0;
constexpr uint16_t kResetCs = 0xf000;

constexpr uint64_t kGateSize = 16;  // in 64-bit mode
constexpr uint64_t kDoubleFaultVector = 8;

bool IsLongMode(const CpuState& cpu) { return (cpu.efer & kEferLongModeActive) != 0; }
bool Pages(const CpuState& cpu) { return (cpu.cr0 & kCr0Paging) != 0; }

// The guest-virtual memory of one vCPU. Readable only if we can follow its paging: 64-bit, or none.
class VirtualMemory {
 public:
  VirtualMemory(const CpuState& cpu, const PhysicalMemory& memory) : cpu_(cpu), memory_(memory) {}

  bool readable() const { return !Pages(cpu_) || IsLongMode(cpu_); }

  std::optional<GuestAddr> Translate(uint64_t vaddr) const {
    if (!Pages(cpu_)) return GuestAddr{vaddr};
    const auto phys = PageTables::Of(memory_, cpu_.cr3, cpu_.cr4).Translate(vaddr);
    return phys.ok() ? std::optional<GuestAddr>(*phys) : std::nullopt;
  }

  // Returns up to `size` bytes, as many as are readable.
  std::vector<uint8_t> Read(uint64_t vaddr, size_t size) const {
    std::vector<uint8_t> bytes;
    while (bytes.size() < size) {
      const uint64_t at = vaddr + bytes.size();
      std::vector<uint8_t> piece(std::min<uint64_t>(size - bytes.size(), kPageSize - at % kPageSize));
      const std::optional<GuestAddr> phys = Translate(at);
      if (!phys.has_value() || !memory_.Read(*phys, piece).ok()) break;
      bytes.insert(bytes.end(), piece.begin(), piece.end());
    }
    return bytes;
  }

 private:
  const CpuState& cpu_;
  const PhysicalMemory& memory_;
};

std::vector<std::string> ReasonsOf(const CpuState& cpu, uint64_t linear_rip, const VirtualMemory& memory) {
  std::vector<std::string> reasons;
  if (memory.Read(linear_rip, 1).empty()) {
    reasons.push_back(absl::StrFormat("there is no memory at RIP %#x", cpu.rip));
  }
  if (!IsLongMode(cpu)) return reasons;
  if (uint64_t{cpu.idt.limit} + 1 < (kDoubleFaultVector + 1) * kGateSize) {
    reasons.push_back(absl::StrFormat("the IDT ends (limit %#x) before the gate of the double fault", cpu.idt.limit));
  } else if (memory.Read(cpu.idt.base + kDoubleFaultVector * kGateSize, 1).empty()) {
    reasons.push_back(absl::StrFormat("there is no memory at the IDT, %#x", cpu.idt.base));
  }
  if (memory.Read(cpu.rsp - sizeof(uint64_t), 1).empty()) {
    reasons.push_back(absl::StrFormat("there is no memory below RSP %#x: a stack that overflowed?", cpu.rsp));
  }
  return reasons;
}

}  // namespace

// Intel SDM vol. 3, table 9-1.
bool IsAtReset(const CpuState& cpu) {
  return cpu.rip == kResetRip && cpu.cs.selector == kResetCs && (cpu.cr0 & kCr0ProtectionEnable) == 0;
}

FaultSite DescribeFault(int vcpu, const CpuState& cpu, const PhysicalMemory& memory) {
  FaultSite site{.vcpu = vcpu, .cpu = cpu, .registers_lost = IsAtReset(cpu)};
  if (site.registers_lost) {
    site.reasons.emplace_back(
        "the registers are those of a reset processor: this host's KVM has not kept what they were");
    return site;
  }
  if (L1State(cpu).has_value()) {
    site.reasons.emplace_back("the vCPU ran the guest's own guest (L2), and these are its registers");
    return site;
  }
  const VirtualMemory virtual_memory(site.cpu, memory);
  if (!virtual_memory.readable()) {
    site.reasons.emplace_back("its 32-bit page tables are not followed here");
    return site;
  }
  const uint64_t linear_rip = IsLongMode(cpu) ? cpu.rip : (cpu.cs.base + cpu.rip) & 0xffffffff;
  site.instruction = virtual_memory.Read(linear_rip, kLongestInstruction);
  site.reasons = ReasonsOf(site.cpu, linear_rip, virtual_memory);
  return site;
}

void TellFault(const FaultSite& site) {
  if (!site.registers_lost) {
    std::string bytes;
    for (const uint8_t byte : site.instruction) bytes += absl::StrFormat(" %02x", byte);
    const std::string place = site.place.empty() ? "" : absl::StrFormat(" (%s)", site.place);
    LogInfo(absl::StrFormat("vCPU %d stood at %#x%s, instruction bytes%s", site.vcpu, site.cpu.rip, place,
                            bytes.empty() ? " unknown" : bytes));
    LogInfo(absl::StrFormat("  RSP %#x CR0 %#x CR2 %#x CR3 %#x CR4 %#x EFER %#x, IDT %#x limit %#x", site.cpu.rsp,
                            site.cpu.cr0, site.cpu.cr2, site.cpu.cr3, site.cpu.cr4, site.cpu.efer, site.cpu.idt.base,
                            site.cpu.idt.limit));
  }
  for (const std::string& reason : site.reasons) LogInfo("  " + reason);
}

}  // namespace vmm
