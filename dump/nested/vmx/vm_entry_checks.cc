#include "dump/nested/vmx/vm_entry_checks.h"

#include <string_view>

#include "absl/strings/str_format.h"
#include "base/guest_addr.h"

namespace vmm {
namespace {

// Controls that are one on every CPU, even with the "true" capability MSRs (SDM vol. 3, appendix A).
constexpr uint32_t kPinDefault1 = 0x16;
constexpr uint32_t kPrimaryDefault1 = 0x04006172;
constexpr uint32_t kExitDefault1 = 0x36dfb;
constexpr uint32_t kEntryDefault1 = 0x11fb;

constexpr int kPinNmiExiting = 3, kPinVirtualNmi = 5, kPinPostedInterrupts = 7;
constexpr int kPrimaryTprShadow = 21, kPrimaryNmiWindow = 22, kPrimaryIoBitmaps = 25, kPrimaryMsrBitmap = 28,
              kPrimarySecondary = 31;
constexpr int kSecondaryApicAccess = 0, kSecondaryEpt = 1, kSecondaryX2Apic = 4, kSecondaryVpid = 5,
              kSecondaryUnrestricted = 7, kSecondaryApicRegisters = 8, kSecondaryVirtualInterrupts = 9,
              kSecondaryShadowVmcs = 14, kSecondaryPml = 17;
constexpr int kExitHost64 = 9, kExitAckInterrupt = 15, kExitLoadPat = 19, kExitLoadEfer = 21;
constexpr int kEntryLoadDebug = 2, kEntryIa32e = 9, kEntryLoadPat = 14, kEntryLoadEfer = 15, kEntryLoadBndcfgs = 16;

constexpr uint64_t kCr0Pe = 1, kCr0Ne = 1u << 5, kCr0Pg = 1u << 31;
constexpr uint64_t kCr4Pae = 1u << 5, kCr4La57 = 1u << 12, kCr4Vmxe = 1u << 13, kCr4Pcide = 1u << 17;
constexpr uint64_t kEferLme = 1u << 8, kEferLma = 1u << 10;
constexpr uint64_t kEferReserved = ~uint64_t{0xd01};  // all but SCE, LME, LMA, NX

constexpr bool Bit(uint64_t word, int bit) { return (word >> bit & 1) != 0; }

bool Secondary(const Vmcs12& vmcs12, int bit) {
  return Bit(vmcs12.cpu_based_vm_exec_control, kPrimarySecondary) && Bit(vmcs12.secondary_vm_exec_control, bit);
}

// Canonical for L1, because a VM entry is checked as L1's instruction: 57 bits count with 5-level paging, else 48.
constexpr bool Canonical(uint64_t address, const Vmcs12& vmcs12) {
  const int unused = (vmcs12.host_cr4 & kCr4La57) != 0 ? 7 : 16;
  return static_cast<uint64_t>(static_cast<int64_t>(address << unused) >> unused) == address;
}

constexpr bool PatValid(uint64_t pat) {
  for (int i = 0; i < 8; ++i, pat >>= 8) {
    const uint64_t type = pat & 0xff;
    if (type > 7 || type == 2 || type == 3) return false;
  }
  return true;
}

absl::Status Bad(std::string_view field, uint64_t value, std::string_view rule) {
  return absl::InvalidArgumentError(absl::StrFormat("%s 0x%x: %s", field, value, rule));
}

// The address must be aligned to `alignment` bytes, and the CPU must be able to put it on its bus.
absl::Status CheckAddress(std::string_view field, uint64_t address, uint64_t alignment, int bits) {
  if (address % alignment == 0 && address >> bits == 0) return absl::OkStatus();
  return Bad(field, address, absl::StrFormat("not a multiple of %d below 2^%d", alignment, bits));
}

absl::Status CheckMsrArea(std::string_view field, uint64_t address, uint32_t count, int bits) {
  return count == 0 ? absl::OkStatus() : CheckAddress(field, address, 16, bits);
}

absl::Status CheckEptPointer(const Vmcs12& vmcs12, int bits) {
  const uint64_t eptp = vmcs12.ept_pointer;
  const uint64_t memory_type = eptp & 7;
  const uint64_t walk_length = (eptp >> 3 & 7) + 1;
  if (memory_type != 0 && memory_type != 6) return Bad("ept_pointer", eptp, "memory type is neither UC nor WB");
  if (walk_length != 4 && walk_length != 5) return Bad("ept_pointer", eptp, "page-walk length is neither 4 nor 5");
  if ((eptp & 0xf80) != 0) return Bad("ept_pointer", eptp, "reserved bits 11:7 set");
  return CheckAddress("ept_pointer", AlignDown(eptp, kPageSize), kPageSize, bits);
}

absl::Status CheckEventInjection(const Vmcs12& vmcs12) {
  const uint32_t info = vmcs12.vm_entry_intr_info_field;
  if (!Bit(info, 31)) return absl::OkStatus();
  const uint32_t vector = info & 0xff;
  const uint32_t type = info >> 8 & 7;
  constexpr std::string_view kName = "vm_entry_intr_info_field";
  if (type == 1) return Bad(kName, info, "type 1 is reserved");
  if (type == 2 && vector != 2) return Bad(kName, info, "an NMI has vector 2");
  if (type == 3 && vector > 31) return Bad(kName, info, "an exception has a vector up to 31");
  if (type == 7 && vector != 0) return Bad(kName, info, "an \"other event\" has vector 0");
  if ((info & 0x7ffff000) != 0) return Bad(kName, info, "reserved bits 30:12 set");
  return absl::OkStatus();
}

absl::Status CheckExecutionControls(const Vmcs12& vmcs12, int bits) {
  const uint32_t pin = vmcs12.pin_based_vm_exec_control;
  const uint32_t primary = vmcs12.cpu_based_vm_exec_control;
  if ((pin & kPinDefault1) != kPinDefault1) return Bad("pin_based_vm_exec_control", pin, "0x16 must be one");
  if ((primary & kPrimaryDefault1) != kPrimaryDefault1) {
    return Bad("cpu_based_vm_exec_control", primary, "0x4006172 must be one");
  }
  if (vmcs12.cr3_target_count != 0) return Bad("cr3_target_count", vmcs12.cr3_target_count, "KVM has no CR3 targets");
  if (Bit(primary, kPrimaryIoBitmaps)) {
    RETURN_IF_ERROR(CheckAddress("io_bitmap_a", vmcs12.io_bitmap_a, kPageSize, bits));
    RETURN_IF_ERROR(CheckAddress("io_bitmap_b", vmcs12.io_bitmap_b, kPageSize, bits));
  }
  if (Bit(primary, kPrimaryMsrBitmap)) {
    RETURN_IF_ERROR(CheckAddress("msr_bitmap", vmcs12.msr_bitmap, kPageSize, bits));
  }
  if (Bit(pin, kPinVirtualNmi) && !Bit(pin, kPinNmiExiting)) {
    return Bad("pin_based_vm_exec_control", pin, "virtual NMIs without NMI exiting");
  }
  if (Bit(primary, kPrimaryNmiWindow) && !Bit(pin, kPinVirtualNmi)) {
    return Bad("cpu_based_vm_exec_control", primary, "NMI-window exiting without virtual NMIs");
  }
  if (Bit(primary, kPrimaryTprShadow)) {
    RETURN_IF_ERROR(CheckAddress("virtual_apic_page_addr", vmcs12.virtual_apic_page_addr, kPageSize, bits));
  } else if (Secondary(vmcs12, kSecondaryX2Apic) || Secondary(vmcs12, kSecondaryApicRegisters) ||
             Secondary(vmcs12, kSecondaryVirtualInterrupts)) {
    return Bad("secondary_vm_exec_control", vmcs12.secondary_vm_exec_control, "virtual APIC without TPR shadow");
  }
  if (Bit(pin, kPinPostedInterrupts)) {
    if (!Secondary(vmcs12, kSecondaryVirtualInterrupts) || !Bit(vmcs12.vm_exit_controls, kExitAckInterrupt)) {
      return Bad("pin_based_vm_exec_control", pin, "posted interrupts without what they need");
    }
    if (vmcs12.posted_intr_nv > 0xff) return Bad("posted_intr_nv", vmcs12.posted_intr_nv, "not a vector");
    RETURN_IF_ERROR(CheckAddress("posted_intr_desc_addr", vmcs12.posted_intr_desc_addr, 64, bits));
  }
  return absl::OkStatus();
}

absl::Status CheckSecondaryControls(const Vmcs12& vmcs12, int bits) {
  if (Secondary(vmcs12, kSecondaryApicAccess)) {
    RETURN_IF_ERROR(CheckAddress("apic_access_addr", vmcs12.apic_access_addr, kPageSize, bits));
  }
  if (Secondary(vmcs12, kSecondaryVpid) && vmcs12.virtual_processor_id == 0) {
    return Bad("virtual_processor_id", 0, "a VPID is not 0");
  }
  if (Vmcs12HasEpt(vmcs12)) {
    RETURN_IF_ERROR(CheckEptPointer(vmcs12, bits));
  } else if (Secondary(vmcs12, kSecondaryUnrestricted) || Secondary(vmcs12, kSecondaryPml)) {
    return Bad("secondary_vm_exec_control", vmcs12.secondary_vm_exec_control, "what needs EPT, without EPT");
  }
  if (Secondary(vmcs12, kSecondaryPml)) {
    RETURN_IF_ERROR(CheckAddress("pml_address", vmcs12.pml_address, kPageSize, bits));
  }
  if (Vmcs12HasShadowVmcs(vmcs12)) {
    RETURN_IF_ERROR(CheckAddress("vmread_bitmap", vmcs12.vmread_bitmap, kPageSize, bits));
    RETURN_IF_ERROR(CheckAddress("vmwrite_bitmap", vmcs12.vmwrite_bitmap, kPageSize, bits));
  }
  return absl::OkStatus();
}

absl::Status CheckControlRegisters(const Vmcs12& vmcs12, bool guest) {
  const uint64_t cr0 = guest ? vmcs12.guest_cr0 : vmcs12.host_cr0;
  const uint64_t cr4 = guest ? vmcs12.guest_cr4 : vmcs12.host_cr4;
  const std::string_view cr0_name = guest ? "guest_cr0" : "host_cr0";
  uint64_t must = kCr0Pe | kCr0Ne | kCr0Pg;
  if (guest && Secondary(vmcs12, kSecondaryUnrestricted)) must = kCr0Ne;
  if ((cr0 & must) != must) return Bad(cr0_name, cr0, "PE, NE and PG must be set in VMX operation");
  if (cr0 >> 32 != 0) return Bad(cr0_name, cr0, "upper half must be zero");
  if ((cr0 & (kCr0Pg | kCr0Pe)) == kCr0Pg) return Bad(cr0_name, cr0, "PG without PE");
  if ((cr4 & kCr4Vmxe) == 0) return Bad(guest ? "guest_cr4" : "host_cr4", cr4, "VMXE must be set in VMX operation");
  return absl::OkStatus();
}

absl::Status CheckCanonical(std::string_view field, uint64_t address, const Vmcs12& vmcs12) {
  return Canonical(address, vmcs12) ? absl::OkStatus() : Bad(field, address, "not canonical");
}

absl::Status CheckHostSegments(const Vmcs12& vmcs12, bool host64) {
  const struct {
    std::string_view name;
    uint16_t selector;
    bool may_be_null;
  } kSelectors[] = {
      {"host_es_selector", vmcs12.host_es_selector, true},   {"host_cs_selector", vmcs12.host_cs_selector, false},
      {"host_ss_selector", vmcs12.host_ss_selector, host64}, {"host_ds_selector", vmcs12.host_ds_selector, true},
      {"host_fs_selector", vmcs12.host_fs_selector, true},   {"host_gs_selector", vmcs12.host_gs_selector, true},
      {"host_tr_selector", vmcs12.host_tr_selector, false},
  };
  for (const auto& [name, selector, may_be_null] : kSelectors) {
    if ((selector & 7) != 0) return Bad(name, selector, "RPL and TI must be zero");
    if (selector == 0 && !may_be_null) return Bad(name, selector, "must not be null");
  }
  RETURN_IF_ERROR(CheckCanonical("host_fs_base", vmcs12.host_fs_base, vmcs12));
  RETURN_IF_ERROR(CheckCanonical("host_gs_base", vmcs12.host_gs_base, vmcs12));
  RETURN_IF_ERROR(CheckCanonical("host_gdtr_base", vmcs12.host_gdtr_base, vmcs12));
  RETURN_IF_ERROR(CheckCanonical("host_idtr_base", vmcs12.host_idtr_base, vmcs12));
  return CheckCanonical("host_tr_base", vmcs12.host_tr_base, vmcs12);
}

absl::Status CheckLinkPointer(const Vmcs12& vmcs12, int bits, const PhysicalMemory* memory) {
  const uint64_t pointer = vmcs12.vmcs_link_pointer;
  if (pointer == ~uint64_t{0}) return absl::OkStatus();
  RETURN_IF_ERROR(CheckAddress("vmcs_link_pointer", pointer, kPageSize, bits));
  if (memory == nullptr) return absl::OkStatus();
  const auto hdr = memory->ReadObject<uint32_t>(GuestAddr{pointer});
  if (!hdr.ok() || (*hdr & ~kVmcsShadowBit) != kVmcs12Revision) {
    return Bad("vmcs_link_pointer", pointer, "no VMCS region of KVM's revision lies there");
  }
  if (((*hdr & kVmcsShadowBit) != 0) != Vmcs12HasShadowVmcs(vmcs12)) {
    return Bad("vmcs_link_pointer", pointer, "the region's shadow bit is not what the controls say");
  }
  return absl::OkStatus();
}

}  // namespace

bool Vmcs12HasEpt(const Vmcs12& vmcs12) { return Secondary(vmcs12, kSecondaryEpt); }
bool Vmcs12HasShadowVmcs(const Vmcs12& vmcs12) { return Secondary(vmcs12, kSecondaryShadowVmcs); }

absl::Status CheckVmcs12Controls(const Vmcs12& vmcs12, int bits) {
  RETURN_IF_ERROR(CheckExecutionControls(vmcs12, bits));
  RETURN_IF_ERROR(CheckSecondaryControls(vmcs12, bits));

  const uint32_t exit = vmcs12.vm_exit_controls;
  if ((exit & kExitDefault1) != kExitDefault1) return Bad("vm_exit_controls", exit, "0x36dfb must be one");
  RETURN_IF_ERROR(
      CheckMsrArea("vm_exit_msr_store_addr", vmcs12.vm_exit_msr_store_addr, vmcs12.vm_exit_msr_store_count, bits));
  RETURN_IF_ERROR(
      CheckMsrArea("vm_exit_msr_load_addr", vmcs12.vm_exit_msr_load_addr, vmcs12.vm_exit_msr_load_count, bits));

  const uint32_t entry = vmcs12.vm_entry_controls;
  if ((entry & kEntryDefault1) != kEntryDefault1) return Bad("vm_entry_controls", entry, "0x11fb must be one");
  RETURN_IF_ERROR(
      CheckMsrArea("vm_entry_msr_load_addr", vmcs12.vm_entry_msr_load_addr, vmcs12.vm_entry_msr_load_count, bits));
  return CheckEventInjection(vmcs12);
}

absl::Status CheckVmcs12HostState(const Vmcs12& vmcs12, int bits) {
  RETURN_IF_ERROR(CheckControlRegisters(vmcs12, false));
  if (vmcs12.host_cr3 >> bits != 0) return Bad("host_cr3", vmcs12.host_cr3, "beyond the physical address space");
  RETURN_IF_ERROR(CheckCanonical("host_ia32_sysenter_esp", vmcs12.host_ia32_sysenter_esp, vmcs12));
  RETURN_IF_ERROR(CheckCanonical("host_ia32_sysenter_eip", vmcs12.host_ia32_sysenter_eip, vmcs12));
  if (Bit(vmcs12.vm_exit_controls, kExitLoadPat) && !PatValid(vmcs12.host_ia32_pat)) {
    return Bad("host_ia32_pat", vmcs12.host_ia32_pat, "unknown memory type");
  }
  const bool host64 = Bit(vmcs12.vm_exit_controls, kExitHost64);
  if (host64) {
    if ((vmcs12.host_cr4 & kCr4Pae) == 0) return Bad("host_cr4", vmcs12.host_cr4, "a 64-bit host has PAE");
    RETURN_IF_ERROR(CheckCanonical("host_rip", vmcs12.host_rip, vmcs12));
  } else {
    if (Bit(vmcs12.vm_entry_controls, kEntryIa32e)) {
      return Bad("vm_entry_controls", vmcs12.vm_entry_controls, "a 64-bit guest of a 32-bit host");
    }
    if ((vmcs12.host_cr4 & kCr4Pcide) != 0) return Bad("host_cr4", vmcs12.host_cr4, "PCIDE in a 32-bit host");
    if (vmcs12.host_rip >> 32 != 0) return Bad("host_rip", vmcs12.host_rip, "beyond a 32-bit host's reach");
  }
  RETURN_IF_ERROR(CheckHostSegments(vmcs12, host64));
  if (Bit(vmcs12.vm_exit_controls, kExitLoadEfer)) {
    const uint64_t efer = vmcs12.host_ia32_efer;
    const uint64_t expected = host64 ? kEferLme | kEferLma : 0;
    if ((efer & kEferReserved) != 0 || (efer & (kEferLme | kEferLma)) != expected) {
      return Bad("host_ia32_efer", efer, "LME and LMA are not what the controls say, or reserved bits set");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckVmcs12GuestState(const Vmcs12& vmcs12, int bits, const PhysicalMemory* memory) {
  RETURN_IF_ERROR(CheckControlRegisters(vmcs12, true));
  const uint32_t entry = vmcs12.vm_entry_controls;
  if (Bit(entry, kEntryLoadDebug) && vmcs12.guest_dr7 >> 32 != 0) {
    return Bad("guest_dr7", vmcs12.guest_dr7, "upper half must be zero");
  }
  if (Bit(entry, kEntryLoadPat) && !PatValid(vmcs12.guest_ia32_pat)) {
    return Bad("guest_ia32_pat", vmcs12.guest_ia32_pat, "unknown memory type");
  }
  RETURN_IF_ERROR(CheckLinkPointer(vmcs12, bits, memory));
  if (Bit(entry, kEntryLoadEfer)) {
    const uint64_t efer = vmcs12.guest_ia32_efer;
    const bool lma = (efer & kEferLma) != 0;
    const bool paging = (vmcs12.guest_cr0 & kCr0Pg) != 0;
    if ((efer & kEferReserved) != 0 || lma != Bit(entry, kEntryIa32e) || (paging && lma != ((efer & kEferLme) != 0))) {
      return Bad("guest_ia32_efer", efer, "LME and LMA are not what the controls say, or reserved bits set");
    }
  }
  if (Bit(entry, kEntryLoadBndcfgs) &&
      (!Canonical(vmcs12.guest_bndcfgs, vmcs12) || (vmcs12.guest_bndcfgs & 0xffc) != 0)) {
    return Bad("guest_bndcfgs", vmcs12.guest_bndcfgs, "not canonical, or reserved bits set");
  }
  const uint32_t activity = vmcs12.guest_activity_state;
  if (activity != 0 && activity != 1 && activity != 3) {
    return Bad("guest_activity_state", activity, "neither active, nor HLT, nor wait-for-SIPI");
  }
  return absl::OkStatus();
}

}  // namespace vmm
