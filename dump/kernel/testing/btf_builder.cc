#include "dump/kernel/testing/btf_builder.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace vmm {

void BtfBuilder::Word(uint32_t word) {
  const auto* const raw = reinterpret_cast<const uint8_t*>(&word);
  types_.insert(types_.end(), raw, raw + sizeof(word));
}

uint32_t BtfBuilder::Name(std::string_view name) {
  if (name.empty()) return 0;
  const auto offset = static_cast<uint32_t>(strings_.size());
  strings_ += name;
  strings_ += '\0';
  return offset;
}

uint32_t BtfBuilder::Add(std::string_view name, uint32_t kind, uint32_t vlen, uint32_t size_or_type) {
  Word(Name(name));
  Word(kind << 24 | vlen);
  Word(size_or_type);
  return ++last_;
}

uint32_t BtfBuilder::Int(std::string_view name, uint32_t size) {
  const uint32_t id = Add(name, 1, 0, size);
  Word(size * 8);
  return id;
}

uint32_t BtfBuilder::Pointer(uint32_t to) { return Add("", 2, 0, to); }

uint32_t BtfBuilder::Array(uint32_t of, uint32_t count) {
  const uint32_t id = Add("", 3, 0, 0);
  Word(of);
  Word(of);
  Word(count);
  return id;
}

uint32_t BtfBuilder::Typedef(std::string_view name, uint32_t of) { return Add(name, 8, 0, of); }

uint32_t BtfBuilder::Struct(std::string_view name, uint32_t size, const std::vector<Member>& members) {
  const uint32_t id = Add(name, 4, static_cast<uint32_t>(members.size()), size);
  for (const Member& member : members) {
    Word(Name(member.name));
    Word(member.type);
    Word(member.offset * 8);
  }
  return id;
}

uint32_t BtfBuilder::Union(std::string_view name, uint32_t size, const std::vector<Member>& members) {
  const size_t start = types_.size();
  const uint32_t id = Struct(name, size, members);
  types_[start + 7] = 5;  // the kind, in the top byte of info
  return id;
}

std::vector<uint8_t> BtfBuilder::Build() const {
  const auto types = static_cast<uint32_t>(types_.size());
  const uint32_t header[] = {0x0001eb9f, 24, 0, types, types, static_cast<uint32_t>(strings_.size())};
  std::vector<uint8_t> bytes(sizeof(header) + types_.size() + strings_.size());
  std::memcpy(bytes.data(), header, sizeof(header));
  std::copy(types_.begin(), types_.end(), bytes.begin() + sizeof(header));
  std::copy(strings_.begin(), strings_.end(), bytes.end() - static_cast<ptrdiff_t>(strings_.size()));
  return bytes;
}

}  // namespace vmm
