// The symbols that a kernel carries in its own memory, read from there: no vmlinux is needed.
#ifndef DUMP_KERNEL_KALLSYMS_H_
#define DUMP_KERNEL_KALLSYMS_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dump/kernel/kallsyms_tables.h"
#include "dump/kernel/kernel_memory.h"
#include "dump/kernel/kernel_symbols.h"
#include "dump/snapshot/vmcoreinfo.h"

namespace vmm {

// Keeps the tables as the guest has them, compressed: about 14 bytes a symbol, 2 MiB for a
// distribution's kernel. A name is expanded when it is asked for. Immutable: any thread may call.
class Kallsyms final : public KernelSymbols {
 public:
  // Finds the tables by VMCOREINFO where it names them, else by a scan of the image (which reads all
  // of it once), and checks that they make sense: names of printable characters, addresses ascending
  // and most of them in the image. NotFound, with the check that failed, else.
  static absl::StatusOr<std::unique_ptr<Kallsyms>> Open(const KernelMemory& memory,
                                                        const std::optional<VmcoreInfo>& info);

  // The same from tables that somebody has found.
  static absl::StatusOr<std::unique_ptr<Kallsyms>> Read(const KernelMemory& memory, const KallsymsTables& tables);

  std::string Source() const override { return "kallsyms in the guest's memory"; }
  size_t size() const override { return count_; }
  void ForEach(const std::function<bool(const Symbol&)>& visit) const override;
  std::vector<uint64_t> FindAll(std::string_view name) const override;
  std::optional<SymbolAt> At(uint64_t address) const override;

 private:
  // How a symbol's number gives its address.
  enum class Form {
    kAddress,          // it is the address
    kOffset,           // unsigned, from relative_base
    kAbsoluteOrBelow,  // CONFIG_KALLSYMS_ABSOLUTE_PERCPU: as it is, or where negative relative_base - 1 - it
    kFromItsPlace,     // signed, from where it stands
  };

  explicit Kallsyms(VirtualSegment image) : image_(image) {}

  absl::Status ReadNames(const KernelMemory& memory, const KallsymsTables& tables);
  absl::Status ReadTokens(const KernelMemory& memory, const KallsymsTables& tables);
  absl::Status ReadAddresses(const KernelMemory& memory, const KallsymsTables::Addresses& where);
  bool AddressesMakeSense() const;

  uint64_t AddressOf(uint32_t index) const;

  // The compressed bytes of the name at `*at` in names_, which ReadNames() has checked; moves on to the next.
  std::span<const uint8_t> NextName(size_t* at) const;
  std::span<const uint8_t> NameOf(uint32_t index) const;
  std::string Expand(std::span<const uint8_t> compressed) const;  // with the type in front
  bool Expands(std::span<const uint8_t> compressed, std::string_view name) const;

  const VirtualSegment image_;
  uint32_t count_ = 0;
  std::vector<uint8_t> names_;
  std::vector<uint32_t> markers_;  // the offset in names_ of each 256th name
  std::vector<std::string> tokens_;
  Form form_ = Form::kAddress;
  uint64_t relative_base_ = 0;  // of kFromItsPlace: where the offsets stand
  std::vector<uint32_t> offsets_;
  std::vector<uint64_t> addresses_;
};

}  // namespace vmm

#endif  // DUMP_KERNEL_KALLSYMS_H_
