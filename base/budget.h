// What each parser of untrusted input may spend. Every cap stands here once. docs/threat-model.md shows this table, and
// budget_test.cc compares the two.
#ifndef BASE_BUDGET_H_
#define BASE_BUDGET_H_

#include <array>
#include <cstdint>
#include <string_view>

namespace vmm {

struct Budget {
  std::string_view parser;
  uint64_t bytes = 0;     // read into memory, or kept; 0: the steps bound them
  uint64_t steps = 0;     // each is one `step`
  std::string_view step;  // plural
  int seconds = 0;        // CPU time of the calling thread; 0: the steps bound it
};

// The search of RAM for VMCOREINFO. Bytes of candidates, each counted as at least 2 KiB; 256 GiB of touched pages.
inline constexpr Budget kVmcoreInfoBudget{"VMCOREINFO", 64 << 20, 64 << 20, "pages of RAM", 10};

// All walks that look for one kernel: four times the largest single walk (PageTables::kMaxTables).
inline constexpr Budget kKernelMapBudget{"kernel map", 0, 4 << 16, "page tables", 5};

// An allyesconfig has under 1 million symbols. Names are about 12 bytes each, compressed.
inline constexpr Budget kKallsymsBudget{"kallsyms", 24 << 20, 2 << 20, "symbols", 5};

// Debian's BTF has 5 MB and 130,000 types.
inline constexpr Budget kBtfBudget{"BTF", 64 << 20, 2 << 20, "types", 5};
inline constexpr Budget kBtfLookUpBudget{"BTF look-ups", 0, 16 << 20, "members", 0};

// The last records of a log. A log_buf of 64 MiB full of usual lines has 600,000.
inline constexpr Budget kKernelLogBudget{"kernel log", 64 << 20, 512 << 10, "records", 5};

// The list of modules, and the symbols of all modules that a report names. Bytes of symbols' names.
inline constexpr Budget kModulesBudget{"modules", 0, 4096, "modules", 5};
inline constexpr Budget kModuleSymbolsBudget{"symbols of modules", 32 << 20, 512 << 10, "symbols", 5};

// The stacks of one report, of all CPUs. A frame by ORC costs about 64 comparisons, and one for each region of code.
inline constexpr Budget kUnwindBudget{"stacks", 0, 256 << 20, "comparisons", 5};
inline constexpr Budget kFramesBudget{"frames of a report", 0, 64 << 10, "frames", 0};

// CONFIG_NR_CPUS is at most 8192. Of a dump with more PRSTATUS notes the first ones are reported.
inline constexpr Budget kCpusBudget{"CPUs of a report", 0, 8192, "CPUs", 0};

// The notes of a dump file.
inline constexpr Budget kNotesBudget{"notes", 64 << 20, 64 << 10, "notes", 0};

inline constexpr std::array kBudgets = {
    kVmcoreInfoBudget, kKernelMapBudget,     kKallsymsBudget, kBtfBudget,    kBtfLookUpBudget, kKernelLogBudget,
    kModulesBudget,    kModuleSymbolsBudget, kUnwindBudget,   kFramesBudget, kCpusBudget,      kNotesBudget,
};

}  // namespace vmm

#endif  // BASE_BUDGET_H_
