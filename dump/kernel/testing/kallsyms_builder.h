// Builds kallsyms tables as scripts/kallsyms of each Linux version lays them out.
#ifndef DUMP_KERNEL_TESTING_KALLSYMS_BUILDER_H_
#define DUMP_KERNEL_TESTING_KALLSYMS_BUILDER_H_

#include <cstdint>
#include <vector>

#include "dump/kernel/kallsyms_tables.h"
#include "dump/kernel/kernel_symbols.h"

namespace vmm {

struct KallsymsShape {
  bool base_relative = true;      // offsets and a base instead of addresses
  bool absolute_percpu = true;    // CONFIG_KALLSYMS_ABSOLUTE_PERCPU
  bool long_markers = false;      // before Linux 4.20
  bool addresses_behind = false;  // after the token table: since 6.4
  bool seqs_of_names = false;     // before the token table: 6.2, 6.3
  bool place_relative = false;    // offsets from their own places, without a base: 7.2
  uint64_t alignment = 8;         // of each table; 7.2: 4
};

struct BuiltKallsyms {
  std::vector<uint8_t> bytes;
  KallsymsTables tables;  // one entry in `addresses`
};

// Builds the tables of `symbols`, ascending by address, for the virtual address `at`, which is aligned to 8.
BuiltKallsyms BuildKallsyms(const std::vector<Symbol>& symbols, uint64_t at, const KallsymsShape& shape = {});

// Returns `count` functions of 16 bytes each, from `first` on: "function_0000" and so on.
std::vector<Symbol> ManyFunctions(uint64_t first, size_t count);

}  // namespace vmm

#endif  // DUMP_KERNEL_TESTING_KALLSYMS_BUILDER_H_
