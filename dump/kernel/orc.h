// The ORC tables: they say, for each place in the kernel's code, how to find the caller's stack from there
// (CONFIG_UNWINDER_ORC, Linux 4.14 and later, arch/x86/include/asm/orc_types.h).
#ifndef DUMP_KERNEL_ORC_H_
#define DUMP_KERNEL_ORC_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "dump/kernel/kernel_memory.h"
#include "dump/kernel/kernel_symbols.h"

namespace vmm {

// ORC_REG_*, with the numbers that they had at least up to Linux 6.12.
enum class OrcRegister : uint8_t {
  kUndefined = 0,
  kPrevSp = 1,
  kDx = 2,
  kDi = 3,
  kBp = 4,
  kSp = 5,
  kR10 = 6,
  kR13 = 7,
  kBpIndirect = 8,
  kSpIndirect = 9,
};

enum class OrcType {
  kUndefined,    // nothing is known here
  kEndOfStack,   // nobody called this
  kCall,         // sp_register + sp_offset is the caller's stack pointer; the return address lies below it
  kRegs,         // a whole pt_regs lies at that address: an interrupt, an exception or a system call
  kRegsPartial,  // the five words that the CPU itself has pushed lie at that address
};

// One entry, the same for every version's bits.
struct OrcEntry {
  int16_t sp_offset = 0;
  int16_t bp_offset = 0;
  OrcRegister sp_register = OrcRegister::kUndefined;
  OrcRegister bp_register = OrcRegister::kUndefined;
  OrcType type = OrcType::kUndefined;

  friend bool operator==(const OrcEntry&, const OrcEntry&) = default;
};

// The bits above an entry's two registers have changed twice, and after that the registers' numbers.
enum class OrcLayout {
  kTypeAndEnd,        // 4.14 - 6.2: type 2 bits, end 1 bit
  kTypeSignalAndEnd,  // 6.3: type 2, signal 1, end 1
  kType3,             // 6.4 and later: type 3 with more meanings, signal 1
  kType3Renumbered,   // seen in 7.2: the same, but DX 2, SP 3, BP 4, DI 5, PREV_SP 8, BP_INDIRECT 10
};

// The tables of the kernel, or of one module. A view, cheap to copy. Any thread may call.
class OrcTable {
 public:
  // `count` places (int32_t, each relative to its own address, ascending) and as many entries of 6 bytes.
  OrcTable(uint64_t ips, uint64_t entries, uint32_t count, OrcLayout layout)
      : ips_(ips), entries_(entries), count_(count), layout_(layout) {}

  // Finds the kernel's own tables by the symbols __start_orc_unwind_ip and others. NotFound if it has none.
  static absl::StatusOr<OrcTable> Find(const KernelMemory& memory, const KernelSymbols& symbols);

  // The entry that applies to `ip`. NotFound if `ip` is before the first, or if the entry's bits mean nothing.
  absl::StatusOr<OrcEntry> Lookup(const KernelMemory& memory, uint64_t ip) const;

  OrcLayout layout() const { return layout_; }
  uint32_t size() const { return count_; }

 private:
  uint64_t ips_;
  uint64_t entries_;
  uint32_t count_;
  OrcLayout layout_;
};

}  // namespace vmm

#endif  // DUMP_KERNEL_ORC_H_
