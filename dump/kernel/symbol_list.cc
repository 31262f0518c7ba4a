#include "dump/kernel/symbol_list.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>

#include "absl/strings/str_format.h"
#include "dump/kernel/elf_symbols.h"
#include "dump/kernel/kernel_map.h"

namespace vmm {
namespace {

constexpr std::string_view kElfMagic = "\177ELF";

// A System.map of Debian's 6.1 has 7 MB.
constexpr std::streamsize kMaxSystemMap = 256 << 20;

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
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrFormat("cannot open %s", path));
  char magic[4] = {};
  file.read(magic, sizeof(magic));
  if (std::string_view(magic, static_cast<size_t>(file.gcount())) == kElfMagic) {
    ASSIGN_OR_RETURN(std::vector<Symbol> symbols, ReadElfSymbols(path));
    return std::make_unique<SymbolList>(path, std::move(symbols));
  }
  file.clear();
  file.seekg(0, std::ios::end);
  if (file.tellg() > kMaxSystemMap) return absl::InvalidArgumentError(absl::StrFormat("%s is no System.map", path));
  file.seekg(0);
  const std::string text(std::istreambuf_iterator<char>(file), {});
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
