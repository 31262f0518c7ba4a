// struct vmcs12: the VMCS that KVM keeps for a guest that is itself a hypervisor (Linux arch/x86/kvm/vmx/vmcs12.h).
// Hardware keeps its VMCS in a form of its own. KVM has fixed this one, because it appears in guests' memory, in
// migration streams and in KVM_GET_NESTED_STATE.
//
// Little endian, no hidden padding. A field of natural width has 64 bits even under a 32-bit hypervisor. The offsets
// have been frozen since Linux 4.18. Linux 6.18 put the CET fields into former padding. docs/abi/vmcs12.md says what
// may still change. dump/nested/vmx/vmcs12_fields.h has the encodings of the fields.
#ifndef DUMP_NESTED_ABI_VMCS12_H_
#define DUMP_NESTED_ABI_VMCS12_H_

#include <cstddef>
#include <cstdint>

namespace vmm {

// VMCS12_REVISION, bits 30:0 of IA32_VMX_BASIC. It never changed, though the layout did before 4.18. So it only tells
// KVM's VMCS from others'.
inline constexpr uint32_t kVmcs12Revision = 0x11e57ed0;

// Bit 31 of the first word: a shadow VMCS (SDM vol. 3, section 25.10).
inline constexpr uint32_t kVmcsShadowBit = 1u << 31;

// KVM_STATE_NESTED_VMX_VMCS_SIZE: the struct and the rest of its page.
inline constexpr size_t kVmcs12PageSize = 4096;

struct Vmcs12 {
  uint32_t hdr;    // bits 30:0 revision_id, bit 31 shadow_vmcs
  uint32_t abort;  // VMX-abort indicator, SDM vol. 3, section 28.7
  uint32_t launch_state;
  uint32_t padding[7];  // room for the header to grow

  // 64-bit fields
  uint64_t io_bitmap_a;
  uint64_t io_bitmap_b;
  uint64_t msr_bitmap;
  uint64_t vm_exit_msr_store_addr;
  uint64_t vm_exit_msr_load_addr;
  uint64_t vm_entry_msr_load_addr;
  uint64_t tsc_offset;
  uint64_t virtual_apic_page_addr;
  uint64_t apic_access_addr;
  uint64_t posted_intr_desc_addr;
  uint64_t ept_pointer;
  uint64_t eoi_exit_bitmap0;
  uint64_t eoi_exit_bitmap1;
  uint64_t eoi_exit_bitmap2;
  uint64_t eoi_exit_bitmap3;
  uint64_t xss_exit_bitmap;
  uint64_t guest_physical_address;
  uint64_t vmcs_link_pointer;
  uint64_t guest_ia32_debugctl;
  uint64_t guest_ia32_pat;
  uint64_t guest_ia32_efer;
  uint64_t guest_ia32_perf_global_ctrl;
  uint64_t guest_pdptr0;
  uint64_t guest_pdptr1;
  uint64_t guest_pdptr2;
  uint64_t guest_pdptr3;
  uint64_t guest_bndcfgs;
  uint64_t host_ia32_pat;
  uint64_t host_ia32_efer;
  uint64_t host_ia32_perf_global_ctrl;
  uint64_t vmread_bitmap;
  uint64_t vmwrite_bitmap;
  uint64_t vm_function_control;
  uint64_t eptp_list_address;
  uint64_t pml_address;
  uint64_t encls_exiting_bitmap;
  uint64_t tsc_multiplier;
  uint64_t padding64;

