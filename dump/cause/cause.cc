#include "dump/cause/cause.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "dump/cause/waits_of_tasks.h"
#include "dump/cause/why.h"

namespace vmm {
namespace {

class CauseFinder {
 public:
  CauseFinder(KernelView& view, const PhysicalMemory& memory, const VmcoreInfo* info, const KernelReport& report,
              std::span<const CpuState> cpus)
      : view_(view), memory_(memory), info_(info), report_(report), cpus_(cpus.first(report.cpus.size())) {}

  Cause Find() {
    absl::StatusOr<AllTasks> tasks = ReadAllTasks(view_, cpus_);
    if (tasks.ok()) {
      cause_.tasks = *std::move(tasks);
    } else {
      cause_.missing.emplace_back(tasks.status().message());
    }
    const std::vector<TaskInfo> none;
    const std::vector<GuestRange> ram = memory_.Ranges();
    Regions regions(view_, cause_.tasks.has_value() ? cause_.tasks->tasks : none, cpus_.size(),
                    ram.empty() ? 0 : ram.back().end().value);
    FindFaultAndMemory(regions);
    if (cause_.tasks.has_value()) FindLocks(regions);
    ExplainWhy(report_, cause_);
    if (meter_.spent()) cause_.missing.emplace_back(meter_.status().message());
    return std::move(cause_);
  }

 private:
  void FindFaultAndMemory(Regions& regions) {
    cause_.fault = FindFault(report_, view_.memory());
    if (!cause_.fault.has_value()) return;
    const Fault& fault = *cause_.fault;
    const std::optional<KernelView::Place> place = view_.Describe(fault.registers.ip);
    const bool named = place.has_value() && !place->function.empty();
    cause_.function = regions.SymbolAround(fault.registers.ip).value_or(absl::StrFormat("%#x", fault.registers.ip));
    cause_.code =
        DecodeCode(view_.memory(), fault, named ? std::optional(fault.registers.ip - place->offset) : std::nullopt);
    for (const Instruction& line : cause_.code.lines) {
      cause_.targets.push_back(line.target.has_value() ? regions.SymbolAround(*line.target).value_or("") : "");
    }
    const uint64_t cr3 = report_.cpus[static_cast<size_t>(fault.cpu)].state.cr3;
    MemoryReader reader(view_, memory_, info_, regions, cr3, cpus_.size(), meter_);
    for (const auto& [name, value] : NamedRegisters(fault.registers)) {
      RegisterMeaning& meaning = cause_.registers.emplace_back(RegisterMeaning{std::string(name), value, ""});
      if (name == "rflags") continue;
      const MemoryFinding finding = reader.Look(value, std::string(name));
      const Region region = finding.meaning.region;
      // Most values of these are plain numbers.
      const bool number = region == Region::kNonCanonical || region == Region::kUser || region == Region::kError;
      const bool small = region == Region::kNullPage && value != 0;
      if (!number && !small) meaning.words = finding.Words();
    }
    cause_.operand = FaultingOperand(cause_.code, fault);
    if (cause_.operand.has_value()) {
      const uint64_t address = fault.cr2.value_or(cause_.operand->address);
      cause_.memory = reader.Look(address, cause_.operand->formula);
    } else if (fault.cr2.has_value()) {
      const bool fetch = *fault.cr2 == fault.registers.ip;
      cause_.memory = reader.Look(*fault.cr2, fetch ? "RIP" : "CR2");
    }
  }

  void FindLocks(Regions& regions) {
    cause_.waits = LinkWaits(FindWaits(view_, *cause_.tasks, regions, meter_), meter_);
    MemoryReader reader(view_, memory_, info_, regions, view_.memory().map().root.value, cpus_.size(), meter_);
    for (const Wait& wait : cause_.waits.waits) {
      const std::optional<std::string> symbol = regions.SymbolAround(wait.lock.lock);
      if (symbol.has_value()) {
        cause_.lock_names.push_back(*symbol);
        continue;
      }
      const MemoryFinding finding = reader.Look(wait.lock.lock, "");
      const std::string object = finding.object.has_value() ? ", in " + finding.object->Words() : "";
      cause_.lock_names.push_back(absl::StrFormat("%#x%s", wait.lock.lock, object));
    }
  }

  KernelView& view_;
  const PhysicalMemory& memory_;
  const VmcoreInfo* const info_;
  const KernelReport& report_;
  const std::span<const CpuState> cpus_;
  Meter meter_{kCauseBudget};
  Cause cause_;
};

}  // namespace

std::string Cause::TaskName(size_t task) const {
  const TaskInfo& info = tasks->tasks[task];
  return absl::StrFormat("%s %d", info.task.comm, info.task.pid.value_or(-1));
}

std::string Cause::LockName(size_t wait) const {
  return absl::StrFormat("%s %s", LockKindName(waits.waits[wait].lock.kind), lock_names[wait]);
}

Cause FindCause(KernelView& view, const PhysicalMemory& memory, const VmcoreInfo* info, const KernelReport& report,
                std::span<const CpuState> cpus) {
  return CauseFinder(view, memory, info, report, cpus).Find();
}

}  // namespace vmm
