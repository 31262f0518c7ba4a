// Finds the kallsyms tables in a kernel's memory: the compressed list of its symbols, which the kernel carries for its
// own backtraces (CONFIG_KALLSYMS, Linux scripts/kallsyms.c).
//
// The order is always num_syms, names, markers, then token_table, token_index. The tables between and around them
// depend on the version:
//   <  4.6     addresses (8 bytes per symbol) before num_syms
//   4.6 - 6.3  offsets (4 bytes per symbol) and relative_base before num_syms (or still addresses)
//   6.2, 6.3   seqs_of_names between markers and token_table (also in later updates of 6.1)
//   >= 6.4     offsets, relative_base, seqs_of_names after token_index
//   7.2        no relative_base: each offset counts from its own address; each table is aligned to 4, earlier to 8
#ifndef DUMP_KERNEL_KALLSYMS_TABLES_H_
#define DUMP_KERNEL_KALLSYMS_TABLES_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "base/budget.h"
#include "dump/kernel/kernel_memory.h"
#include "dump/snapshot/vmcoreinfo.h"

namespace vmm {

// No kernel has more symbols (an allyesconfig has under 1 million).
inline constexpr uint32_t kMaxKallsyms = kKallsymsBudget.steps;

// The number of strings that a byte of a compressed name can stand for.
inline constexpr size_t kKallsymsTokens = 256;

// Virtual addresses, all within the image.
struct KallsymsTables {
  uint64_t num_syms = 0;
  uint64_t names = 0;
  uint64_t token_table = 0;
  uint64_t token_index = 0;

  // Places where the addresses may lie, the likeliest first. The table holds offsets from a base, or without a base
  // either offsets from their own places or the addresses themselves. The right one is the one whose values make sense.
  struct Addresses {
    uint64_t table = 0;
    std::optional<uint64_t> relative_base;  // the address that holds the base
  };
  std::vector<Addresses> addresses;
};

// Finds the tables by the keys that VMCOREINFO has since Linux 6.0. NotFound without these keys.
absl::StatusOr<KallsymsTables> KallsymsByVmcoreInfo(const KernelMemory& memory, const VmcoreInfo& info);

// Scans the image for the token table, which no kernel hides: 256 strings, among them the ten digits in a row, followed
// by their offsets, token_index. Then looks for the names, which are followed by their markers. NotFound if nothing
// passes these checks.
absl::StatusOr<KallsymsTables> KallsymsByScan(const KernelMemory& memory);

}  // namespace vmm

#endif  // DUMP_KERNEL_KALLSYMS_TABLES_H_
