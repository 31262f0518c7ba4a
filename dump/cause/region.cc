#include "dump/cause/region.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "dump/cause/special_values.h"
#include "dump/kernel/kernel_stack.h"

namespace vmm {
namespace {

constexpr uint64_t kTiB = 1ull << 40;

// Documentation/arch/x86/x86_64/mm.rst. With CONFIG_RANDOMIZE_MEMORY the first three are variables.
struct Defaults {
  uint64_t page_offset, vmalloc, vmemmap, vmalloc_size;
};
constexpr Defaults kFourLevels = {0xffff888000000000, 0xffffc90000000000, 0xffffea0000000000, 32 * kTiB};
constexpr Defaults kFiveLevels = {0xff11000000000000, 0xffa0000000000000, 0xffd4000000000000, 12800 * kTiB};
constexpr uint64_t kCpuEntryArea = 0xfffffe0000000000, kCpuEntryAreaEnd = 0xfffffe8000000000;
constexpr uint64_t kModulesStart = kStartKernelMap + (512ull << 20);  // without KASLR; with it 1 GiB
constexpr uint64_t kModulesEnd = 0xffffffffff000000;
constexpr uint64_t kLargestStructPage = 128;
constexpr uint64_t kMaxPerCpuSize = 16 << 20;
constexpr size_t kMaxPerCpuNames = 65536;

bool IsCanonical(uint64_t address, bool five_levels) {
  const int bits = five_levels ? 57 : 48;
  const auto top = static_cast<int64_t>(address) >> (bits - 1);
  return top == 0 || top == -1;
}

}  // namespace

std::string_view RegionName(Region region) {
  switch (region) {
    case Region::kNullPage: return "null page";
    case Region::kUser: return "user";
    case Region::kNonCanonical: return "non-canonical";
    case Region::kPoison: return "poison";
    case Region::kError: return "error code";
    case Region::kImage: return "kernel image";
    case Region::kModule: return "module";
    case Region::kModuleArea: return "module area";
    case Region::kStack: return "stack";
    case Region::kStackGuard: return "stack guard page";
    case Region::kPerCpu: return "per-CPU";
    case Region::kDirectMap: return "direct map";
    case Region::kVmalloc: return "vmalloc";
    case Region::kVmemmap: return "vmemmap";
    case Region::kCpuEntryArea: return "CPU entry area";
    case Region::kKernelUnknown: return "kernel, unknown";
  }
  return "";
}

Regions::Regions(KernelView& view, const std::vector<TaskInfo>& tasks, size_t cpus, uint64_t ram_end)
    : view_(view), tasks_(tasks), ram_end_(ram_end), five_levels_(view.memory().map().levels == 5) {
  const Defaults& defaults = five_levels_ ? kFiveLevels : kFourLevels;
  const auto variable = [&](std::string_view name, uint64_t by_default) {
    const std::optional<uint64_t> at = view_.symbols() != nullptr ? view_.symbols()->Find(name) : std::nullopt;
    if (!at.has_value()) return by_default;
    const uint64_t value = view_.memory().ReadObject<uint64_t>(*at).value_or(0);
    return value >= FirstOfKernelHalf(five_levels_ ? 5 : 4) && value % kPageSize == 0 ? value : by_default;
  };
  page_offset_ = view_.memory().map().page_offset.value_or(variable("page_offset_base", defaults.page_offset));
  vmalloc_ = variable("vmalloc_base", defaults.vmalloc);
  vmemmap_ = variable("vmemmap_base", defaults.vmemmap);
  FindStacks();
  FindPerCpuAreas(cpus);
}

void Regions::FindStacks() {
  stack_of_.resize(tasks_.size());
  stack_size_ = kThreadSize;
  const std::optional<uint64_t> field = view_.layout().Offset("task_struct.stack");
  if (!field.has_value()) return;
  for (size_t i = 0; i < tasks_.size(); ++i) {
    const absl::StatusOr<uint64_t> bottom = view_.memory().ReadObject<uint64_t>(tasks_[i].task.address + *field);
    if (!bottom.ok() || *bottom == 0 || *bottom % kPageSize != 0) continue;
    stack_of_[i] = *bottom;
    stacks_.push_back({*bottom, i});
    // KASAN doubles stacks: a sleeping task then has its RSP in the upper half.
    if (!tasks_[i].on_cpu && tasks_[i].sp - *bottom >= kThreadSize && tasks_[i].sp - *bottom < kMaxThreadSize) {
      stack_size_ = kMaxThreadSize;
    }
  }
  std::stable_sort(stacks_.begin(), stacks_.end(), [](const Stack& a, const Stack& b) { return a.bottom < b.bottom; });
}

void Regions::FindPerCpuAreas(size_t cpus) {
  const KernelSymbols* const symbols = view_.symbols();
  if (symbols == nullptr) return;
  const std::optional<uint64_t> end = symbols->Find("__per_cpu_end");
  if (!end.has_value() || *end > kMaxPerCpuSize || !symbols->Find("__per_cpu_offset").has_value()) return;
  per_cpu_size_ = *end;
  for (size_t cpu = 0; cpu < cpus; ++cpu) {
    const absl::StatusOr<uint64_t> start = PerCpuAddress(view_.memory(), *symbols, 0, static_cast<int>(cpu));
    if (!start.ok()) break;
    per_cpu_.push_back({*start, static_cast<int>(cpu)});
  }
  std::stable_sort(per_cpu_.begin(), per_cpu_.end(),
                   [](const PerCpuArea& a, const PerCpuArea& b) { return a.start < b.start; });
}

std::optional<uint64_t> Regions::StackOf(size_t task) const {
  return task < stack_of_.size() ? stack_of_[task] : std::nullopt;
}

std::optional<uint64_t> Regions::PhysicalOf(uint64_t address) const {
  return address - page_offset_ < ram_end_ ? std::optional(address - page_offset_) : std::nullopt;
}

std::string Regions::NameOf(size_t task) const {
  return absl::StrFormat("%s %d", tasks_[task].task.comm, tasks_[task].task.pid.value_or(-1));
}

std::optional<std::string> Regions::SymbolAround(uint64_t address) {
  const std::optional<KernelView::Place> place = view_.Describe(address);
  if (!place.has_value() || place->function.empty()) return std::nullopt;
  std::string name = absl::StrFormat("%s+%#x", place->function, place->offset);
  if (place->size != 0) name += absl::StrFormat("/%#x", place->size);
  if (!place->module.empty()) name += absl::StrFormat(" [%s]", place->module);
  return name;
}

std::optional<AddressMeaning> Regions::ExplainStack(uint64_t address) const {
  // The first stack above `address`: its guard page may hold it. The one before that may hold it itself.
  const auto above = std::upper_bound(stacks_.begin(), stacks_.end(), address,
                                      [](uint64_t at, const Stack& stack) { return at < stack.bottom; });
  if (above != stacks_.begin()) {
    const Stack& stack = *std::prev(above);
    if (address - stack.bottom < stack_size_) {
      return AddressMeaning{
          Region::kStack, absl::StrFormat("stack of %s, %#x above its end", NameOf(stack.task), address - stack.bottom),
          stack.task};
    }
  }
  if (above == stacks_.end() || above->bottom - address > kPageSize) return std::nullopt;
  if (PhysicalOf(address).has_value() || view_.memory().IsImage(address)) return std::nullopt;  // no guard there
  return AddressMeaning{
      Region::kStackGuard,
      absl::StrFormat("guard page of the stack of %s, %#x below its end", NameOf(above->task), above->bottom - address),
      above->task};
}

std::optional<AddressMeaning> Regions::ExplainPerCpu(uint64_t address) {
  const auto above = std::upper_bound(per_cpu_.begin(), per_cpu_.end(), address,
                                      [](uint64_t at, const PerCpuArea& area) { return at < area.start; });
  if (above == per_cpu_.begin()) return std::nullopt;
  const PerCpuArea& area = *std::prev(above);
  const uint64_t offset = address - area.start;
  if (offset >= per_cpu_size_) return std::nullopt;
  if (!per_cpu_names_.has_value()) {
    per_cpu_names_.emplace();
    view_.symbols()->ForEach([&](const Symbol& symbol) {
      if (symbol.address >= per_cpu_size_ || per_cpu_names_->size() >= kMaxPerCpuNames) return false;
      per_cpu_names_->push_back(symbol);
      return true;
    });
  }
  const auto after = std::upper_bound(per_cpu_names_->begin(), per_cpu_names_->end(), offset,
                                      [](uint64_t at, const Symbol& symbol) { return at < symbol.address; });
  std::string words = absl::StrFormat("per-CPU area of CPU %d", area.cpu);
  if (after != per_cpu_names_->begin()) {
    const Symbol& symbol = *std::prev(after);
    words += absl::StrFormat(", %s+%#x", symbol.name, offset - symbol.address);
  }
  return AddressMeaning{Region::kPerCpu, std::move(words), std::nullopt};
}

AddressMeaning Regions::ExplainKernel(uint64_t address) {
  if (auto stack = ExplainStack(address); stack.has_value()) return *stack;
  if (auto per_cpu = ExplainPerCpu(address); per_cpu.has_value()) return *per_cpu;
  const auto of = [](Region region, std::string words) {
    return AddressMeaning{region, std::move(words), std::nullopt};
  };
  if (view_.memory().IsImage(address)) {
    return of(Region::kImage, SymbolAround(address).value_or("the kernel's image, no symbol"));
  }
  if (address >= kModulesStart && address < kModulesEnd) {
    const std::optional<KernelView::Place> place = view_.Describe(address);
    if (!place.has_value()) return of(Region::kModuleArea, "the modules' range, no module's code");
    return of(Region::kModule, SymbolAround(address).value_or(absl::StrFormat("module %s", place->module)));
  }
  if (const std::optional<uint64_t> physical = PhysicalOf(address); physical.has_value()) {
    return of(Region::kDirectMap, absl::StrFormat("direct map of physical address %#x", *physical));
  }
  const Defaults& defaults = five_levels_ ? kFiveLevels : kFourLevels;
  if (address - vmalloc_ < defaults.vmalloc_size) return of(Region::kVmalloc, "vmalloc area");
  if (address - vmemmap_ < ram_end_ / kPageSize * kLargestStructPage) {
    return of(Region::kVmemmap, "vmemmap, the array of struct page");
  }
  if (address >= kCpuEntryArea && address < kCpuEntryAreaEnd) {
    return of(Region::kCpuEntryArea, "CPU entry area: entry and exception stacks");
  }
  if (address >= page_offset_ && address < vmalloc_) {
    return of(Region::kDirectMap, absl::StrFormat("direct map, but %#x is above all RAM", address - page_offset_));
  }
  return of(Region::kKernelUnknown, "the kernel's half, nothing known");
}

AddressMeaning Regions::Explain(uint64_t address) {
  if (auto special = ExplainSpecialValue(address); special.has_value()) return *special;
  if (!IsCanonical(address, five_levels_)) {
    return {Region::kNonCanonical, "no canonical address", std::nullopt};
  }
  if (address < FirstOfKernelHalf(five_levels_ ? 5 : 4)) return {Region::kUser, "user memory", std::nullopt};
  return ExplainKernel(address);
}

}  // namespace vmm
