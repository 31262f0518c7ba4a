#include "vmm/run/hypervisor_guest.h"

#include <cstring>
#include <optional>

#include "dump/nested/abi/nested_state_abi.h"

namespace vmm {
namespace {

constexpr uint64_t kEferSvme = 1 << 12;  // AMD APM vol. 2, section 3.1.7

std::optional<KvmNestedHeader> HeaderOf(const CpuState& cpu) {
  KvmNestedHeader header;
  if (cpu.nested.bytes.size() < sizeof(header)) return std::nullopt;
  std::memcpy(&header, cpu.nested.bytes.data(), sizeof(header));
  return header;
}

}  // namespace

bool RunsNestedGuest(const CpuState& cpu) {
  const std::optional<KvmNestedHeader> header = HeaderOf(cpu);
  return header.has_value() && (header->flags & kNestedGuestMode) != 0;
}

bool MayRunNestedGuest(const CpuState& cpu) {
  if (!cpu.nested.error.empty() || RunsNestedGuest(cpu) || (cpu.efer & kEferSvme) != 0) return true;
  const std::optional<KvmNestedHeader> header = HeaderOf(cpu);
  return header.has_value() && header->format == kNestedFormatVmx && header->vmx.vmxon_pa != kNestedNoAddress;
}

}  // namespace vmm
