// Everything that a dump says about one address.
#ifndef DUMP_CAUSE_MEMORY_FINDING_H_
#define DUMP_CAUSE_MEMORY_FINDING_H_

#include <optional>
#include <string>

#include "dump/cause/page_state.h"
#include "dump/cause/region.h"
#include "dump/cause/slab_object.h"

namespace vmm {

struct MemoryFinding {
  uint64_t address = 0;
  std::string source;  // "CR2", "rdi+0x18", "RIP", "r12"
  AddressMeaning meaning;
  std::optional<PageState> page;     // none: no address, or a page table does not lie in RAM
  std::optional<PageRecord> record;  // for the direct map
  std::optional<SlabObject> object;  // for the direct map

  // "direct map of physical address 0x1234: kmalloc-64+0x18, freed".
  std::string Words() const;
};

// Looks at memory with the page tables of one CPU. One thread at a time. All that is given must outlive it.
class MemoryReader {
 public:
  // `info` may be null.
  MemoryReader(const KernelView& view, const PhysicalMemory& memory, const VmcoreInfo* info, Regions& regions,
               uint64_t cr3, size_t cpus, Meter& meter)
      : view_(view), memory_(memory), info_(info), regions_(regions), cr3_(cr3), cpus_(cpus), meter_(meter) {}

  MemoryFinding Look(uint64_t address, std::string source);

 private:
  const KernelView& view_;
  const PhysicalMemory& memory_;
  const VmcoreInfo* const info_;
  Regions& regions_;
  const uint64_t cr3_;
  const size_t cpus_;
  Meter& meter_;
};

}  // namespace vmm

#endif  // DUMP_CAUSE_MEMORY_FINDING_H_
