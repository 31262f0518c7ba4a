#include "dump/kernel/symbol_list.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/str_format.h"
#include "base/input_file.h"
#include "base/status.h"
#include "dump/kernel/elf_symbols.h"
#include "dump/kernel/kernel_map.h"

namespace vmm {
namespace {

constexpr std::string_view kElfMagic = "\177ELF";

// A distribution's vmlinux with full debug info has less than 1 GiB.
constexpr uint64_t kMaxVmlinux = 4ull << 30;

// The System.map of Debian's 6.1 has 7 MB.
constexpr uint64_t kMaxSystemMap = 256 << 20;

}  // namespace

SymbolList::SymbolList(std::string source, std::vector<Symbol> symbols, uint64_t end)
    : source_(std::move(source)), symbols_(std::move(symbols)), end_(end) {
  std::stable_sort(symbols_.begin(), symbols_.end(),
                   [](const Symbol& a, const Symbol& b) { return a.address < b.address; });
}

absl::StatusOr<std::unique_ptr<SymbolList>> SymbolList::ParseSystemMap(std::string source, std::string_view text) {
  std::vector<Symbol> symbols;
  int number = 0;
  while (!text.empty()) {
    ++number;
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty()) continue;
    Symbol symbol;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), symbol.address, 16);
    const std::string_view rest(end, static_cast<size_t>(line.data() + line.size() - end));
    if (error != std::errc() || rest.size() < 4 || rest[0] != ' ' || rest[2] != ' ') {
      return absl::InvalidArgumentError(absl::StrFormat("%s line %d is not 'address type name': '%s'", source, number,
                                                        std::string(line.substr(0, 60))));
    }
    symbol.type = rest[1];
    symbol.name = rest.substr(3);
    symbols.push_back(std::move(symbol));
  }
  if (symbols.empty()) return absl::InvalidArgumentError(absl::StrFormat("%s has no symbols", source));
  return std::make_unique<SymbolList>(std::move(source), std::move(symbols));
}

absl::StatusOr<std::unique_ptr<SymbolList>> SymbolList::ReadFile(const std::string& path) {
  ASSIGN_OR_RETURN(const InputFile file, Annotate(InputFile::Open(path, {.most = kMaxVmlinux}), path));
  std::string magic(std::min<uint64_t>(kElfMagic.size(), file.size()), '\0');
  RETURN_IF_ERROR(Annotate(file.Read(0, {reinterpret_cast<uint8_t*>(magic.data()), magic.size()}), path));
  if (magic == kElfMagic) {
    ASSIGN_OR_RETURN(std::vector<Symbol> symbols, Annotate(ReadElfSymbols(file), path));
    return std::make_unique<SymbolList>(path, std::move(symbols));
  }
  if (file.size() > kMaxSystemMap) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s is neither an ELF file nor a System.map: it has %d bytes, "
                        "more than the %d that a System.map may have",
                        path, file.size(), kMaxSystemMap));
  }
  ASSIGN_OR_RETURN(const std::string text, Annotate(file.ReadAll(), path));
  return ParseSystemMap(path, text);
}

std::unique_ptr<SymbolList> SymbolList::Moved(uint64_t offset) const {
  std::vector<Symbol> moved = symbols_;
  for (Symbol& symbol : moved) {
    if (symbol.address >= kStartKernelMap && symbol.address < kKernelImageEnd) symbol.address += offset;
  }
  return std::make_unique<SymbolList>(source_, std::move(moved), kKernelImageEnd);
}

void SymbolList::ForEach(const std::function<bool(const Symbol&)>& visit) const {
  for (const Symbol& symbol : symbols_) {
    if (!visit(symbol)) return;
  }
}

std::vector<uint64_t> SymbolList::FindAll(std::string_view name) const {
  std::vector<uint64_t> found;
  for (const Symbol& symbol : symbols_) {
    if (symbol.name == name) found.push_back(symbol.address);
  }
  return found;
}

std::optional<SymbolAt> SymbolList::At(uint64_t address) const {
  if (end_ != 0 && address >= end_) return std::nullopt;
  const auto behind = std::upper_bound(symbols_.begin(), symbols_.end(), address,
                                       [](uint64_t value, const Symbol& symbol) { return value < symbol.address; });
  if (behind == symbols_.begin()) return std::nullopt;
  const uint64_t start = std::prev(behind)->address;
  const auto first = std::lower_bound(symbols_.begin(), behind, start,
                                      [](const Symbol& symbol, uint64_t value) { return symbol.address < value; });
  return SymbolAt{first->name, address - start, behind == symbols_.end() ? 0 : behind->address - start};
}

}  // namespace vmm
