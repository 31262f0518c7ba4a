#include "dump/kernel/kallsyms_tables.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

// The alignment of each table: 4 in Linux 7.2, 8 in all kernels up to 6.12 and some after it.
constexpr uint64_t kMinAlignment = 4;
constexpr uint64_t kAlignment = 8;
constexpr size_t kTokenIndexSize = kKallsymsTokens * sizeof(uint16_t);

// No more of an image is searched. Debian's is 60 MiB.
constexpr uint64_t kMaxImage = 256 << 20;

// The digits occur in every kernel's names, so they stand for themselves.
constexpr char kDigits[] = "0\0001\0002\0003\0004\0005\0006\0007\0008\0009";  // includes the last digit's NUL
constexpr int kFirstDigit = '0';

// Names and markers end before the token table, within this distance.
constexpr uint64_t kMaxNames = kKallsymsBudget.bytes;

// The image is searched in windows of this size, in a buffer that stays warm.
constexpr uint64_t kWindow = 256 << 10;

// token_index has 16 bits for an offset, so all tokens together are at most this long.
constexpr uint64_t kMaxTokenTable = 64 << 10;

// A kernel has one such table, and its digits occur once or twice more. An image full of them is rubbish.
constexpr int kMaxHits = 1024;
constexpr int kMaxTokenTables = 4;

// The number of names that may be skipped in all to find the first one. In rubbish, a walk ends soon.
constexpr uint64_t kMaxSteps = 50 << 20;

// A real kernel has at least this many names, and fewer than two markers would prove nothing.
constexpr uint32_t kMinKallsyms = 512;

