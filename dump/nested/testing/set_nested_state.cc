#include "dump/nested/testing/set_nested_state.h"

#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "base/guest_addr.h"
#include "dump/nested/abi/nested_state_abi.h"
#include "dump/nested/abi/vmcb12.h"
#include "dump/nested/abi/vmcs12.h"
#include "dump/nested/vmx/vm_entry_checks.h"

namespace vmm {
namespace {

constexpr uint64_t kEferLme = 1u << 8, kEferSvme = 1u << 12;
constexpr uint64_t kEferKnown = 0x7d01;  // SCE, LME, LMA, NX, SVME, LMSLE, FFXSR
constexpr uint64_t kCr0Pe = 1, kCr0Nw = 1u << 29, kCr0Cd = 1u << 30, kCr0Pg = 1u << 31;
constexpr uint64_t kCr4Pae = 1u << 5;
constexpr uint64_t kRflagsVm = 1u << 17;
constexpr uint16_t kAttribL = 1 << 9, kAttribDb = 1 << 10;
constexpr uint64_t kMsrpmSize = 2 * kPageSize, kIopmSize = 3 * kPageSize;

SetNestedStateVerdict Invalid(std::string why) { return {EINVAL, std::move(why)}; }
SetNestedStateVerdict Invalid(const absl::Status& status) { return {EINVAL, std::string(status.message())}; }
SetNestedStateVerdict Fault() { return {EFAULT, "memory ends before the state does"}; }

bool PageValid(uint64_t address, const NestedStateTaker& taker) {
  return address % kPageSize == 0 && address >> taker.physical_address_bits == 0;
}

// Copies the `size` bytes at `offset` into a T, as copy_from_user() does. False if `bytes` end before that.
template <typename T>
bool Copy(std::span<const uint8_t> bytes, size_t offset, size_t size, T* out) {
  if (bytes.size() < offset || bytes.size() - offset < size) return false;
  std::memset(out, 0, sizeof(T));
  std::memcpy(out, bytes.data() + offset, size);
  return true;
}

SetNestedStateVerdict CheckVmxHeader(const KvmNestedHeader& header, const NestedStateTaker& taker) {
  const KvmNestedVmxHeader& vmx = header.vmx;
  if (header.format != kNestedFormatVmx) return Invalid("format is not VMX");
  if (vmx.vmxon_pa == kNestedNoAddress) {
    if (vmx.smm_flags != 0 || vmx.vmcs12_pa != kNestedNoAddress || (header.flags & ~kNestedEvmcs) != 0) {
      return Invalid("something else than an address that is none, without VMXON");
    }
  } else {
    if (!taker.enabled) return Invalid("the vCPU has no VMX");
    if (!PageValid(vmx.vmxon_pa, taker)) return Invalid("vmxon_pa is not the address of a page");
  }
  if ((vmx.smm_flags & ~(kNestedSmmGuestMode | kNestedSmmVmxon)) != 0) return Invalid("unknown smm.flags");
  if ((vmx.vmx_flags & ~kNestedPreemptionTimerDeadline) != 0) return Invalid("unknown vmx.flags");
  if (taker.in_smm && (header.flags & (kNestedGuestMode | kNestedRunPending)) != 0) {
    return Invalid("L2 cannot run in SMM");
  }
  if (!taker.in_smm && vmx.smm_flags != 0) return Invalid("smm.flags outside SMM");
  if ((header.flags & kNestedEvmcs) != 0) return Invalid("enlightened VMCSs are not enabled");
  return {};
}

SetNestedStateVerdict CheckVmxGuest(std::span<const uint8_t> bytes, const KvmNestedHeader& header, const Vmcs12& vmcs12,
                                    const NestedStateTaker& taker) {
  if (Vmcs12HasShadowVmcs(vmcs12) && vmcs12.vmcs_link_pointer != kNestedNoAddress) {
    if (header.size < kNestedOnePage + kVmcs12Size) return Invalid("the shadow VMCS is missing");
    uint32_t hdr = 0;
    if (!Copy(bytes, kNestedOnePage, sizeof(hdr), &hdr) || bytes.size() < kNestedOnePage + kVmcs12Size) return Fault();
    if (hdr != (kVmcs12Revision | kVmcsShadowBit)) return Invalid("the shadow VMCS has another revision, or no mark");
  }
  const int bits = taker.physical_address_bits;
  if (const absl::Status status = CheckVmcs12Controls(vmcs12, bits); !status.ok()) return Invalid(status);
  if (const absl::Status status = CheckVmcs12HostState(vmcs12, bits); !status.ok()) return Invalid(status);
  if (const absl::Status status = CheckVmcs12GuestState(vmcs12, bits, taker.memory); !status.ok()) {
    return Invalid(status);
  }
  return {};
}

SetNestedStateVerdict CheckVmx(std::span<const uint8_t> bytes, const KvmNestedHeader& header,
                               const NestedStateTaker& taker) {
  if (auto verdict = CheckVmxHeader(header, taker); verdict.error != 0) return verdict;
  const KvmNestedVmxHeader& vmx = header.vmx;
  if (vmx.vmxon_pa == kNestedNoAddress) return {};
  const bool guest_mode = (header.flags & kNestedGuestMode) != 0;
  if (header.size < sizeof(header) + kVmcs12Size) {
    if (guest_mode || vmx.vmcs12_pa != kNestedNoAddress) return Invalid("the vmcs12 is missing");
    return {};
  }
  if (vmx.vmcs12_pa == vmx.vmxon_pa) return Invalid("vmcs12_pa is the VMXON region");
  if (!PageValid(vmx.vmcs12_pa, taker)) return Invalid("vmcs12_pa is not the address of a page");
  Vmcs12 vmcs12;
  if (!Copy(bytes, sizeof(header), kVmcs12Size, &vmcs12)) return Fault();
  if ((vmcs12.hdr & ~kVmcsShadowBit) != kVmcs12Revision) return Invalid("another revision");
  return guest_mode ? CheckVmxGuest(bytes, header, vmcs12, taker) : SetNestedStateVerdict{};
}

SetNestedStateVerdict CheckVmcbControl(const VmcbControl& control, const NestedStateTaker& taker) {
  const uint64_t limit = uint64_t{1} << taker.physical_address_bits;
  const auto fits = [&](uint64_t address, uint64_t size) { return address < limit && size <= limit - address; };
  if ((control.intercepts[4] & 1) == 0) return Invalid("VMRUN is not intercepted");
  if (control.asid == 0) return Invalid("asid is 0");
  const bool nested_paging = (control.nested_ctl & 1) != 0;
  if (nested_paging && !taker.nested_paging) return Invalid("the host has no nested paging");
  if (nested_paging && control.nested_cr3 >= limit) return Invalid("nested_cr3 is beyond the address space");
  if (!fits(AlignDown(control.msrpm_base_pa, kPageSize), kMsrpmSize)) return Invalid("msrpm_base_pa");
  if (!fits(AlignDown(control.iopm_base_pa, kPageSize), kIopmSize)) return Invalid("iopm_base_pa");
  return {};
}

SetNestedStateVerdict CheckVmcbSave(const VmcbSave& save, const NestedStateTaker& taker) {
  if ((save.cr0 & kCr0Pg) == 0 || (save.cr0 & kCr0Pe) == 0) return Invalid("L1's cr0 without PG and PE");
  if ((save.rflags & kRflagsVm) != 0) return Invalid("L1 in virtual-8086 mode");
  if ((save.efer & kEferSvme) == 0) return Invalid("L1's efer without SVME");
  if ((save.efer & ~kEferKnown) != 0) return Invalid("L1's efer has reserved bits");
  if ((save.cr0 & kCr0Cd) == 0 && (save.cr0 & kCr0Nw) != 0) return Invalid("L1's cr0: NW without CD");
  if (save.cr0 >> 32 != 0) return Invalid("L1's cr0 is wider than 32 bits");
  if (save.dr6 >> 32 != 0 || save.dr7 >> 32 != 0) return Invalid("L1's dr6 or dr7 is wider than 32 bits");
  if ((save.efer & kEferLme) != 0) {
    if ((save.cr4 & kCr4Pae) == 0) return Invalid("L1 in long mode without PAE");
    if (save.cr3 >> taker.physical_address_bits != 0) return Invalid("L1's cr3 is beyond the address space");
    if ((save.cs.attrib & kAttribL) != 0 && (save.cs.attrib & kAttribDb) != 0) return Invalid("L1's cs has L and D");
  }
  return {};
}

SetNestedStateVerdict CheckSvm(std::span<const uint8_t> bytes, const KvmNestedHeader& header,
                               const NestedStateTaker& taker) {
  if (header.format != kNestedFormatSvm) return Invalid("format is not SVM");
  if ((header.flags & ~(kNestedGuestMode | kNestedRunPending | kNestedGifSet)) != 0) return Invalid("flags of VMX");
  if (!taker.enabled && header.flags != kNestedGifSet) return Invalid("the vCPU has EFER.SVME clear");
  if ((header.flags & kNestedGuestMode) == 0) return {};
  if (taker.in_smm) return Invalid("L2 cannot run in SMM");
  if (!PageValid(header.svm.vmcb_pa, taker)) return Invalid("vmcb_pa is not the address of a page");
  if (header.size < kNestedOnePage) return Invalid("the VMCB is missing");
  Vmcb12 vmcb;
  if (!Copy(bytes, sizeof(header), sizeof(vmcb), &vmcb)) return Fault();
  if (auto verdict = CheckVmcbControl(vmcb.control, taker); verdict.error != 0) return verdict;
  return CheckVmcbSave(vmcb.save, taker);
}

}  // namespace

SetNestedStateVerdict CheckSetNestedState(std::span<const uint8_t> bytes, const NestedStateTaker& taker) {
  KvmNestedHeader header;
  if (!Copy(bytes, 0, sizeof(header), &header)) return Fault();
  if (header.size < sizeof(header)) return Invalid("size is less than the header's");
  constexpr uint16_t kKnown = kNestedGuestMode | kNestedRunPending | kNestedEvmcs | kNestedMtfPending | kNestedGifSet;
  if ((header.flags & ~kKnown) != 0) return Invalid(absl::StrFormat("unknown flags 0x%x", header.flags & ~kKnown));
  if ((header.flags & kNestedRunPending) != 0 && (header.flags & kNestedGuestMode) == 0) {
    return Invalid("an entry is pending, but L2 does not run");
  }
  return taker.vmx ? CheckVmx(bytes, header, taker) : CheckSvm(bytes, header, taker);
}

}  // namespace vmm
