#include "dump/nested/nested_state.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/guest_addr.h"
#include "base/status.h"
#include "dump/nested/vmx/vm_entry_checks.h"

namespace vmm {
namespace {

// The most that x86 has. The nested state does not say how many the vCPU had.
constexpr int kPhysicalAddressBits = 52;

template <typename... Args>
absl::Status Bad(const absl::FormatSpec<Args...>& format, const Args&... args) {
  return absl::InvalidArgumentError("nested state: " + absl::StrFormat(format, args...));
}

absl::Status CheckPage(std::string_view name, uint64_t address) {
  if (address % kPageSize == 0 && address >> kPhysicalAddressBits == 0) return absl::OkStatus();
  return Bad("%s 0x%x is not the address of a page", name, address);
}

// Reads a VMCS region from `data`, which may end after the struct, because KVM takes no more bytes than that.
absl::StatusOr<VmcsRegion> RegionOf(std::span<const uint8_t> data, std::string_view name) {
  std::array<uint8_t, kVmcs12PageSize> page = {};
  std::copy_n(data.begin(), std::min(data.size(), page.size()), page.begin());
  return Annotate(VmcsRegion::Parse(page), std::string("nested state: ") + std::string(name));
}

bool AllZero(std::span<const uint8_t> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte == 0; });
}

void AddVmcsOddities(std::string_view name, const VmcsRegion& region, std::vector<std::string>* oddities) {
  if (region.abort() != 0) {
    oddities->push_back(absl::StrFormat("%s: VMX abort %d, %s", name, region.abort(), VmxAbortName(region.abort())));
  }
  if (region.launch_state() > VmcsRegion::kLaunched) {
    oddities->push_back(
        absl::StrFormat("%s: launch state %d is neither clear nor launched", name, region.launch_state()));
  }
  const struct {
    std::string_view name;
    size_t offset, size;
  } kPadding[] = {
      {"padding", offsetof(Vmcs12, padding), sizeof(Vmcs12::padding)},
      {"padding64", offsetof(Vmcs12, padding64), sizeof(Vmcs12::padding64)},
      {"dead_space", offsetof(Vmcs12, dead_space), sizeof(Vmcs12::dead_space)},
      {"paddingl", offsetof(Vmcs12, paddingl), sizeof(Vmcs12::paddingl)},
      {"padding32", offsetof(Vmcs12, padding32), sizeof(Vmcs12::padding32)},
  };
  for (const auto& [padding, offset, size] : kPadding) {
    if (!AllZero(region.page().subspan(offset, size))) {
      oddities->push_back(absl::StrFormat("%s: %s is not zero; a newer KVM may have a field there", name, padding));
    }
  }
}

}  // namespace

absl::StatusOr<NestedState> NestedState::Parse(std::span<const uint8_t> bytes) {
  if (bytes.size() < sizeof(KvmNestedHeader)) {
    return Bad("%d bytes are less than the header's %d", bytes.size(), sizeof(KvmNestedHeader));
  }
  if (bytes.size() > kMaxSize) return Bad("%d bytes are more than KVM has, %d", bytes.size(), kMaxSize);
  NestedState state;
  std::memcpy(&state.header_, bytes.data(), sizeof(state.header_));
  const KvmNestedHeader& header = state.header_;
  if (header.size != bytes.size()) return Bad("its header says %d bytes, but there are %d", header.size, bytes.size());
  if ((header.flags & kNestedRunPending) != 0 && !state.guest_mode()) {
    return Bad("flags 0x%x: an entry is pending, but L2 does not run", header.flags);
  }
  state.bytes_.assign(bytes.begin(), bytes.end());
  switch (header.format) {
    case kNestedFormatVmx: RETURN_IF_ERROR(state.ParseVmx()); break;
    case kNestedFormatSvm: RETURN_IF_ERROR(state.ParseSvm()); break;
    default:
      return absl::UnimplementedError(
          absl::StrFormat("nested state: format %d is neither VMX (0) nor SVM (1)", header.format));
  }
  return state;
}

