// A made-up Xen machine of 16 MiB, small enough to be changed a thousand times: a dom0 of 4 MiB whose pages lie in the
// machine in the reverse order, a PV guest of 3 MiB in one piece, Xen's image with its log, and page tables of dom0.
#ifndef DUMP_XEN_TESTING_MADE_UP_XEN_H_
#define DUMP_XEN_TESTING_MADE_UP_XEN_H_

#include <cstdint>
#include <functional>

#include "dump/snapshot/cpu_state.h"
#include "dump/testing/flat_memory.h"
#include "dump/xen/abi/xen_abi.h"

namespace vmm {

struct MadeUpDomain {
  uint64_t pages = 0;
  std::function<uint64_t(uint64_t)> mfn_of;
  uint64_t shared_info_mfn = 0;
  uint32_t start_flags = 0;

  uint64_t At(uint64_t pfn) const { return mfn_of(pfn) * kPageSize; }
};

// The PFNs of a made-up domain's own structures.
inline constexpr uint64_t kMadeUpStartInfo = 5, kMadeUpListList = 10, kMadeUpList = 11, kMadeUpLeaf = 12;
inline constexpr uint64_t kMadeUpL4 = 30, kMadeUpL3 = 31, kMadeUpL2 = 32, kMadeUpL1 = 33;

inline constexpr uint64_t kMadeUpRam = 16 << 20;
inline constexpr uint64_t kMadeUpXenStart = 12 << 20;
inline constexpr uint64_t kMadeUpXenImage = 14 << 20;  // 2 MiB, at kMadeUpXenVirtual
inline constexpr uint64_t kMadeUpXenVirtual = 0xffff82d040200000;
inline constexpr uint64_t kMadeUpDirectMap = 0xffff888000000000;  // of dom0, by PFN

MadeUpDomain MadeUpDom0();
MadeUpDomain MadeUpDomU();

// Writes the domain's p2m, shared_info and start_info.
void PutDomain(FlatMemory& machine, const MadeUpDomain& domain);

// The whole machine, with both domains.
FlatMemory MadeUpXen();

// Offsets into Xen's image: its stack's end, with the registers of dom0's vCPU 1 before it, and its structures.
inline constexpr uint64_t kMadeUpTss = 0x8000, kMadeUpStackEnd = 0x18000, kMadeUpVcpu = 0x19000,
                          kMadeUpXenDomain = 0x1a000;
inline constexpr uint64_t kMadeUpCpuInfo = kMadeUpStackEnd - 0x108;

// CPU 1 of it, which runs in Xen on dom0's page tables, called by dom0's vCPU 1.
CpuState MadeUpXenCpu();

}  // namespace vmm

#endif  // DUMP_XEN_TESTING_MADE_UP_XEN_H_
