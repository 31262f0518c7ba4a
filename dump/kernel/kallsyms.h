// Reads the symbols that a kernel carries in its own memory, so no vmlinux is needed.
#ifndef DUMP_KERNEL_KALLSYMS_H_
#define DUMP_KERNEL_KALLSYMS_H_

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/meter.h"
#include "dump/kernel/kallsyms_tables.h"
#include "dump/kernel/kernel_memory.h"
#include "dump/kernel/kernel_symbols.h"
#include "dump/snapshot/vmcoreinfo.h"

namespace vmm {

// Keeps the tables compressed, as the guest has them: about 14 bytes per symbol, 2 MiB for a distribution's kernel.
// Expands a name on request. Reading costs at most kKallsymsBudget. Any thread may call.
class Kallsyms final : public KernelSymbols {
 public:
  // Finds the tables by VMCOREINFO if it names them, else by a scan of the image, which reads the whole image once.
  // Checks that they make sense: names are of printable characters, addresses ascend, and most of them lie in the
  // image. Else NotFound, with the check that failed.
  static absl::StatusOr<std::unique_ptr<Kallsyms>> Open(const KernelMemory& memory,
                                                        const std::optional<VmcoreInfo>& info);

  // The same from tables that the caller has found.
  static absl::StatusOr<std::unique_ptr<Kallsyms>> Read(const KernelMemory& memory, const KallsymsTables& tables);

  std::string Source() const override { return "kallsyms in the guest's memory"; }
  size_t size() const override { return count_; }
  void ForEach(const std::function<bool(const Symbol&)>& visit) const override;
  std::vector<uint64_t> FindAll(std::string_view name) const override;
  std::optional<SymbolAt> At(uint64_t address) const override;

  // The number of names that all calls of FindAll() have compared so far.
  uint64_t compared() const;

 private:
  // The meaning of the number that the tables hold for a symbol's address.
  enum class Form {
    kAddress,          // the number is the address
    kOffset,           // unsigned offset from relative_base
    kAbsoluteOrBelow,  // CONFIG_KALLSYMS_ABSOLUTE_PERCPU: the address itself; if negative, relative_base - 1 - number
    kFromItsPlace,     // signed offset from the number's own address
  };

  explicit Kallsyms(VirtualSegment image) : image_(image) {}

  absl::Status ReadNames(const KernelMemory& memory, const KallsymsTables& tables, Meter& meter);
  absl::Status ReadTokens(const KernelMemory& memory, const KallsymsTables& tables);
  absl::Status ReadAddresses(const KernelMemory& memory, const KallsymsTables::Addresses& where);
  bool AddressesMakeSense() const;

  uint64_t AddressOf(uint32_t index) const;

  // The index of the first symbol at `address` or after it.
  uint32_t FirstAtOrAfter(uint64_t address) const;

  // The compressed bytes of the name at `*at` in names_, which ReadNames() has checked. Moves `*at` to the next name.
  std::span<const uint8_t> NextName(size_t* at) const;
  std::span<const uint8_t> NameOf(uint32_t index) const;
  std::string Expand(std::span<const uint8_t> compressed) const;  // with the type as first character
  bool Expands(std::span<const uint8_t> compressed, std::string_view name) const;

  const VirtualSegment image_;
  uint32_t count_ = 0;
  std::vector<uint8_t> names_;
  std::vector<uint32_t> markers_;  // the offset in names_ of every 256th name
  std::vector<std::string> tokens_;
  Form form_ = Form::kAddress;
  uint64_t relative_base_ = 0;  // for kFromItsPlace: the address of the offsets
  std::vector<uint32_t> offsets_;
  std::vector<uint64_t> addresses_;

  // FindAll() compares with every name, and a report asks for the same few names once for each CPU. At most
  // kMaxAnswers answers are kept.
  mutable std::mutex mutex_;  // guards the two below
  mutable std::map<std::string, std::vector<uint64_t>, std::less<>> answers_;
  mutable uint64_t compared_ = 0;
};

}  // namespace vmm

#endif  // DUMP_KERNEL_KALLSYMS_H_