absl::Status NestedState::ParseVmx() {
  const KvmNestedVmxHeader& vmx = header_.vmx;
  const bool evmcs = (header_.flags & kNestedEvmcs) != 0;
  if (vmx.vmxon_pa == kNestedNoAddress) {
    if (vmx.vmcs12_pa != kNestedNoAddress) return Bad("vmcs12_pa 0x%x without VMXON", vmx.vmcs12_pa);
    if (vmx.smm_flags != 0) return Bad("smm.flags 0x%x without VMXON", vmx.smm_flags);
    if ((header_.flags & ~kNestedEvmcs) != 0) return Bad("flags 0x%x without VMXON", header_.flags);
    return absl::OkStatus();  // KVM looks no further
  }
  RETURN_IF_ERROR(CheckPage("vmxon_pa", vmx.vmxon_pa));
  if (guest_mode() && (vmx.smm_flags & kNestedSmmGuestMode) != 0) return Bad("L2 runs and was left for SMM");

  if (data().size() < kVmcs12Size) {
    if (guest_mode()) return Bad("L2 runs, but of its vmcs12 there are %d bytes", data().size());
    if (evmcs) return Bad("an enlightened VMCS of %d bytes", data().size());
    if (vmx.vmcs12_pa != kNestedNoAddress) {
      return Bad("vmcs12_pa 0x%x, but of the vmcs12 there are %d bytes", vmx.vmcs12_pa, data().size());
    }
    return absl::OkStatus();
  }
  if (vmx.vmcs12_pa == kNestedNoAddress && !evmcs) return Bad("a vmcs12 without an address");
  if (vmx.vmcs12_pa != kNestedNoAddress) RETURN_IF_ERROR(CheckPage("vmcs12_pa", vmx.vmcs12_pa));
  if (vmx.vmcs12_pa == vmx.vmxon_pa) return Bad("vmcs12_pa 0x%x is the VMXON region", vmx.vmcs12_pa);
  ASSIGN_OR_RETURN(vmcs12_, RegionOf(data(), "vmcs12"));

  const Vmcs12 vmcs12 = vmcs12_->vmcs12();
  if (!guest_mode() || !Vmcs12HasShadowVmcs(vmcs12) || vmcs12.vmcs_link_pointer == kNestedNoAddress) {
    return absl::OkStatus();
  }
  if (data().size() < kNestedPageSize + kVmcs12Size) {
    return Bad("L2 has a shadow VMCS at 0x%x, but it is not here", vmcs12.vmcs_link_pointer);
  }
  ASSIGN_OR_RETURN(shadow_vmcs12_, RegionOf(data().subspan(kNestedPageSize), "shadow vmcs12"));
  if (!shadow_vmcs12_->shadow()) return Bad("the shadow vmcs12 is not marked as one");
  return absl::OkStatus();
}

absl::Status NestedState::ParseSvm() const {
  if (!guest_mode()) return absl::OkStatus();
  RETURN_IF_ERROR(CheckPage("vmcb_pa", header_.svm.vmcb_pa));
  if (data().size() < kNestedPageSize) return Bad("L2 runs, but of its VMCB there are %d bytes", data().size());
  return absl::OkStatus();
}

absl::StatusOr<NestedState> NestedState::MakeVmx(KvmNestedHeader header, const VmcsRegion* vmcs12,
                                                 const VmcsRegion* shadow_vmcs12) {
  header.format = kNestedFormatVmx;
  header.size = sizeof(header);
  for (const VmcsRegion* region : {vmcs12, shadow_vmcs12}) header.size += region == nullptr ? 0 : kNestedPageSize;
  std::vector<uint8_t> bytes(sizeof(header));
  std::memcpy(bytes.data(), &header, sizeof(header));
  for (const VmcsRegion* region : {vmcs12, shadow_vmcs12}) {
    if (region != nullptr) bytes.insert(bytes.end(), region->page().begin(), region->page().end());
  }
  return Parse(bytes);
}

std::optional<Vmcb12> NestedState::vmcb12() const {
  if (vmx() || !guest_mode()) return std::nullopt;
  Vmcb12 vmcb;
  std::memcpy(&vmcb, data().data(), sizeof(vmcb));
  return vmcb;
}

std::vector<std::string> NestedState::Oddities() const {
  std::vector<std::string> oddities;
  const auto unknown = [&](std::string_view name, uint32_t value, uint32_t known) {
    if ((value & ~known) != 0) oddities.push_back(absl::StrFormat("%s 0x%x: unknown bits", name, value & ~known));
  };
  if (!vmx()) {
    unknown("flags", header_.flags, kNestedGuestMode | kNestedRunPending | kNestedGifSet);
    unknown("svm.flags", header_.svm.svm_flags, 1);
    if (!AllZero(header_.svm.reserved)) oddities.emplace_back("reserved bytes of the header are not zero");
    return oddities;
  }
  unknown("flags", header_.flags, kNestedGuestMode | kNestedRunPending | kNestedEvmcs | kNestedMtfPending);
  unknown("smm.flags", header_.vmx.smm_flags, kNestedSmmGuestMode | kNestedSmmVmxon);
  unknown("vmx.flags", header_.vmx.vmx_flags, kNestedPreemptionTimerDeadline);
  if (header_.vmx.pad != 0 || !AllZero(header_.vmx.reserved)) {
    oddities.emplace_back("reserved bytes of the header are not zero");
  }
  if (data().size() % kNestedPageSize != 0) {
    oddities.push_back(absl::StrFormat("%d bytes behind the header are no whole pages", data().size()));
  }
  if (vmcs12_) {
    AddVmcsOddities("vmcs12", *vmcs12_, &oddities);
    if (vmcs12_->shadow()) oddities.emplace_back("vmcs12: marked as a shadow VMCS, which cannot be entered");
  }
  if (shadow_vmcs12_) AddVmcsOddities("shadow vmcs12", *shadow_vmcs12_, &oddities);
  if (guest_mode() && vmcs12_) {
    const Vmcs12 vmcs12 = vmcs12_->vmcs12();
    for (const absl::Status& status :
         {CheckVmcs12Controls(vmcs12, kPhysicalAddressBits), CheckVmcs12HostState(vmcs12, kPhysicalAddressBits),
          CheckVmcs12GuestState(vmcs12, kPhysicalAddressBits, nullptr)}) {
      if (!status.ok())
        oddities.push_back("vmcs12: L2 runs, but could not be entered: " + std::string(status.message()));
    }
  }
  return oddities;
}

}  // namespace vmm
