// Symbols from outside the guest: a System.map, or the symbol table of a vmlinux or a module.
#ifndef DUMP_KERNEL_SYMBOL_LIST_H_
#define DUMP_KERNEL_SYMBOL_LIST_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "dump/kernel/kernel_symbols.h"

namespace vmm {

// Immutable: any thread may call.
class SymbolList final : public KernelSymbols {
 public:
  // Takes `symbols` in any order. At() finds nothing at `end` and above; 0: no limit.
  SymbolList(std::string source, std::vector<Symbol> symbols, uint64_t end = 0);

  // Parses the lines of a System.map: hexadecimal address, type, name. InvalidArgument, with the line's number and
  // words, if a line is something else (Debian's linux-image holds a System.map that only says where the real one is).
  // InvalidArgument also if there are no lines.
  static absl::StatusOr<std::unique_ptr<SymbolList>> ParseSystemMap(std::string source, std::string_view text);

  // The same from a file. An ELF file is read as a vmlinux, any other as a System.map.
  static absl::StatusOr<std::unique_ptr<SymbolList>> ReadFile(const std::string& path);

  // Returns these symbols as KASLR has moved them: `offset` is added to all that lie in the image's range.
  std::unique_ptr<SymbolList> Moved(uint64_t offset) const;

  std::string Source() const override { return source_; }
  size_t size() const override { return symbols_.size(); }
  void ForEach(const std::function<bool(const Symbol&)>& visit) const override;
  std::vector<uint64_t> FindAll(std::string_view name) const override;
  std::optional<SymbolAt> At(uint64_t address) const override;

 private:
  const std::string source_;
  std::vector<Symbol> symbols_;  // ascending
  const uint64_t end_;
};

}  // namespace vmm

#endif  // DUMP_KERNEL_SYMBOL_LIST_H_
