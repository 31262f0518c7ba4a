#include "dump/kernel/testing/kallsyms_builder.h"

#include <array>
#include <string>
#include <string_view>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

// Each printable character stands for itself. The tokens set below stand for more.
const std::array<std::string, kKallsymsTokens>& Tokens() {
  static const auto* const tokens = [] {
    auto* table = new std::array<std::string, kKallsymsTokens>;
    for (size_t i = 0; i < table->size(); ++i) {
      (*table)[i] = i >= ' ' && i <= '~' ? std::string(1, static_cast<char>(i)) : absl::StrFormat("_%02x_", i);
    }
    (*table)[0x80] = "tfunction_";
    (*table)[0x81] = "sys_";
    (*table)[0] = "__";
    return table;
  }();
  return *tokens;
}

class Bytes {
 public:
  Bytes(uint64_t at, uint64_t alignment) : at_(at), alignment_(alignment) {}
  template <typename T>
  void Add(T value) {
    const auto* const raw = reinterpret_cast<const uint8_t*>(&value);
    bytes_.insert(bytes_.end(), raw, raw + sizeof(value));
  }
  // The address of the next item.
  uint64_t Label() {
    while (bytes_.size() % alignment_ != 0) bytes_.push_back(0);
    return at_ + bytes_.size();
  }
  uint64_t size() const { return bytes_.size(); }
  std::vector<uint8_t> Take() { return std::move(bytes_); }

 private:
  const uint64_t at_;
  const uint64_t alignment_;
  std::vector<uint8_t> bytes_;
};

std::vector<uint8_t> Compress(std::string_view name) {
  std::vector<uint8_t> out;
  while (!name.empty()) {
    uint8_t best = static_cast<uint8_t>(name[0]);
    for (const uint8_t token : {uint8_t{0x80}, uint8_t{0x81}, uint8_t{0}}) {
      if (name.starts_with(Tokens()[token])) best = token;
    }
    out.push_back(best);
    name.remove_prefix(Tokens()[best].size());
  }
  return out;
}

}  // namespace

BuiltKallsyms BuildKallsyms(const std::vector<Symbol>& symbols, uint64_t at, const KallsymsShape& shape) {
  BuiltKallsyms built;
  Bytes bytes(at, shape.alignment);
  uint64_t base = 0;
  for (const Symbol& symbol : symbols) {
    if (symbol.type != 'A') {
      base = symbol.address;
      break;
    }
  }
  const auto add_addresses = [&] {
    KallsymsTables::Addresses& addresses = built.tables.addresses.emplace_back();
    addresses.table = bytes.Label();
    for (const Symbol& symbol : symbols) {
      if (shape.place_relative) {
        bytes.Add(static_cast<uint32_t>(symbol.address - (at + bytes.size())));
      } else if (!shape.base_relative) {
        bytes.Add(symbol.address);
      } else if (!shape.absolute_percpu) {
        bytes.Add(static_cast<uint32_t>(symbol.address - base));
      } else {
        bytes.Add(static_cast<uint32_t>(symbol.type == 'A' ? symbol.address : base - 1 - symbol.address));
      }
    }
    if (shape.base_relative && !shape.place_relative) {
      addresses.relative_base = bytes.Label();
      bytes.Add(base);
    }
  };
  if (!shape.addresses_behind) add_addresses();

  built.tables.num_syms = bytes.Label();
  bytes.Add(static_cast<uint32_t>(symbols.size()));
  built.tables.names = bytes.Label();
  const uint64_t names = bytes.size();
  std::vector<uint64_t> markers;
  for (size_t i = 0; i < symbols.size(); ++i) {
    if (i % 256 == 0) markers.push_back(bytes.size() - names);
    const std::vector<uint8_t> name = Compress(std::string(1, symbols[i].type) + symbols[i].name);
    if (name.size() < 0x80) {
      bytes.Add(static_cast<uint8_t>(name.size()));
    } else {
      bytes.Add(static_cast<uint8_t>((name.size() & 0x7f) | 0x80));
      bytes.Add(static_cast<uint8_t>(name.size() >> 7));
    }
    for (const uint8_t byte : name) bytes.Add(byte);
  }
  bytes.Label();
  for (const uint64_t marker : markers) {
    if (shape.long_markers) {
      bytes.Add(marker);
    } else {
      bytes.Add(static_cast<uint32_t>(marker));
    }
  }
  const auto add_seqs = [&] {
    bytes.Label();
    for (size_t i = 0; i < symbols.size(); ++i) {
      for (int byte = 2; byte >= 0; --byte) bytes.Add(static_cast<uint8_t>(i >> 8 * byte));
    }
  };
  if (shape.seqs_of_names) add_seqs();

  built.tables.token_table = bytes.Label();
  std::vector<uint16_t> index;
  for (const std::string& token : Tokens()) {
    index.push_back(static_cast<uint16_t>(at + bytes.size() - built.tables.token_table));
    for (const char c : token) bytes.Add(c);
    bytes.Add('\0');
  }
  built.tables.token_index = bytes.Label();
  for (const uint16_t offset : index) bytes.Add(offset);
  if (shape.addresses_behind) {
    add_addresses();
    add_seqs();
  }
  built.bytes = bytes.Take();
  return built;
}

std::vector<Symbol> ManyFunctions(uint64_t first, size_t count) {
  std::vector<Symbol> symbols;
  for (size_t i = 0; i < count; ++i) symbols.push_back({first + 16 * i, 't', absl::StrFormat("function_%04d", i)});
  return symbols;
}

}  // namespace vmm
