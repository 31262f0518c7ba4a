// What Xen and its PV guests agree on, for x86_64 (xen/include/public/xen.h and arch-x86/xen.h): the page that a domain
// shares with Xen, the page with which it starts, and the p2m, the domain's own table of its machine frames.
//
// PFN: the number of a page as the domain counts them, from 0. MFN: the number of the same page in the machine.
#ifndef DUMP_XEN_ABI_XEN_ABI_H_
#define DUMP_XEN_ABI_XEN_ABI_H_

#include <cstddef>
#include <cstdint>

namespace vmm {

// HYPERVISOR_VIRT_START and _END: virtual addresses that belong to Xen in every page table of a PV guest. Linux leaves
// them alone, with or without Xen.
inline constexpr uint64_t kXenVirtualStart = 0xffff800000000000;
inline constexpr uint64_t kXenVirtualEnd = 0xffff880000000000;
inline constexpr unsigned kXenFirstSlot = 256, kXenLastSlot = 271;  // of a top table

// Linux's names: INVALID_P2M_ENTRY is ~0, FOREIGN_FRAME_BIT is bit 63, IDENTITY_FRAME_BIT is bit 62. An entry with
// either bit is no page of the domain's own.
inline constexpr uint64_t kXenP2mNotOwn = 3ull << 62;
inline constexpr uint64_t kXenP2mEntriesPerPage = 512;

// What pfn_to_mfn_frame_list_list can describe: one page of MFNs of pages of MFNs of pages of the p2m.
inline constexpr uint64_t kXenMaxP2mPfns = 512ull * 512 * 512;

inline constexpr uint64_t kXenLegacyMaxVcpus = 32;

struct XenVcpuInfo {
  uint8_t evtchn_upcall_pending;
  uint8_t pad0;
  uint8_t evtchn_upcall_mask;
  uint8_t pad1[5];
  uint64_t evtchn_pending_sel;
  uint64_t arch_cr2;
  uint64_t arch_pad;
  uint8_t time[32];
};
static_assert(sizeof(XenVcpuInfo) == 64);

struct XenSharedInfo {
  XenVcpuInfo vcpu_info[kXenLegacyMaxVcpus];
  uint64_t evtchn_pending[64];
  uint64_t evtchn_mask[64];
  uint32_t wc_version;
  uint32_t wc_sec;
  uint32_t wc_nsec;
  uint32_t wc_sec_hi;
  // struct arch_shared_info
  uint64_t max_pfn;                     // of the p2m, one past the last
  uint64_t pfn_to_mfn_frame_list_list;  // an MFN
  uint64_t nmi_reason;
  uint64_t p2m_cr3;  // as CR3: bits 12 and up are an MFN's. 0: the domain has set none
  uint64_t p2m_vaddr;
  uint64_t p2m_generation;
};
static_assert(offsetof(XenSharedInfo, evtchn_pending) == 2048);
static_assert(offsetof(XenSharedInfo, evtchn_mask) == 2560);
static_assert(offsetof(XenSharedInfo, wc_version) == 3072);
static_assert(offsetof(XenSharedInfo, max_pfn) == 3088);
static_assert(offsetof(XenSharedInfo, pfn_to_mfn_frame_list_list) == 3096);
static_assert(offsetof(XenSharedInfo, p2m_cr3) == 3112);
static_assert(sizeof(XenSharedInfo) == 3136);

// The field `magic`, padded with zeros.
inline constexpr char kXenStartMagic[32] = "xen-3.0-x86_64";
inline constexpr uint32_t kXenStartPrivileged = 1;     // SIF_PRIVILEGED
inline constexpr uint32_t kXenStartInitialDomain = 2;  // SIF_INITDOMAIN: this is dom0

struct XenStartInfo {
  char magic[32];
  uint64_t nr_pages;
  uint64_t shared_info;  // a machine address
  uint32_t flags;
  uint32_t pad;
};
static_assert(offsetof(XenStartInfo, nr_pages) == 32);
static_assert(offsetof(XenStartInfo, shared_info) == 40);
static_assert(offsetof(XenStartInfo, flags) == 48);

// struct cpu_user_regs: a guest's registers as Xen saves them on the way in.
struct XenUserRegs {
  uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
  uint32_t error_code, entry_vector;
  uint64_t rip;
  uint16_t cs, pad0;
  uint8_t saved_upcall_mask, pad1[3];
  uint64_t rflags;
  uint64_t rsp;
  uint16_t ss, pad2[3];
  uint16_t es, pad3[3];
  uint16_t ds, pad4[3];
  uint16_t fs, pad5[3];
  uint16_t gs, pad6[3];
};
static_assert(offsetof(XenUserRegs, error_code) == 120);
static_assert(offsetof(XenUserRegs, rip) == 128);
static_assert(offsetof(XenUserRegs, cs) == 136);
static_assert(offsetof(XenUserRegs, rflags) == 144);
static_assert(offsetof(XenUserRegs, ss) == 160);
static_assert(offsetof(XenUserRegs, es) == 168);
static_assert(sizeof(XenUserRegs) == 200);

// Selectors of Xen's own GDT with which PV guests run: FLAT_RING3_CS64 and FLAT_RING3_SS64. Both have privilege 3, for
// a guest's kernel too.
inline constexpr uint16_t kXenGuestKernelCs = 0xe033;
inline constexpr uint16_t kXenGuestKernelSs = 0xe02b;

}  // namespace vmm

#endif  // DUMP_XEN_ABI_XEN_ABI_H_
