// The VMCB, AMD's counterpart of the VMCS (AMD APM vol. 2, appendix B; Linux asm/svm.h). Unlike the VMCS, it has an
// architectural layout, so KVM's vmcb12 is simply a VMCB.
#ifndef DUMP_NESTED_ABI_VMCB12_H_
#define DUMP_NESTED_ABI_VMCB12_H_

#include <cstddef>
#include <cstdint>

namespace vmm {

struct VmcbControl {
  uint32_t intercepts[6];  // CR, DR, exceptions, then three words; word 4 bit 0 is VMRUN
  uint8_t reserved018[0x3c - 0x18];
  uint16_t pause_filter_thresh;
  uint16_t pause_filter_count;
  uint64_t iopm_base_pa;
  uint64_t msrpm_base_pa;
  uint64_t tsc_offset;
  uint32_t asid;
  uint8_t tlb_ctl;
  uint8_t reserved05d[3];
  uint32_t int_ctl;
  uint32_t int_vector;
  uint32_t int_state;
  uint8_t reserved06c[4];
  uint64_t exit_code;
  uint64_t exit_info_1;
  uint64_t exit_info_2;
  uint32_t exit_int_info;
  uint32_t exit_int_info_err;
  uint64_t nested_ctl;  // bit 0: nested paging
  uint64_t avic_vapic_bar;
  uint64_t ghcb_gpa;
  uint32_t event_inj;
  uint32_t event_inj_err;
  uint64_t nested_cr3;
  uint64_t virt_ext;  // bit 0: LBRs, bit 1: VMLOAD and VMSAVE
  uint32_t clean;
  uint8_t reserved0c4[4];
  uint64_t next_rip;
  uint8_t insn_len;
  uint8_t insn_bytes[15];
  uint64_t avic_backing_page;
  uint8_t reserved0e8[8];
  uint64_t avic_logical_id;
  uint64_t avic_physical_id;
  uint8_t reserved100[8];
  uint64_t vmsa_pa;
  uint8_t reserved110[0x3e0 - 0x110];
  uint8_t software[32];
};
static_assert(sizeof(VmcbControl) == 0x400);
static_assert(offsetof(VmcbControl, pause_filter_thresh) == 0x3c);
static_assert(offsetof(VmcbControl, iopm_base_pa) == 0x40);
static_assert(offsetof(VmcbControl, asid) == 0x58);
static_assert(offsetof(VmcbControl, int_ctl) == 0x60);
static_assert(offsetof(VmcbControl, exit_code) == 0x70);
static_assert(offsetof(VmcbControl, exit_int_info) == 0x88);
static_assert(offsetof(VmcbControl, nested_ctl) == 0x90);
static_assert(offsetof(VmcbControl, ghcb_gpa) == 0xa0);
static_assert(offsetof(VmcbControl, event_inj) == 0xa8);
static_assert(offsetof(VmcbControl, nested_cr3) == 0xb0);
static_assert(offsetof(VmcbControl, clean) == 0xc0);
static_assert(offsetof(VmcbControl, next_rip) == 0xc8);
static_assert(offsetof(VmcbControl, avic_backing_page) == 0xe0);
static_assert(offsetof(VmcbControl, avic_logical_id) == 0xf0);
static_assert(offsetof(VmcbControl, vmsa_pa) == 0x108);
static_assert(offsetof(VmcbControl, software) == 0x3e0);

struct VmcbSegment {
  uint16_t selector;
  uint16_t attrib;  // 7:0 access byte, 11:8 AVL, L, D/B, G
  uint32_t limit;
  uint64_t base;
};
static_assert(sizeof(VmcbSegment) == 16);

struct VmcbSave {
  VmcbSegment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
  uint8_t reserved0a0[0xca - 0xa0];
  uint8_t vmpl;
  uint8_t cpl;
  uint8_t reserved0cc[4];
  uint64_t efer;
  uint8_t reserved0d8[0x148 - 0xd8];
  uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
  uint8_t reserved180[0x1d8 - 0x180];
  uint64_t rsp, s_cet, ssp, isst_addr, rax, star, lstar, cstar, sfmask, kernel_gs_base;
  uint64_t sysenter_cs, sysenter_esp, sysenter_eip, cr2;
  uint8_t reserved248[0x268 - 0x248];
  uint64_t g_pat, dbgctl, br_from, br_to, last_excp_from, last_excp_to;
  uint8_t reserved298[0x2e0 - 0x298];
  uint64_t spec_ctrl;
};
static_assert(offsetof(VmcbSave, tr) == 0x90);
static_assert(offsetof(VmcbSave, cpl) == 0xcb);
static_assert(offsetof(VmcbSave, efer) == 0xd0);
static_assert(offsetof(VmcbSave, cr4) == 0x148);
static_assert(offsetof(VmcbSave, rip) == 0x178);
static_assert(offsetof(VmcbSave, rsp) == 0x1d8);
static_assert(offsetof(VmcbSave, rax) == 0x1f8);
static_assert(offsetof(VmcbSave, kernel_gs_base) == 0x220);
static_assert(offsetof(VmcbSave, cr2) == 0x240);
static_assert(offsetof(VmcbSave, g_pat) == 0x268);
static_assert(offsetof(VmcbSave, spec_ctrl) == 0x2e0);

struct Vmcb12 {
  VmcbControl control;
  VmcbSave save;
  uint8_t reserved[0x1000 - 0x400 - sizeof(VmcbSave)];
};
static_assert(sizeof(Vmcb12) == 4096);
static_assert(offsetof(Vmcb12, save) == 0x400);

}  // namespace vmm

#endif  // DUMP_NESTED_ABI_VMCB12_H_
