// Finds the parts of a Linux kernel's virtual address space that a dump needs: its image and the base of the direct
// map.
#ifndef DUMP_KERNEL_KERNEL_MAP_H_
#define DUMP_KERNEL_KERNEL_MAP_H_

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "absl/status/statusor.h"
#include "base/meter.h"
#include "dump/abi/linux_layout_abi.h"
#include "dump/paging/page_tables.h"
#include "dump/snapshot/cpu_state.h"
#include "dump/snapshot/vmcoreinfo.h"

namespace vmm {

// The start of the image without KASLR, given the default CONFIG_PHYSICAL_START of 16 MiB.
inline constexpr uint64_t kDefaultImageStart = kStartKernelMap + (16 << 20);

// A run of virtual addresses backed by one run of physical addresses. Not checked to be RAM.
struct VirtualSegment {
  uint64_t vaddr = 0;
  GuestRange range;

  friend bool operator==(const VirtualSegment&, const VirtualSegment&) = default;
};

struct KernelMap {
  GuestAddr root;  // of the page tables, and their levels
  int levels = 4;
  uint64_t phys_base = 0;  // modulo 2^64
  VirtualSegment image;

  // Add this to a physical address to get its address in the direct map. None if no direct map was found: very early
  // in a boot there is none.
  std::optional<uint64_t> page_offset;
};

// Maps the kernels of one machine. The guest can name the same page tables thousands of times, so each is walked once,
// and all walks together cost at most kKernelMapBudget. One thread at a time. `memory` and `cpus` must outlive it.
class KernelMapper {
 public:
  KernelMapper(const PhysicalMemory& memory, std::span<const CpuState> cpus)
      : memory_(memory), cpus_(cpus), meter_(kKernelMapBudget) {}

  // Returns the map that `info` describes, after checking it against RAM: swapper_pg_dir maps _stext to the place that
  // phys_base gives, the release in init_uts_ns is the same, and the page tables of a running vCPU share the kernel's
  // top entry. Else FailedPrecondition, with the check that failed.
  absl::StatusOr<KernelMap> ByVmcoreInfo(const VmcoreInfo& info);

  // The same without VMCOREINFO, from the page tables of the vCPUs: the lowest mapped address in the image's range
  // gives phys_base. NotFound if no vCPU has a kernel mapped. ResourceExhausted if the budget ended first.
  absl::StatusOr<KernelMap> ByCr3();

  // The same from the page tables of `cpu` alone, without page_offset.
  absl::StatusOr<KernelMap> ImageByCr3(const CpuState& cpu);

  const Meter& meter() const { return meter_; }

 private:
  struct Root {
    uint64_t address = 0;
    int levels = 4;

    friend auto operator<=>(const Root&, const Root&) = default;
  };

  absl::StatusOr<KernelMap> Image(const PageTables& tables, uint64_t phys_base);
  absl::StatusOr<KernelMap> Whole(const PageTables& tables, uint64_t phys_base);
  std::optional<uint64_t> PhysBaseOf(const PageTables& tables);
  absl::Status CheckAgainstCpus(const PageTables& swapper);

  const PhysicalMemory& memory_;
  const std::span<const CpuState> cpus_;
  Meter meter_;

  // Answers, by root. An image also depends on phys_base.
  std::map<Root, std::optional<uint64_t>> phys_bases_;
  std::map<Root, std::optional<uint64_t>> page_offsets_;
  std::map<std::pair<Root, uint64_t>, VirtualSegment> images_;

  // The entries of the running vCPUs' top tables for the image, with their levels. None: not yet read.
  std::optional<std::set<std::pair<int, uint64_t>>> top_entries_;
};

// As KernelMapper, for one map.
absl::StatusOr<KernelMap> MapKernelByVmcoreInfo(const PhysicalMemory& memory, std::span<const CpuState> cpus,
                                                const VmcoreInfo& info);
absl::StatusOr<KernelMap> MapKernelByCr3(const PhysicalMemory& memory, std::span<const CpuState> cpus);

}  // namespace vmm

#endif  // DUMP_KERNEL_KERNEL_MAP_H_
