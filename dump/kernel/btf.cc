#include "dump/kernel/btf.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_format.h"
#include "base/meter.h"

namespace vmm {
namespace {

// struct btf_header, btf_type, btf_member, btf_array (Linux include/uapi/linux/btf.h).
struct Header {
  uint16_t magic;
  uint8_t version;
  uint8_t flags;
  uint32_t hdr_len;
  uint32_t type_off;
  uint32_t type_len;
  uint32_t str_off;
  uint32_t str_len;
};
static_assert(sizeof(Header) == 24);

struct RawType {
  uint32_t name_off;
  uint32_t info;  // bits 0-15 vlen, 24-28 kind, 31 kind_flag
  uint32_t size_or_type;
};
static_assert(sizeof(RawType) == 12);

struct RawMember {
  uint32_t name_off;
  uint32_t type;
  uint32_t offset;  // in bits; with kind_flag only the low 24 bits, and above them the size of a bit field
};
static_assert(sizeof(RawMember) == 12);

struct RawArray {
  uint32_t type;
  uint32_t index_type;
  uint32_t nelems;
};
static_assert(sizeof(RawArray) == 12);

constexpr uint16_t kMagic = 0xeb9f;

enum Kind : uint32_t {
  kInt = 1,
  kPtr = 2,
  kArray = 3,
  kStruct = 4,
  kUnion = 5,
  kEnum = 6,
  kFwd = 7,
  kTypedef = 8,
  kVolatile = 9,
  kConst = 10,
  kRestrict = 11,
  kFunc = 12,
  kFuncProto = 13,
  kVar = 14,
  kDatasec = 15,
  kFloat = 16,
  kDeclTag = 17,
  kTypeTag = 18,
  kEnum64 = 19,
};

// The number of bytes that follow a RawType; none for an unknown kind.
std::optional<uint64_t> SizeBehind(uint32_t kind, uint32_t vlen) {
  switch (kind) {
    case kInt:
    case kVar:
    case kDeclTag: return 4;
    case kArray: return sizeof(RawArray);
    case kStruct:
    case kUnion:
    case kDatasec:
    case kEnum64: return uint64_t{vlen} * 12;
    case kEnum:
    case kFuncProto: return uint64_t{vlen} * 8;
    case kPtr:
    case kFwd:
    case kTypedef:
    case kVolatile:
    case kConst:
    case kRestrict:
    case kFunc:
    case kFloat:
    case kTypeTag: return 0;
    default: return std::nullopt;
  }
}

// A longer name is cut (KSYM_NAME_LEN is 512). Without a limit, many types could share one name of megabytes.
constexpr size_t kMaxName = 512;

// Many structs may be made to share a hash. The names of so many are compared.
constexpr size_t kMaxSameHash = 16;

// FNV-1a.
uint32_t HashOf(std::string_view name) {
  uint32_t hash = 2166136261;
  for (const char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619;
  return hash;
}

// No honest chain of typedefs or nest of structs is deeper. The number of members looked at is bounded, too.
constexpr int kMaxDepth = 16;
constexpr int kMaxMembers = 100'000;

template <typename T>
T ReadAt(const std::vector<uint8_t>& bytes, size_t at) {
  T value;
  std::memcpy(&value, &bytes[at], sizeof(value));
  return value;
}

}  // namespace

struct Btf::Type {
  uint32_t at;  // offset of the bytes after the RawType
  RawType raw;
  uint32_t kind() const { return raw.info >> 24 & 0x1f; }
  uint32_t vlen() const { return raw.info & 0xffff; }
  bool kind_flag() const { return (raw.info >> 31) != 0; }
};

struct Btf::Member {
  std::string_view name;
  uint32_t type;
  uint64_t offset;
};

absl::StatusOr<Btf> Btf::Parse(std::vector<uint8_t> bytes) {
  if (bytes.size() > kMaxSize) {
    return absl::InvalidArgumentError(absl::StrFormat("BTF: %d bytes, more than %d", bytes.size(), kMaxSize));
  }
  Btf btf(std::move(bytes));
  RETURN_IF_ERROR(btf.Index());
  return btf;
}

absl::StatusOr<Btf> Btf::Read(const KernelMemory& memory, const KernelSymbols& symbols) {
  const std::optional<uint64_t> start = symbols.Find("__start_BTF");
  const std::optional<uint64_t> stop = symbols.Find("__stop_BTF");
  if (!start || !stop || *stop <= *start || *stop - *start > kMaxSize) {
    return absl::NotFoundError("the kernel has no BTF (CONFIG_DEBUG_INFO_BTF)");
  }
  ASSIGN_OR_RETURN(std::vector<uint8_t> bytes, memory.ReadBytes(*start, *stop - *start));
  return Parse(std::move(bytes));
}

absl::Status Btf::Index() {
  if (bytes_.size() < sizeof(Header)) return absl::InvalidArgumentError("BTF: no header");
  const auto header = ReadAt<Header>(bytes_, 0);
  if (header.magic != kMagic || header.version != 1 || header.hdr_len < sizeof(Header)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("BTF: magic %#x version %d header of %d bytes", header.magic, header.version, header.hdr_len));
  }
  const uint64_t types_start = uint64_t{header.hdr_len} + header.type_off;
  const uint64_t types_end = types_start + header.type_len;
  const uint64_t strings_start = uint64_t{header.hdr_len} + header.str_off;
  if (types_end > bytes_.size() || strings_start + header.str_len > bytes_.size()) {
    return absl::InvalidArgumentError("BTF: a section passes the end");
  }
  strings_ = static_cast<uint32_t>(strings_start);
  strings_size_ = header.str_len;
  if (strings_size_ == 0 || bytes_[strings_start + strings_size_ - 1] != 0) {
    return absl::InvalidArgumentError("BTF: the strings do not end with a NUL");
  }
  types_.assign(1, 0);
  Meter meter(kBtfBudget);
  for (uint64_t at = types_start; at < types_end;) {
    if (types_end - at < sizeof(RawType)) return absl::InvalidArgumentError("BTF: half a type at the end");
    const auto raw = ReadAt<RawType>(bytes_, at);
    const std::optional<uint64_t> behind = SizeBehind(raw.info >> 24 & 0x1f, raw.info & 0xffff);
    if (!behind.has_value() || *behind > types_end - at - sizeof(RawType)) {
      return absl::InvalidArgumentError(absl::StrFormat("BTF: type %d at %#x has unknown kind %d or passes the end",
                                                        types_.size(), at, raw.info >> 24 & 0x1f));
    }
    if (!meter.Step()) return meter.status();
    types_.push_back(static_cast<uint32_t>(at));
    at += sizeof(RawType) + *behind;
  }
  IndexStructs();
  return absl::OkStatus();
}

void Btf::IndexStructs() {
  for (uint32_t id = 1; id < types_.size(); ++id) {
    const std::optional<Type> type = TypeOf(id);
    if (type->kind() != kStruct) continue;
    if (const std::string_view name = NameAt(type->raw.name_off); !name.empty()) {
      structs_.push_back({HashOf(name), id});
    }
  }
  std::sort(structs_.begin(), structs_.end());
}

bool Btf::Pay(uint64_t steps) const {
  return look_up_steps_->fetch_add(steps, std::memory_order_relaxed) + steps <= kBtfLookUpBudget.steps;
}

std::optional<Btf::Type> Btf::TypeOf(uint32_t id) const {
  if (id == 0 || id >= types_.size()) return std::nullopt;
  return Type{types_[id] + static_cast<uint32_t>(sizeof(RawType)), ReadAt<RawType>(bytes_, types_[id])};
}

std::string_view Btf::NameAt(uint32_t offset) const {
  if (offset >= strings_size_) return {};
  const char* const name = reinterpret_cast<const char*>(&bytes_[strings_ + offset]);
  return {name, strnlen(name, std::min<size_t>(kMaxName, strings_size_ - offset))};
}

std::optional<Btf::Member> Btf::MemberOf(const Type& type, uint32_t index) const {
  const auto raw = ReadAt<RawMember>(bytes_, type.at + index * sizeof(RawMember));
  const uint64_t bits = type.kind_flag() ? raw.offset & 0xffffff : raw.offset;
  return Member{NameAt(raw.name_off), raw.type, bits / 8};
}

std::optional<uint32_t> Btf::FindStruct(std::string_view name) const {
  const uint32_t hash = HashOf(name);
  auto candidate = std::lower_bound(structs_.begin(), structs_.end(), NamedStruct{hash, 0});
  for (size_t i = 0; i < kMaxSameHash && candidate != structs_.end() && candidate->hash == hash; ++i, ++candidate) {
    if (!Pay(1)) break;
    if (NameAt(TypeOf(candidate->id)->raw.name_off) == name) return candidate->id;
  }
  return std::nullopt;
}

std::optional<uint32_t> Btf::Resolve(uint32_t id) const {
  for (int depth = 0; depth < kMaxDepth; ++depth) {
    const std::optional<Type> type = TypeOf(id);
    if (!type.has_value()) return std::nullopt;
    switch (type->kind()) {
      case kTypedef:
      case kVolatile:
      case kConst:
      case kRestrict:
      case kTypeTag: id = type->raw.size_or_type; break;
      default: return id;
    }
  }
  return std::nullopt;
}

std::optional<uint64_t> Btf::SizeOfType(uint32_t id) const {
  uint64_t count = 1;
  for (int depth = 0; depth < kMaxDepth; ++depth) {
    const std::optional<uint32_t> resolved = Resolve(id);
    if (!resolved.has_value()) return std::nullopt;
    const std::optional<Type> type = TypeOf(*resolved);
    if (type->kind() == kPtr) return count * sizeof(uint64_t);
    if (type->kind() != kArray) return count * type->raw.size_or_type;
    const auto array = ReadAt<RawArray>(bytes_, type->at);
    count *= array.nelems;
    if (count > UINT32_MAX) return std::nullopt;
    id = array.type;
  }
  return std::nullopt;
}

std::optional<uint64_t> Btf::SizeOf(std::string_view name) const {
  const std::optional<uint32_t> id = FindStruct(name);
  return id.has_value() ? SizeOfType(*id) : std::nullopt;
}

std::optional<Btf::Found> Btf::FindMember(uint32_t id, std::string_view name, int depth, int* budget) const {
  const std::optional<uint32_t> resolved = Resolve(id);
  if (!resolved.has_value() || depth > kMaxDepth) return std::nullopt;
  const std::optional<Type> type = TypeOf(*resolved);
  if (type->kind() != kStruct && type->kind() != kUnion) return std::nullopt;
  for (uint32_t i = 0; i < type->vlen() && --*budget > 0; ++i) {
    const std::optional<Member> member = MemberOf(*type, i);
    if (!member->name.empty()) {
      if (member->name == name) return Found{member->offset, member->type};
      continue;
    }
    if (const auto inner = FindMember(member->type, name, depth + 1, budget); inner.has_value()) {
      return Found{member->offset + inner->offset, inner->type};
    }
  }
  return std::nullopt;
}

std::optional<Btf::Field> Btf::FindField(std::string_view name, std::string_view path) const {
  std::optional<uint32_t> id = FindStruct(name);
  Field field;
  int budget = kMaxMembers;
  for (;;) {
    if (!id.has_value() || !Pay(0)) return std::nullopt;
    const size_t dot = path.find('.');
    const int before = budget;
    const std::optional<Found> found = FindMember(*id, path.substr(0, dot), 0, &budget);
    if (!Pay(static_cast<uint64_t>(before - budget))) return std::nullopt;
    if (!found.has_value()) return std::nullopt;
    field.offset += found->offset;
    id = Resolve(found->type);
    if (dot == std::string_view::npos) break;
    path.remove_prefix(dot + 1);
  }
  if (!id.has_value()) return std::nullopt;
  const std::optional<uint64_t> size = SizeOfType(*id);
  if (!size.has_value()) return std::nullopt;
  field.size = *size;
  field.element_size = *size;
  if (const std::optional<Type> type = TypeOf(*id); type->kind() == kArray) {
    field.element_size = SizeOfType(ReadAt<RawArray>(bytes_, type->at).type).value_or(0);
  }
  return field;
}

}  // namespace vmm