  // natural-width fields
  uint64_t cr0_guest_host_mask;
  uint64_t cr4_guest_host_mask;
  uint64_t cr0_read_shadow;
  uint64_t cr4_read_shadow;
  uint64_t dead_space[4];  // CR3-target values, until 5.8
  uint64_t exit_qualification;
  uint64_t guest_linear_address;
  uint64_t guest_cr0;
  uint64_t guest_cr3;
  uint64_t guest_cr4;
  uint64_t guest_es_base;
  uint64_t guest_cs_base;
  uint64_t guest_ss_base;
  uint64_t guest_ds_base;
  uint64_t guest_fs_base;
  uint64_t guest_gs_base;
  uint64_t guest_ldtr_base;
  uint64_t guest_tr_base;
  uint64_t guest_gdtr_base;
  uint64_t guest_idtr_base;
  uint64_t guest_dr7;
  uint64_t guest_rsp;
  uint64_t guest_rip;
  uint64_t guest_rflags;
  uint64_t guest_pending_dbg_exceptions;
  uint64_t guest_sysenter_esp;
  uint64_t guest_sysenter_eip;
  uint64_t host_cr0;
  uint64_t host_cr3;
  uint64_t host_cr4;
  uint64_t host_fs_base;
  uint64_t host_gs_base;
  uint64_t host_tr_base;
  uint64_t host_gdtr_base;
  uint64_t host_idtr_base;
  uint64_t host_ia32_sysenter_esp;
  uint64_t host_ia32_sysenter_eip;
  uint64_t host_rsp;
  uint64_t host_rip;
  uint64_t host_s_cet;  // this one and the next five: padding before 6.18
  uint64_t host_ssp;
  uint64_t host_ssp_tbl;
  uint64_t guest_s_cet;
  uint64_t guest_ssp;
  uint64_t guest_ssp_tbl;
  uint64_t paddingl[2];

  // 32-bit fields
  uint32_t pin_based_vm_exec_control;
  uint32_t cpu_based_vm_exec_control;
  uint32_t exception_bitmap;
  uint32_t page_fault_error_code_mask;
  uint32_t page_fault_error_code_match;
  uint32_t cr3_target_count;
  uint32_t vm_exit_controls;
  uint32_t vm_exit_msr_store_count;
  uint32_t vm_exit_msr_load_count;
  uint32_t vm_entry_controls;
  uint32_t vm_entry_msr_load_count;
  uint32_t vm_entry_intr_info_field;
  uint32_t vm_entry_exception_error_code;
  uint32_t vm_entry_instruction_len;
  uint32_t tpr_threshold;
  uint32_t secondary_vm_exec_control;
  uint32_t vm_instruction_error;
  uint32_t vm_exit_reason;
  uint32_t vm_exit_intr_info;
  uint32_t vm_exit_intr_error_code;
  uint32_t idt_vectoring_info_field;
  uint32_t idt_vectoring_error_code;
  uint32_t vm_exit_instruction_len;
  uint32_t vmx_instruction_info;
  uint32_t guest_es_limit;
  uint32_t guest_cs_limit;
  uint32_t guest_ss_limit;
  uint32_t guest_ds_limit;
  uint32_t guest_fs_limit;
  uint32_t guest_gs_limit;
  uint32_t guest_ldtr_limit;
  uint32_t guest_tr_limit;
  uint32_t guest_gdtr_limit;
  uint32_t guest_idtr_limit;
  uint32_t guest_es_ar_bytes;
  uint32_t guest_cs_ar_bytes;
  uint32_t guest_ss_ar_bytes;
  uint32_t guest_ds_ar_bytes;
  uint32_t guest_fs_ar_bytes;
  uint32_t guest_gs_ar_bytes;
  uint32_t guest_ldtr_ar_bytes;
  uint32_t guest_tr_ar_bytes;
  uint32_t guest_interruptibility_info;
  uint32_t guest_activity_state;
  uint32_t guest_sysenter_cs;
  uint32_t host_ia32_sysenter_cs;
  uint32_t vmx_preemption_timer_value;
  uint32_t padding32[7];

