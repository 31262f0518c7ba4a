// Names the part of a kernel's address space to which an address belongs.
#ifndef DUMP_CAUSE_REGION_H_
#define DUMP_CAUSE_REGION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dump/kernel/kernel_view.h"
#include "dump/kernel/tasks.h"

namespace vmm {

enum class Region {
  kNullPage,      // the first page: a null pointer, perhaps with a field's offset
  kUser,          // the lower half
  kNonCanonical,  // no address at all: the CPU raises a general protection fault
  kPoison,        // a pattern that the kernel writes to find misuse
  kError,         // a small negative number: an error code that was used as a pointer
  kImage,         // the kernel's code and static data
  kModule,        // a module's code
  kModuleArea,    // the modules' range, but no known module's code
  kStack,         // of a task
  kStackGuard,    // the page below a task's stack
  kPerCpu,
  kDirectMap,
  kVmalloc,
  kVmemmap,        // the array of struct page
  kCpuEntryArea,   // entry stacks, exception stacks
  kKernelUnknown,  // the kernel's half, none of the above
};

// "null page", "user", "direct map", ...
std::string_view RegionName(Region region);

struct AddressMeaning {
  Region region = Region::kKernelUnknown;

  // What a person wants to know: "panic+0x12/0x30", "stack of sh 97, 0x120 above its end", "NULL+0x18".
  std::string words;

  std::optional<size_t> task;  // whose stack it is, by its index in the list of tasks
};

// One thread at a time. `view` and `tasks` must outlive it.
class Regions {
 public:
  // `cpus`: their number. `ram_end`: the first physical address after all RAM.
  Regions(KernelView& view, const std::vector<TaskInfo>& tasks, size_t cpus, uint64_t ram_end);

  AddressMeaning Explain(uint64_t address);

  // The struct pages' array starts there.
  uint64_t vmemmap() const { return vmemmap_; }

  // The physical address, if `address` lies in the direct map and within RAM.
  std::optional<uint64_t> PhysicalOf(uint64_t address) const;

  // "rq_lock+0x0", "pvpanic_panic_notify+0x12/0x30 [pvpanic]". None: no symbol contains it.
  std::optional<std::string> SymbolAround(uint64_t address);

  // The lowest address of the stack of a task, and its size. None if the kernel's BTF does not say.
  std::optional<uint64_t> StackOf(size_t task) const;
  uint64_t stack_size() const { return stack_size_; }

 private:
  struct Stack {
    uint64_t bottom = 0;
    size_t task = 0;
  };
  struct PerCpuArea {
    uint64_t start = 0;
    int cpu = 0;
  };

  std::optional<AddressMeaning> ExplainStack(uint64_t address) const;
  std::optional<AddressMeaning> ExplainPerCpu(uint64_t address);
  AddressMeaning ExplainKernel(uint64_t address);
  std::string NameOf(size_t task) const;
  void FindStacks();
  void FindPerCpuAreas(size_t cpus);

  KernelView& view_;
  const std::vector<TaskInfo>& tasks_;
  const uint64_t ram_end_;
  bool five_levels_ = false;
  uint64_t page_offset_ = 0, vmalloc_ = 0, vmemmap_ = 0;
  uint64_t stack_size_ = 0;
  std::vector<Stack> stacks_;                         // ascending
  std::vector<std::optional<uint64_t>> stack_of_;     // by task
  std::vector<PerCpuArea> per_cpu_;                   // ascending
  uint64_t per_cpu_size_ = 0;                         // of the static part
  std::optional<std::vector<Symbol>> per_cpu_names_;  // read when first asked for; ascending
};

}  // namespace vmm

#endif  // DUMP_CAUSE_REGION_H_
