#include "dump/kernel/kernel_stack.h"

#include <map>

namespace vmm {
namespace {

constexpr uint64_t kKernelHalf = 1ull << 63;

bool IsMappedAnyway(uint64_t vaddr, const KernelMap& map, uint64_t ram_end) {
  if (vaddr >= map.image.vaddr && vaddr - map.image.vaddr < map.image.range.size) return true;
  return map.page_offset.has_value() && vaddr >= *map.page_offset && vaddr - *map.page_offset < ram_end;
}

// Adds the pages around `rsp` to `pages`, by virtual address.
void AddStackPages(const PageTables& tables, uint64_t rsp, std::map<uint64_t, GuestAddr>& pages) {
  const uint64_t middle = AlignDown(rsp, kPageSize);
  const auto add = [&](uint64_t vaddr) {
    const absl::StatusOr<GuestAddr> phys = tables.Translate(vaddr);
    if (phys.ok()) pages.emplace(vaddr, *phys);
    return phys.ok();
  };
  // RSP may be exactly at the top of its stack, which is the start of the next guard page. After an overflow it may be
  // below the stack's bottom.
  add(middle);
  for (uint64_t down = kPageSize; down <= kMaxThreadSize && add(middle - down); down += kPageSize) {
  }
  for (uint64_t up = kPageSize; up <= kMaxThreadSize && middle + up > middle && add(middle + up); up += kPageSize) {
  }
}

}  // namespace

std::vector<VirtualSegment> FindKernelStacks(const PhysicalMemory& memory, const KernelMap& map,
                                             std::span<const CpuState> cpus) {
  const PageTables tables(memory, map.root, map.levels);
  // Asked for once: a file may have tens of thousands of ranges, and of CPUs.
  const std::vector<GuestRange> ram = memory.Ranges();
  const uint64_t ram_end = ram.empty() ? 0 : ram.back().end().value;
  std::map<uint64_t, GuestAddr> pages;
  for (const CpuState& cpu : cpus) {
    if (!cpu.started || cpu.rsp < kKernelHalf || IsMappedAnyway(cpu.rsp, map, ram_end)) continue;
    AddStackPages(tables, cpu.rsp, pages);
  }
  std::vector<VirtualSegment> stacks;
  for (const auto& [vaddr, phys] : pages) {
    if (!stacks.empty()) {
      VirtualSegment& last = stacks.back();
      if (last.vaddr + last.range.size == vaddr && last.range.end() == phys) {
        last.range.size += kPageSize;
        continue;
      }
    }
    stacks.push_back({vaddr, {phys, kPageSize}});
  }
  return stacks;
}

}  // namespace vmm
