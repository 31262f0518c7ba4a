#include "dump/nested/vmx/vmcs12_scan.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

constexpr uint64_t kCr0InVmx = 1u << 31 | 1u << 5 | 1;  // PG, NE, PE
constexpr uint64_t kCr4Vmxe = 1u << 13;
constexpr uint64_t kNoLink = ~uint64_t{0};

// Empty, or the first value that is impossible in a VMCS that KVM would enter. If the fields are where they were before
// Linux 4.18, one of these checks fails.
std::string DoubtOf(const VmcsRegion& region) {
  const Vmcs12 vmcs12 = region.vmcs12();
  if (region.abort() > 13) return absl::StrFormat("abort 0x%x is none", region.abort());
  if (region.launch_state() > VmcsRegion::kLaunched) {
    return absl::StrFormat("launch state 0x%x is none", region.launch_state());
  }
  if (vmcs12.vmcs_link_pointer != kNoLink && vmcs12.vmcs_link_pointer % kPageSize != 0) {
    return absl::StrFormat("vmcs_link_pointer 0x%x is no page", vmcs12.vmcs_link_pointer);
  }
  if ((vmcs12.host_cr0 & kCr0InVmx) != kCr0InVmx) return absl::StrFormat("host_cr0 0x%x", vmcs12.host_cr0);
  if ((vmcs12.host_cr4 & kCr4Vmxe) == 0) return absl::StrFormat("host_cr4 0x%x has no VMXE", vmcs12.host_cr4);
  if ((vmcs12.guest_cr4 & kCr4Vmxe) == 0) return absl::StrFormat("guest_cr4 0x%x has no VMXE", vmcs12.guest_cr4);
  return "";
}

}  // namespace

FoundVmcs ClassifyVmcs(GuestAddr at, const VmcsRegion& region) {
  FoundVmcs found = {.at = at, .region = region};
  const auto body = region.page().subspan(sizeof(uint32_t), kVmcs12Size - sizeof(uint32_t));
  if (region.shadow()) {
    found.kind = FoundVmcs::Kind::kShadow;
  } else if (std::all_of(body.begin(), body.end(), [](uint8_t byte) { return byte == 0; })) {
    found.kind = FoundVmcs::Kind::kEmpty;
  } else {
    found.doubt = DoubtOf(region);
    found.kind = found.doubt.empty() ? FoundVmcs::Kind::kVmcs12 : FoundVmcs::Kind::kOther;
  }
  return found;
}

absl::Status ScanForVmcs12(const PhysicalMemory& memory, const std::function<bool(const FoundVmcs&)>& visit) {
  ASSIGN_OR_RETURN(const std::vector<GuestRange> extents, memory.DataExtents());
  std::array<uint8_t, kVmcs12PageSize> page;
  for (const GuestRange& extent : extents) {
    for (uint64_t offset = 0; offset < extent.size; offset += kPageSize) {
      const GuestAddr at{extent.start.value + offset};
      ASSIGN_OR_RETURN(const uint32_t hdr, memory.ReadObject<uint32_t>(at));
      if ((hdr & ~kVmcsShadowBit) != kVmcs12Revision) continue;
      RETURN_IF_ERROR(memory.Read(at, page));
      const auto region = VmcsRegion::Parse(page);
      if (region.ok() && !visit(ClassifyVmcs(at, *region))) return absl::OkStatus();
    }
  }
  return absl::OkStatus();
}

}  // namespace vmm
