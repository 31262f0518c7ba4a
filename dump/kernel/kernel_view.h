// Everything that can be read out of a dead or stopped Linux guest without debug symbols: its memory, its symbols, the
// layout of its structs, its modules and its log. It is found once and kept together.
#ifndef DUMP_KERNEL_KERNEL_VIEW_H_
#define DUMP_KERNEL_KERNEL_VIEW_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "dump/kernel/backtrace.h"
#include "dump/kernel/btf.h"
#include "dump/kernel/current_task.h"
#include "dump/kernel/find_kernel.h"
#include "dump/kernel/kernel_log.h"
#include "dump/kernel/modules.h"
#include "dump/kernel/symbol_list.h"

namespace vmm {

// Returns the last records of the guest's log, for callers that want nothing else. Uses VMCOREINFO alone if that is
// enough, which is so for every kernel that has got through its first second.
absl::StatusOr<std::vector<LogRecord>> ReadGuestLog(const PhysicalMemory& memory, const FoundKernel& found,
                                                    size_t max_records = SIZE_MAX);

// One thread at a time. `memory` must outlive it; on live RAM no vCPU may run.
class KernelView {
 public:
  // `given`, the symbols of a System.map or vmlinux, replace kallsyms; KASLR's offset is added to them. InvalidArgument
  // if they belong to another kernel. FailedPrecondition if `found` has no map. Anything else that is missing is simply
  // absent, and why_not() names it.
  static absl::StatusOr<std::unique_ptr<KernelView>> Open(const PhysicalMemory& memory, const FoundKernel& found,
                                                          std::unique_ptr<SymbolList> given = nullptr);

  const KernelMemory& memory() const { return memory_; }
  const KernelSymbols* symbols() const { return symbols_.get(); }  // null: there are none
  const StructLayout& layout() const { return layout_; }
  const std::vector<Module>& modules() const { return modules_; }

  // One sentence for each thing that is missing, or was cut because its budget was spent.
  std::vector<std::string> why_not() const;

  // "6.1.0-56-amd64", from VMCOREINFO or the banner; empty if neither is there.
  std::string Release() const;
  // "Linux version 6.1.0-56-amd64 (debian-kernel@...) ..."; empty if it cannot be read.
  std::string Banner() const;
  // The kernel's `tainted_mask`, and the CPU that panicked according to its `panic_cpu`.
  std::optional<uint64_t> TaintMask() const;
  std::optional<int> PanicCpu() const;

  absl::StatusOr<std::vector<LogRecord>> ReadLog(size_t max_records = SIZE_MAX) const;
  absl::StatusOr<Task> TaskOn(int cpu) const;

  // All stacks together cost at most kUnwindBudget and kFramesBudget. Later ones are empty, and their `end` says why.
  Backtrace Unwind(const CpuState& cpu);

  // The function of the kernel or a module that contains `address`.
  struct Place {
    std::string function;
    uint64_t offset = 0;
    uint64_t size = 0;
    std::string module;  // empty: the kernel itself
  };
  std::optional<Place> Describe(uint64_t address);

 private:
  KernelView(const PhysicalMemory& memory, const FoundKernel& found);

  absl::Status OpenSymbols(std::unique_ptr<SymbolList> given, const FoundKernel& found);
  void OpenBtf();
  void FindCodeAndModules();
  std::optional<uint64_t> Find(std::string_view name) const;

  const KernelMemory memory_;
  const std::optional<VmcoreInfo> info_;
  std::unique_ptr<KernelSymbols> symbols_;
  std::optional<Btf> btf_;
  StructLayout layout_;
  std::vector<Module> modules_;
  std::vector<CodeRegion> code_;
  std::map<std::string, std::unique_ptr<SymbolList>> module_symbols_;  // read when first asked for
  Meter module_symbols_meter_{kModuleSymbolsBudget};
  Meter unwind_meter_{kUnwindBudget};
  Meter frames_meter_{kFramesBudget};
  std::vector<std::string> why_not_;
};

}  // namespace vmm

#endif  // DUMP_KERNEL_KERNEL_VIEW_H_