  // 16-bit fields
  uint16_t virtual_processor_id;
  uint16_t posted_intr_nv;
  uint16_t guest_es_selector;
  uint16_t guest_cs_selector;
  uint16_t guest_ss_selector;
  uint16_t guest_ds_selector;
  uint16_t guest_fs_selector;
  uint16_t guest_gs_selector;
  uint16_t guest_ldtr_selector;
  uint16_t guest_tr_selector;
  uint16_t guest_intr_status;
  uint16_t host_es_selector;
  uint16_t host_cs_selector;
  uint16_t host_ss_selector;
  uint16_t host_ds_selector;
  uint16_t host_fs_selector;
  uint16_t host_gs_selector;
  uint16_t host_tr_selector;
  uint16_t guest_pml_index;
};
static_assert(offsetof(Vmcs12, hdr) == 0);
static_assert(offsetof(Vmcs12, abort) == 4);
static_assert(offsetof(Vmcs12, launch_state) == 8);
static_assert(offsetof(Vmcs12, padding) == 12);
static_assert(offsetof(Vmcs12, io_bitmap_a) == 40);
static_assert(offsetof(Vmcs12, io_bitmap_b) == 48);
static_assert(offsetof(Vmcs12, msr_bitmap) == 56);
static_assert(offsetof(Vmcs12, vm_exit_msr_store_addr) == 64);
static_assert(offsetof(Vmcs12, vm_exit_msr_load_addr) == 72);
static_assert(offsetof(Vmcs12, vm_entry_msr_load_addr) == 80);
static_assert(offsetof(Vmcs12, tsc_offset) == 88);
static_assert(offsetof(Vmcs12, virtual_apic_page_addr) == 96);
static_assert(offsetof(Vmcs12, apic_access_addr) == 104);
static_assert(offsetof(Vmcs12, posted_intr_desc_addr) == 112);
static_assert(offsetof(Vmcs12, ept_pointer) == 120);
static_assert(offsetof(Vmcs12, eoi_exit_bitmap0) == 128);
static_assert(offsetof(Vmcs12, eoi_exit_bitmap1) == 136);
static_assert(offsetof(Vmcs12, eoi_exit_bitmap2) == 144);
static_assert(offsetof(Vmcs12, eoi_exit_bitmap3) == 152);
static_assert(offsetof(Vmcs12, xss_exit_bitmap) == 160);
static_assert(offsetof(Vmcs12, guest_physical_address) == 168);
static_assert(offsetof(Vmcs12, vmcs_link_pointer) == 176);
static_assert(offsetof(Vmcs12, guest_ia32_debugctl) == 184);
static_assert(offsetof(Vmcs12, guest_ia32_pat) == 192);
static_assert(offsetof(Vmcs12, guest_ia32_efer) == 200);
static_assert(offsetof(Vmcs12, guest_ia32_perf_global_ctrl) == 208);
static_assert(offsetof(Vmcs12, guest_pdptr0) == 216);
static_assert(offsetof(Vmcs12, guest_pdptr1) == 224);
static_assert(offsetof(Vmcs12, guest_pdptr2) == 232);
static_assert(offsetof(Vmcs12, guest_pdptr3) == 240);
static_assert(offsetof(Vmcs12, guest_bndcfgs) == 248);
static_assert(offsetof(Vmcs12, host_ia32_pat) == 256);
static_assert(offsetof(Vmcs12, host_ia32_efer) == 264);
static_assert(offsetof(Vmcs12, host_ia32_perf_global_ctrl) == 272);
static_assert(offsetof(Vmcs12, vmread_bitmap) == 280);
static_assert(offsetof(Vmcs12, vmwrite_bitmap) == 288);
static_assert(offsetof(Vmcs12, vm_function_control) == 296);
static_assert(offsetof(Vmcs12, eptp_list_address) == 304);
static_assert(offsetof(Vmcs12, pml_address) == 312);
static_assert(offsetof(Vmcs12, encls_exiting_bitmap) == 320);
static_assert(offsetof(Vmcs12, tsc_multiplier) == 328);
static_assert(offsetof(Vmcs12, padding64) == 336);
static_assert(offsetof(Vmcs12, cr0_guest_host_mask) == 344);
static_assert(offsetof(Vmcs12, cr4_guest_host_mask) == 352);
static_assert(offsetof(Vmcs12, cr0_read_shadow) == 360);
static_assert(offsetof(Vmcs12, cr4_read_shadow) == 368);
static_assert(offsetof(Vmcs12, dead_space) == 376);
static_assert(offsetof(Vmcs12, exit_qualification) == 408);
static_assert(offsetof(Vmcs12, guest_linear_address) == 416);
static_assert(offsetof(Vmcs12, guest_cr0) == 424);
static_assert(offsetof(Vmcs12, guest_cr3) == 432);
static_assert(offsetof(Vmcs12, guest_cr4) == 440);
static_assert(offsetof(Vmcs12, guest_es_base) == 448);
static_assert(offsetof(Vmcs12, guest_cs_base) == 456);
static_assert(offsetof(Vmcs12, guest_ss_base) == 464);
static_assert(offsetof(Vmcs12, guest_ds_base) == 472);
static_assert(offsetof(Vmcs12, guest_fs_base) == 480);
static_assert(offsetof(Vmcs12, guest_gs_base) == 488);
static_assert(offsetof(Vmcs12, guest_ldtr_base) == 496);
static_assert(offsetof(Vmcs12, guest_tr_base) == 504);
static_assert(offsetof(Vmcs12, guest_gdtr_base) == 512);
static_assert(offsetof(Vmcs12, guest_idtr_base) == 520);
static_assert(offsetof(Vmcs12, guest_dr7) == 528);
static_assert(offsetof(Vmcs12, guest_rsp) == 536);
static_assert(offsetof(Vmcs12, guest_rip) == 544);
static_assert(offsetof(Vmcs12, guest_rflags) == 552);
static_assert(offsetof(Vmcs12, guest_pending_dbg_exceptions) == 560);
static_assert(offsetof(Vmcs12, guest_sysenter_esp) == 568);
static_assert(offsetof(Vmcs12, guest_sysenter_eip) == 576);
static_assert(offsetof(Vmcs12, host_cr0) == 584);
static_assert(offsetof(Vmcs12, host_cr3) == 592);
static_assert(offsetof(Vmcs12, host_cr4) == 600);
static_assert(offsetof(Vmcs12, host_fs_base) == 608);
static_assert(offsetof(Vmcs12, host_gs_base) == 616);
static_assert(offsetof(Vmcs12, host_tr_base) == 624);
static_assert(offsetof(Vmcs12, host_gdtr_base) == 632);
static_assert(offsetof(Vmcs12, host_idtr_base) == 640);
static_assert(offsetof(Vmcs12, host_ia32_sysenter_esp) == 648);
static_assert(offsetof(Vmcs12, host_ia32_sysenter_eip) == 656);
static_assert(offsetof(Vmcs12, host_rsp) == 664);
static_assert(offsetof(Vmcs12, host_rip) == 672);
static_assert(offsetof(Vmcs12, host_s_cet) == 680);
static_assert(offsetof(Vmcs12, host_ssp) == 688);
static_assert(offsetof(Vmcs12, host_ssp_tbl) == 696);
static_assert(offsetof(Vmcs12, guest_s_cet) == 704);
static_assert(offsetof(Vmcs12, guest_ssp) == 712);
static_assert(offsetof(Vmcs12, guest_ssp_tbl) == 720);
static_assert(offsetof(Vmcs12, paddingl) == 728);
static_assert(offsetof(Vmcs12, pin_based_vm_exec_control) == 744);
static_assert(offsetof(Vmcs12, cpu_based_vm_exec_control) == 748);
static_assert(offsetof(Vmcs12, exception_bitmap) == 752);
static_assert(offsetof(Vmcs12, page_fault_error_code_mask) == 756);
static_assert(offsetof(Vmcs12, page_fault_error_code_match) == 760);
static_assert(offsetof(Vmcs12, cr3_target_count) == 764);
static_assert(offsetof(Vmcs12, vm_exit_controls) == 768);
static_assert(offsetof(Vmcs12, vm_exit_msr_store_count) == 772);
static_assert(offsetof(Vmcs12, vm_exit_msr_load_count) == 776);
static_assert(offsetof(Vmcs12, vm_entry_controls) == 780);
static_assert(offsetof(Vmcs12, vm_entry_msr_load_count) == 784);
static_assert(offsetof(Vmcs12, vm_entry_intr_info_field) == 788);
static_assert(offsetof(Vmcs12, vm_entry_exception_error_code) == 792);
static_assert(offsetof(Vmcs12, vm_entry_instruction_len) == 796);
static_assert(offsetof(Vmcs12, tpr_threshold) == 800);
static_assert(offsetof(Vmcs12, secondary_vm_exec_control) == 804);
static_assert(offsetof(Vmcs12, vm_instruction_error) == 808);
static_assert(offsetof(Vmcs12, vm_exit_reason) == 812);
static_assert(offsetof(Vmcs12, vm_exit_intr_info) == 816);
static_assert(offsetof(Vmcs12, vm_exit_intr_error_code) == 820);
static_assert(offsetof(Vmcs12, idt_vectoring_info_field) == 824);
static_assert(offsetof(Vmcs12, idt_vectoring_error_code) == 828);
static_assert(offsetof(Vmcs12, vm_exit_instruction_len) == 832);
static_assert(offsetof(Vmcs12, vmx_instruction_info) == 836);
static_assert(offsetof(Vmcs12, guest_es_limit) == 840);
static_assert(offsetof(Vmcs12, guest_cs_limit) == 844);
static_assert(offsetof(Vmcs12, guest_ss_limit) == 848);
static_assert(offsetof(Vmcs12, guest_ds_limit) == 852);
static_assert(offsetof(Vmcs12, guest_fs_limit) == 856);
static_assert(offsetof(Vmcs12, guest_gs_limit) == 860);
static_assert(offsetof(Vmcs12, guest_ldtr_limit) == 864);
static_assert(offsetof(Vmcs12, guest_tr_limit) == 868);
static_assert(offsetof(Vmcs12, guest_gdtr_limit) == 872);
static_assert(offsetof(Vmcs12, guest_idtr_limit) == 876);
static_assert(offsetof(Vmcs12, guest_es_ar_bytes) == 880);
static_assert(offsetof(Vmcs12, guest_cs_ar_bytes) == 884);
static_assert(offsetof(Vmcs12, guest_ss_ar_bytes) == 888);
static_assert(offsetof(Vmcs12, guest_ds_ar_bytes) == 892);
static_assert(offsetof(Vmcs12, guest_fs_ar_bytes) == 896);
static_assert(offsetof(Vmcs12, guest_gs_ar_bytes) == 900);
static_assert(offsetof(Vmcs12, guest_ldtr_ar_bytes) == 904);
static_assert(offsetof(Vmcs12, guest_tr_ar_bytes) == 908);
static_assert(offsetof(Vmcs12, guest_interruptibility_info) == 912);
static_assert(offsetof(Vmcs12, guest_activity_state) == 916);
static_assert(offsetof(Vmcs12, guest_sysenter_cs) == 920);
static_assert(offsetof(Vmcs12, host_ia32_sysenter_cs) == 924);
static_assert(offsetof(Vmcs12, vmx_preemption_timer_value) == 928);
static_assert(offsetof(Vmcs12, padding32) == 932);
static_assert(offsetof(Vmcs12, virtual_processor_id) == 960);
static_assert(offsetof(Vmcs12, posted_intr_nv) == 962);
static_assert(offsetof(Vmcs12, guest_es_selector) == 964);
static_assert(offsetof(Vmcs12, guest_cs_selector) == 966);
static_assert(offsetof(Vmcs12, guest_ss_selector) == 968);
static_assert(offsetof(Vmcs12, guest_ds_selector) == 970);
static_assert(offsetof(Vmcs12, guest_fs_selector) == 972);
static_assert(offsetof(Vmcs12, guest_gs_selector) == 974);
static_assert(offsetof(Vmcs12, guest_ldtr_selector) == 976);
static_assert(offsetof(Vmcs12, guest_tr_selector) == 978);
static_assert(offsetof(Vmcs12, guest_intr_status) == 980);
static_assert(offsetof(Vmcs12, host_es_selector) == 982);
static_assert(offsetof(Vmcs12, host_cs_selector) == 984);
static_assert(offsetof(Vmcs12, host_ss_selector) == 986);
static_assert(offsetof(Vmcs12, host_ds_selector) == 988);
static_assert(offsetof(Vmcs12, host_fs_selector) == 990);
static_assert(offsetof(Vmcs12, host_gs_selector) == 992);
static_assert(offsetof(Vmcs12, host_tr_selector) == 994);
static_assert(offsetof(Vmcs12, guest_pml_index) == 996);
static_assert(sizeof(Vmcs12) == 1000);  // 998, rounded up to the alignment
static_assert(offsetof(Vmcs12, guest_pml_index) + sizeof(Vmcs12::guest_pml_index) == 998);

// sizeof(struct vmcs12): KVM's own is packed.
inline constexpr size_t kVmcs12Size = 998;

}  // namespace vmm

#endif  // DUMP_NESTED_ABI_VMCS12_H_
