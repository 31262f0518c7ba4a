// Where the kallsyms tables lie in the memory of a kernel: the compressed list of its symbols that
// it carries with it for its own backtraces (CONFIG_KALLSYMS, Linux scripts/kallsyms.c).
//
// Always in this order: num_syms, names, markers; then token_table, token_index. Between and around them the
// versions differ:
//   <  4.6     addresses (8 bytes a symbol) before num_syms
//   4.6 - 6.3  offsets (4 bytes a symbol) and relative_base before num_syms (or still addresses)
//   6.2, 6.3   seqs_of_names between markers and token_table (also in later updates of 6.1)
//   >= 6.4     offsets, relative_base, seqs_of_names behind token_index
//   7.2        no relative_base: each offset counts from its own place; and each table is aligned to 4, before to 8
#ifndef DUMP_KERNEL_KALLSYMS_TABLES_H_
#define DUMP_KERNEL_KALLSYMS_TABLES_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "dump/kernel/kernel_memory.h"
#include "dump/snapshot/vmcoreinfo.h"

namespace vmm {

// More symbols than any kernel has (an allyesconfig has under 1 million).
inline constexpr uint32_t kMaxKallsyms = 4 << 20;

// The 256 strings that a byte of a compressed name stands for.
inline constexpr size_t kKallsymsTokens = 256;

// Virtual addresses, all within the image.
struct KallsymsTables {
  uint64_t num_syms = 0;
  uint64_t names = 0;
  uint64_t token_table = 0;
  uint64_t token_index = 0;

  // Where the addresses may lie, the likeliest first: offsets to a base; without one offsets to their own places, or
  // addresses themselves. Which it is shows in that the values make sense.
  struct Addresses {
    uint64_t table = 0;
    std::optional<uint64_t> relative_base;  // where the base is kept
  };
  std::vector<Addresses> addresses;
};

// By the keys that VMCOREINFO has since Linux 6.0. NotFound without.
absl::StatusOr<KallsymsTables> KallsymsByVmcoreInfo(const KernelMemory& memory, const VmcoreInfo& info);

// By looking through the image for the token table, which no kernel hides: 256 strings, among them
// the digits in a row, whose offsets follow as token_index; then for the names whose markers follow
// them. NotFound where nothing stands up to these checks.
absl::StatusOr<KallsymsTables> KallsymsByScan(const KernelMemory& memory);

}  // namespace vmm

#endif  // DUMP_KERNEL_KALLSYMS_TABLES_H_
