#include "dump/nested/vmx/vmcs12_fields.h"

#include <algorithm>
#include <cstring>

namespace vmm {
namespace {

#define FIELD_SINCE(layout, encoding, name) \
  VmcsField { encoding, offsetof(Vmcs12, name), sizeof(Vmcs12::name), layout, #name }
#define FIELD(encoding, name) FIELD_SINCE(Vmcs12Layout::kFrozen, encoding, name)
#define CET(encoding, name) FIELD_SINCE(Vmcs12Layout::kCet, encoding, name)

// clang-format off
constexpr VmcsField kFields[] = {
    FIELD(0x2000, io_bitmap_a),
    FIELD(0x2002, io_bitmap_b),
    FIELD(0x2004, msr_bitmap),
    FIELD(0x2006, vm_exit_msr_store_addr),
    FIELD(0x2008, vm_exit_msr_load_addr),
    FIELD(0x200a, vm_entry_msr_load_addr),
    FIELD(0x2010, tsc_offset),
    FIELD(0x2012, virtual_apic_page_addr),
    FIELD(0x2014, apic_access_addr),
    FIELD(0x2016, posted_intr_desc_addr),
    FIELD(0x201a, ept_pointer),
    FIELD(0x201c, eoi_exit_bitmap0),
    FIELD(0x201e, eoi_exit_bitmap1),
    FIELD(0x2020, eoi_exit_bitmap2),
    FIELD(0x2022, eoi_exit_bitmap3),
    FIELD(0x202c, xss_exit_bitmap),
    FIELD(0x2400, guest_physical_address),
    FIELD(0x2800, vmcs_link_pointer),
    FIELD(0x2802, guest_ia32_debugctl),
    FIELD(0x2804, guest_ia32_pat),
    FIELD(0x2806, guest_ia32_efer),
    FIELD(0x2808, guest_ia32_perf_global_ctrl),
    FIELD(0x280a, guest_pdptr0),
    FIELD(0x280c, guest_pdptr1),
    FIELD(0x280e, guest_pdptr2),
    FIELD(0x2810, guest_pdptr3),
    FIELD(0x2812, guest_bndcfgs),
    FIELD(0x2c00, host_ia32_pat),
    FIELD(0x2c02, host_ia32_efer),
    FIELD(0x2c04, host_ia32_perf_global_ctrl),
    FIELD(0x2026, vmread_bitmap),
    FIELD(0x2028, vmwrite_bitmap),
    FIELD(0x2018, vm_function_control),
    FIELD(0x2024, eptp_list_address),
    FIELD(0x200e, pml_address),
    FIELD(0x202e, encls_exiting_bitmap),
    FIELD(0x2032, tsc_multiplier),
    FIELD(0x6000, cr0_guest_host_mask),
    FIELD(0x6002, cr4_guest_host_mask),
    FIELD(0x6004, cr0_read_shadow),
    FIELD(0x6006, cr4_read_shadow),
    FIELD(0x6400, exit_qualification),
    FIELD(0x640a, guest_linear_address),
    FIELD(0x6800, guest_cr0),
    FIELD(0x6802, guest_cr3),
    FIELD(0x6804, guest_cr4),
    FIELD(0x6806, guest_es_base),
    FIELD(0x6808, guest_cs_base),
    FIELD(0x680a, guest_ss_base),
    FIELD(0x680c, guest_ds_base),
    FIELD(0x680e, guest_fs_base),
    FIELD(0x6810, guest_gs_base),
    FIELD(0x6812, guest_ldtr_base),
    FIELD(0x6814, guest_tr_base),
    FIELD(0x6816, guest_gdtr_base),
    FIELD(0x6818, guest_idtr_base),
    FIELD(0x681a, guest_dr7),
    FIELD(0x681c, guest_rsp),
    FIELD(0x681e, guest_rip),
    FIELD(0x6820, guest_rflags),
    FIELD(0x6822, guest_pending_dbg_exceptions),
    FIELD(0x6824, guest_sysenter_esp),
    FIELD(0x6826, guest_sysenter_eip),
    FIELD(0x6c00, host_cr0),
    FIELD(0x6c02, host_cr3),
    FIELD(0x6c04, host_cr4),
    FIELD(0x6c06, host_fs_base),
    FIELD(0x6c08, host_gs_base),
    FIELD(0x6c0a, host_tr_base),
    FIELD(0x6c0c, host_gdtr_base),
    FIELD(0x6c0e, host_idtr_base),
    FIELD(0x6c10, host_ia32_sysenter_esp),
    FIELD(0x6c12, host_ia32_sysenter_eip),
    FIELD(0x6c14, host_rsp),
    FIELD(0x6c16, host_rip),
    CET(0x6c18, host_s_cet),
    CET(0x6c1a, host_ssp),
    CET(0x6c1c, host_ssp_tbl),
    CET(0x6828, guest_s_cet),
    CET(0x682a, guest_ssp),
    CET(0x682c, guest_ssp_tbl),
    FIELD(0x4000, pin_based_vm_exec_control),
    FIELD(0x4002, cpu_based_vm_exec_control),
    FIELD(0x4004, exception_bitmap),
    FIELD(0x4006, page_fault_error_code_mask),
    FIELD(0x4008, page_fault_error_code_match),
    FIELD(0x400a, cr3_target_count),
    FIELD(0x400c, vm_exit_controls),
    FIELD(0x400e, vm_exit_msr_store_count),
    FIELD(0x4010, vm_exit_msr_load_count),
    FIELD(0x4012, vm_entry_controls),
    FIELD(0x4014, vm_entry_msr_load_count),
    FIELD(0x4016, vm_entry_intr_info_field),
    FIELD(0x4018, vm_entry_exception_error_code),
    FIELD(0x401a, vm_entry_instruction_len),
    FIELD(0x401c, tpr_threshold),
    FIELD(0x401e, secondary_vm_exec_control),
    FIELD(0x4400, vm_instruction_error),
    FIELD(0x4402, vm_exit_reason),
    FIELD(0x4404, vm_exit_intr_info),
    FIELD(0x4406, vm_exit_intr_error_code),
    FIELD(0x4408, idt_vectoring_info_field),
    FIELD(0x440a, idt_vectoring_error_code),
    FIELD(0x440c, vm_exit_instruction_len),
    FIELD(0x440e, vmx_instruction_info),
    FIELD(0x4800, guest_es_limit),
    FIELD(0x4802, guest_cs_limit),
    FIELD(0x4804, guest_ss_limit),
    FIELD(0x4806, guest_ds_limit),
    FIELD(0x4808, guest_fs_limit),
    FIELD(0x480a, guest_gs_limit),
    FIELD(0x480c, guest_ldtr_limit),
    FIELD(0x480e, guest_tr_limit),
    FIELD(0x4810, guest_gdtr_limit),
    FIELD(0x4812, guest_idtr_limit),
    FIELD(0x4814, guest_es_ar_bytes),
    FIELD(0x4816, guest_cs_ar_bytes),
    FIELD(0x4818, guest_ss_ar_bytes),
    FIELD(0x481a, guest_ds_ar_bytes),
    FIELD(0x481c, guest_fs_ar_bytes),
    FIELD(0x481e, guest_gs_ar_bytes),
    FIELD(0x4820, guest_ldtr_ar_bytes),
    FIELD(0x4822, guest_tr_ar_bytes),
    FIELD(0x4824, guest_interruptibility_info),
    FIELD(0x4826, guest_activity_state),
    FIELD(0x482a, guest_sysenter_cs),
    FIELD(0x4c00, host_ia32_sysenter_cs),
    FIELD(0x482e, vmx_preemption_timer_value),
    FIELD(0x0000, virtual_processor_id),
    FIELD(0x0002, posted_intr_nv),
    FIELD(0x0800, guest_es_selector),
    FIELD(0x0802, guest_cs_selector),
    FIELD(0x0804, guest_ss_selector),
    FIELD(0x0806, guest_ds_selector),
    FIELD(0x0808, guest_fs_selector),
    FIELD(0x080a, guest_gs_selector),
    FIELD(0x080c, guest_ldtr_selector),
    FIELD(0x080e, guest_tr_selector),
    FIELD(0x0810, guest_intr_status),
    FIELD(0x0c00, host_es_selector),
    FIELD(0x0c02, host_cs_selector),
    FIELD(0x0c04, host_ss_selector),
    FIELD(0x0c06, host_ds_selector),
    FIELD(0x0c08, host_fs_selector),
    FIELD(0x0c0a, host_gs_selector),
    FIELD(0x0c0c, host_tr_selector),
    FIELD(0x0812, guest_pml_index),
};
// clang-format on

#undef CET
#undef FIELD
#undef FIELD_SINCE

// A field's size must be the same by its encoding and in the struct.
constexpr bool SizesMatch() {
  constexpr uint8_t kSizes[] = {2, 8, 4, 8};  // by VmcsFieldWidth
  for (const VmcsField& field : kFields) {
    if (field.size != kSizes[static_cast<int>(field.width())]) return false;
  }
  return true;
}
static_assert(SizesMatch());

}  // namespace

std::span<const VmcsField> Vmcs12Fields() { return kFields; }

std::optional<VmcsComponent> FindVmcsComponent(uint64_t encoding, Vmcs12Layout layout) {
  const bool high = (encoding & 1) != 0;
  const uint64_t full = encoding - (high ? 1 : 0);
  for (const VmcsField& field : kFields) {
    if (field.encoding != full) continue;
    if (field.since > layout || (high && !field.has_high_half())) return std::nullopt;
    return VmcsComponent{&field, high};
  }
  return std::nullopt;
}

const VmcsField* FindVmcsField(std::string_view name) {
  const auto* const found =
      std::find_if(std::begin(kFields), std::end(kFields), [&](const VmcsField& field) { return field.name == name; });
  return found == std::end(kFields) ? nullptr : found;
}

uint64_t GetVmcsField(Vmcs12Page page, const VmcsField& field) {
  uint64_t value = 0;
  std::memcpy(&value, page.data() + field.offset, field.size);
  return value;
}

void SetVmcsField(std::span<uint8_t, kVmcs12PageSize> page, const VmcsField& field, uint64_t value) {
  std::memcpy(page.data() + field.offset, &value, field.size);
}

Vmcs12 Vmcs12FromPage(Vmcs12Page page) {
  Vmcs12 vmcs12 = {};
  std::memcpy(&vmcs12, page.data(), kVmcs12Size);
  return vmcs12;
}

std::string_view VmcsFieldTypeName(VmcsFieldType type) {
  switch (type) {
    case VmcsFieldType::kControl: return "control";
    case VmcsFieldType::kExitInformation: return "read-only";
    case VmcsFieldType::kGuest: return "guest";
    case VmcsFieldType::kHost: return "host";
  }
  return "";
}

std::string_view VmcsFieldWidthName(VmcsFieldWidth width) {
  switch (width) {
    case VmcsFieldWidth::k16: return "16";
    case VmcsFieldWidth::k64: return "64";
    case VmcsFieldWidth::k32: return "32";
    case VmcsFieldWidth::kNatural: return "natural";
  }
  return "";
}

}  // namespace vmm
