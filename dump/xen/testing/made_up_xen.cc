#include "dump/xen/testing/made_up_xen.h"

#include <cstring>

namespace vmm {
namespace {

constexpr uint64_t kTableFlags = 0x67;
constexpr uint64_t kLargePage = 0x80;
constexpr uint64_t kXenL3 = 3200, kXenL2 = 3201;  // MFNs

template <typename T>
void Put(FlatMemory& machine, uint64_t at, const T& object) {
  std::memcpy(&machine.bytes()[at], &object, sizeof(object));
}

constexpr uint64_t Index(uint64_t vaddr, int level) { return (vaddr >> (12 + 9 * (level - 1))) % 512; }

void PutDom0PageTables(FlatMemory& machine, const MadeUpDomain& dom0) {
  const uint64_t l4 = dom0.At(kMadeUpL4);
  machine.PutWord(l4 + 8 * 258, l4 | kTableFlags);  // Xen's window on the tables: the table itself
  machine.PutWord(l4 + 8 * Index(kMadeUpXenVirtual, 4), (kXenL3 * kPageSize) | kTableFlags);
  machine.PutWord(kXenL3 * kPageSize + 8 * Index(kMadeUpXenVirtual, 3), (kXenL2 * kPageSize) | kTableFlags);
  machine.PutWord(kXenL2 * kPageSize + 8 * Index(kMadeUpXenVirtual, 2), kMadeUpXenImage | kTableFlags | kLargePage);

  machine.PutWord(l4 + 8 * Index(kMadeUpDirectMap, 4), dom0.At(kMadeUpL3) | kTableFlags);
  machine.PutWord(dom0.At(kMadeUpL3), dom0.At(kMadeUpL2) | kTableFlags);
  for (uint64_t table = 0; table < 2; ++table) {
    machine.PutWord(dom0.At(kMadeUpL2) + 8 * table, dom0.At(kMadeUpL1 + table) | kTableFlags);
    for (uint64_t i = 0; i < 512; ++i) {
      machine.PutWord(dom0.At(kMadeUpL1 + table) + 8 * i, dom0.At(table * 512 + i) | kTableFlags);
    }
  }
}

void PutVcpu(FlatMemory& machine) {
  XenUserRegs regs = {};
  regs.rip = 0xffffffff8154469e;
  regs.cs = kXenGuestKernelCs;
  regs.rsp = 0xffffc90040463ac0;
  regs.ss = kXenGuestKernelSs;
  regs.rbx = 0xbb;
  regs.r15 = 0x1515;
  const uint64_t info = kMadeUpXenImage + kMadeUpCpuInfo;
  Put(machine, info, regs);
  Put(machine, info + sizeof(regs), uint32_t{1});  // processor_id
  machine.PutWord(info + sizeof(regs) + 8, kMadeUpXenVirtual + kMadeUpVcpu);
  machine.PutWord(kMadeUpXenImage + kMadeUpTss + 4, kMadeUpXenVirtual + kMadeUpCpuInfo + offsetof(XenUserRegs, es));
  const uint64_t vcpu = kMadeUpXenImage + kMadeUpVcpu;
  Put(machine, vcpu, uint32_t{1});      // vcpu_id
  Put(machine, vcpu + 4, uint32_t{1});  // processor
  machine.PutWord(vcpu + 16, kMadeUpXenVirtual + kMadeUpXenDomain);
  Put(machine, kMadeUpXenImage + kMadeUpXenDomain, uint16_t{0});
}

}  // namespace

MadeUpDomain MadeUpDom0() {
  return {.pages = 1024,
          .mfn_of = [](uint64_t pfn) { return 2047 - pfn; },
          .shared_info_mfn = 3100,
          .start_flags = kXenStartPrivileged | kXenStartInitialDomain};
}

MadeUpDomain MadeUpDomU() {
  return {.pages = 768, .mfn_of = [](uint64_t pfn) { return 2048 + pfn; }, .shared_info_mfn = 3090, .start_flags = 0};
}

void PutDomain(FlatMemory& machine, const MadeUpDomain& domain) {
  XenSharedInfo shared = {};
  shared.wc_version = 8;
  shared.wc_sec = 1796104118;
  shared.max_pfn = domain.pages + 3;
  shared.pfn_to_mfn_frame_list_list = domain.mfn_of(kMadeUpListList);
  shared.p2m_cr3 = domain.At(kMadeUpL4);
  shared.p2m_vaddr = 0xffffc90000000000;
  Put(machine, domain.shared_info_mfn * kPageSize, shared);

  XenStartInfo start = {};
  std::memcpy(start.magic, "xen-3.0-x86_64p", sizeof("xen-3.0-x86_64p"));
  start.nr_pages = domain.pages;
  start.shared_info = domain.shared_info_mfn * kPageSize;
  start.flags = domain.start_flags;
  Put(machine, domain.At(kMadeUpStartInfo), start);

  machine.PutWord(domain.At(kMadeUpListList), domain.mfn_of(kMadeUpList));
  const uint64_t leaves = (shared.max_pfn + kXenP2mEntriesPerPage - 1) / kXenP2mEntriesPerPage;
  for (uint64_t i = 0; i < leaves; ++i) {
    machine.PutWord(domain.At(kMadeUpList) + 8 * i, domain.mfn_of(kMadeUpLeaf + i));
    for (uint64_t j = 0; j < kXenP2mEntriesPerPage; ++j) {
      const uint64_t pfn = i * kXenP2mEntriesPerPage + j;
      machine.PutWord(domain.At(kMadeUpLeaf + i) + 8 * j, pfn < domain.pages ? domain.mfn_of(pfn) : UINT64_MAX);
    }
  }
}

FlatMemory MadeUpXen() {
  FlatMemory machine{std::vector<uint8_t>(kMadeUpRam)};
  PutDomain(machine, MadeUpDom0());
  PutDomain(machine, MadeUpDomU());
  PutDom0PageTables(machine, MadeUpDom0());
  // Xen's image has the format, too. The log's line lies across the border of two pages.
  Put(machine, kMadeUpXenStart + 0x100, "Xen version %d.%d%s (%s@%s)");
  Put(machine, kMadeUpXenStart + 0x2ff8, "Xen version 4.17.7 (Debian 4.17.7+13) (gcc 12)\n");
  PutVcpu(machine);
  return machine;
}

CpuState MadeUpXenCpu() {
  CpuState cpu;
  cpu.rip = kMadeUpXenVirtual + 0x4870;
  cpu.cr0 = 0x80050033;
  cpu.cr3 = MadeUpDom0().At(kMadeUpL4);
  cpu.cr4 = 0x660;
  cpu.efer = 0xd01;
  cpu.rsp = kMadeUpXenVirtual + kMadeUpStackEnd - 0x580;
  cpu.idt.base = 0xffff82d040577000;
  cpu.tr.base = kMadeUpXenVirtual + kMadeUpTss;
  return cpu;
}

}  // namespace vmm