uint16_t ReadU16(const uint8_t* at) {
  uint16_t value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

uint32_t ReadU32(const uint8_t* at) {
  uint32_t value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

bool IsZero(uint8_t byte) { return byte == 0; }

std::vector<KallsymsTables::Addresses> PossibleAddresses(uint64_t num_syms, uint64_t token_index, uint64_t count) {
  const uint64_t base_before = num_syms - sizeof(uint64_t);
  const uint64_t offsets_behind = AlignUp(token_index + kTokenIndexSize, kAlignment);
  const uint64_t base_behind = AlignUp(offsets_behind + count * sizeof(uint32_t), kAlignment);
  return {{AlignDown(base_before - count * sizeof(uint32_t), kAlignment), base_before},
          {offsets_behind, base_behind},
          {num_syms - count * sizeof(uint64_t), std::nullopt},
          {token_index + kTokenIndexSize, std::nullopt}};
}

// True if the 256 strings from `table` on end within `bytes` and have the offsets that `index` holds.
bool IndexAgrees(std::span<const uint8_t> bytes, size_t table, size_t index) {
  size_t at = table;
  for (size_t token = 0; token < kKallsymsTokens; ++token) {
    if (ReadU16(&bytes[index + token * sizeof(uint16_t)]) != at - table) return false;
    const auto* const end = static_cast<const uint8_t*>(std::memchr(&bytes[at], 0, index - at));
    if (end == nullptr) return false;
    at = static_cast<size_t>(end - bytes.data()) + 1;
  }
  return at <= index && index - at < kAlignment;
}

// The token table around the digits at `digits`.
struct Tokens {
  size_t table = 0;
  size_t index = 0;
};
std::optional<Tokens> FindTokens(std::span<const uint8_t> bytes, size_t digits) {
  // Go forward to the end of the last string, then back to the start of the first.
  size_t end = digits;
  for (size_t token = kFirstDigit; token < kKallsymsTokens; ++token) {
    const auto* const nul = static_cast<const uint8_t*>(std::memchr(&bytes[end], 0, bytes.size() - end));
    if (nul == nullptr) return std::nullopt;
    end = static_cast<size_t>(nul - bytes.data()) + 1;
    if (end >= bytes.size()) return std::nullopt;
  }
  for (const uint64_t alignment : {kMinAlignment, kAlignment}) {
    const size_t index = AlignUp(end, alignment);
    if (index + kTokenIndexSize > bytes.size()) return std::nullopt;
    const size_t digit_offset = ReadU16(&bytes[index + kFirstDigit * sizeof(uint16_t)]);
    if (digit_offset <= digits && IndexAgrees(bytes, digits - digit_offset, index)) {
      return Tokens{digits - digit_offset, index};
    }
  }
  return std::nullopt;
}

// Skips one compressed name. Its length is one byte, or since Linux 6.1 also two.
bool SkipName(std::span<const uint8_t> bytes, size_t* at) {
  if (*at + 2 > bytes.size()) return false;
  size_t length = bytes[*at];
  *at += 1;
  if ((length & 0x80) != 0) {
    length = (length & 0x7f) | (size_t{bytes[*at]} << 7);
    *at += 1;
  }
  if (length == 0 || length > bytes.size() - *at) return false;
  *at += length;
  return true;
}

// True if num_syms is at `at` in `bytes`, which end at the start of the token table. Then that many names must follow,
// and after them the markers: the offset of every 256th name. Names and markers are each aligned to `alignment`.
bool AreNames(std::span<const uint8_t> bytes, size_t at, uint64_t alignment, uint64_t* steps) {
  const uint32_t count = ReadU32(&bytes[at]);
  if (count < kMinKallsyms || count > kMaxKallsyms || count > bytes.size() - at) return false;
  const size_t names = AlignUp(at + sizeof(count), alignment);
  size_t end = names;
  size_t second_marker = 0;
  for (uint32_t i = 0; i < count; ++i) {
    if (i == 256) second_marker = end - names;
    if (++*steps > kMaxSteps || !SkipName(bytes, &end)) return false;
  }
  const size_t markers = AlignUp(end, alignment);
  const auto second_is = [&](size_t size) {
    return markers + 2 * size <= bytes.size() && std::all_of(&bytes[markers], &bytes[markers + size], IsZero) &&
           ReadU32(&bytes[markers + size]) == second_marker;
  };
  return second_is(sizeof(uint32_t)) || second_is(sizeof(uint64_t));  // markers were longer before Linux 4.20
}

// A stretch of the image, in virtual addresses.
struct Stretch {
  uint64_t begin = 0;
  uint64_t end = 0;

  // The part of it that lies in `all`. If `begin` or `end` has overflowed, it counts as beyond `all`.
  Stretch Within(const Stretch& all) const {
    return {begin < all.begin || begin > all.end ? all.begin : begin, end < all.begin || end > all.end ? all.end : end};
  }
  absl::Status Read(const KernelMemory& memory, std::vector<uint8_t>* bytes) const {
    bytes->resize(end - begin);
    return memory.Read(begin, *bytes);
  }
};

struct Names {
  uint64_t num_syms = 0;  // the address of num_syms
  uint64_t names = 0;     // the address of the names
  uint32_t count = 0;
};

// Finds the names before the token table at `token_table`. They are mostly near it, so the largest possible range is
// not read at once.
absl::StatusOr<std::optional<Names>> FindNames(const KernelMemory& memory, const Stretch& all, uint64_t token_table,
                                               uint64_t* steps) {
  std::vector<uint8_t> bytes;
  for (uint64_t reach = kMaxNames / 8;; reach *= 2) {
    // An address aligned in the image must be aligned in the buffer, too.
    const Stretch before = Stretch{AlignDown(token_table, kAlignment) - reach, token_table}.Within(all);
    RETURN_IF_ERROR(before.Read(memory, &bytes));
    // Try the usual alignment everywhere first: the smaller one has twice as many places to try.
    for (const uint64_t alignment : {kAlignment, kMinAlignment}) {
      for (size_t at = 0; at + 2 * kAlignment <= bytes.size(); at += alignment) {
        if (!AreNames(bytes, at, alignment, steps)) continue;
        return Names{before.begin + at, before.begin + AlignUp(at + sizeof(uint32_t), alignment), ReadU32(&bytes[at])};
      }
    }
    if (reach >= kMaxNames || before.begin == all.begin) return std::nullopt;
  }
}

}  // namespace

absl::StatusOr<KallsymsTables> KallsymsByVmcoreInfo(const KernelMemory& memory, const VmcoreInfo& info) {
  const auto names = info.Symbol("kallsyms_names");
  const auto num_syms = info.Symbol("kallsyms_num_syms");
  const auto token_table = info.Symbol("kallsyms_token_table");
  const auto token_index = info.Symbol("kallsyms_token_index");
  if (!names || !num_syms || !token_table || !token_index) {
    return absl::NotFoundError("VMCOREINFO does not name the kallsyms tables (it does since Linux 6.0)");
  }
  KallsymsTables tables{*num_syms, *names, *token_table, *token_index, {}};
  if (const auto offsets = info.Symbol("kallsyms_offsets"); offsets) {
    tables.addresses.push_back({*offsets, info.Symbol("kallsyms_relative_base")});
  } else if (const auto addresses = info.Symbol("kallsyms_addresses"); addresses) {
    tables.addresses.push_back({*addresses, std::nullopt});
  } else {
    ASSIGN_OR_RETURN(const uint32_t count, memory.ReadObject<uint32_t>(*num_syms));
    tables.addresses = PossibleAddresses(*num_syms, *token_index, count);
  }
  return tables;
}

absl::StatusOr<KallsymsTables> KallsymsByScan(const KernelMemory& memory) {
  const VirtualSegment& image = memory.map().image;
  const Stretch all{image.vaddr, image.vaddr + std::min(image.range.size, kMaxImage)};
  std::vector<uint8_t> buffer;
  uint64_t steps = 0;
  int hits = 0, tables = 0;
  for (uint64_t from = all.begin; from < all.end && hits < kMaxHits && tables < kMaxTokenTables;) {
    const Stretch window = Stretch{from, from + kWindow + sizeof(kDigits) - 1}.Within(all);
    RETURN_IF_ERROR(window.Read(memory, &buffer));
    const void* const found = memmem(buffer.data(), buffer.size(), kDigits, sizeof(kDigits));
    if (found == nullptr) {
      from += kWindow;
      continue;
    }
    ++hits;
    const uint64_t digits = window.begin + static_cast<size_t>(static_cast<const uint8_t*>(found) - buffer.data());
    from = digits + 1;
    // An address aligned in the image must be aligned in the buffer, too.
    const uint64_t begin = AlignDown(digits - kMaxTokenTable, kAlignment);
    const Stretch around = Stretch{begin, digits + kMaxTokenTable + kTokenIndexSize}.Within(all);
    RETURN_IF_ERROR(around.Read(memory, &buffer));
    const std::optional<Tokens> tokens = FindTokens(buffer, digits - around.begin);
    if (!tokens.has_value()) continue;
    ++tables;
    const uint64_t token_table = around.begin + tokens->table;
    ASSIGN_OR_RETURN(const std::optional<Names> names, FindNames(memory, all, token_table, &steps));
    if (!names.has_value()) continue;
    KallsymsTables result{names->num_syms, names->names, token_table, around.begin + tokens->index, {}};
    result.addresses = PossibleAddresses(result.num_syms, result.token_index, names->count);
    return result;
  }
  return absl::NotFoundError("no kallsyms tables in the kernel's image (was it built with CONFIG_KALLSYMS?)");
}

}  // namespace vmm
