#include "devices/vmport/guestinfo_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

bool IsKeyByte(char c) {
  const auto byte = static_cast<uint8_t>(c);
  return byte > ' ' && byte != 0x7f;
}

}  // namespace

GuestInfoStore::Verdict GuestInfoStore::Set(std::string_view key, std::string_view value, By by) {
  if (key.size() > kMaxKeySize) return Verdict::kKeyTooLong;
  if (key.empty() || !std::all_of(key.begin(), key.end(), IsKeyByte)) return Verdict::kBadKey;
  if (value.size() > kMaxValueSize) return Verdict::kValueTooLong;

  const auto it = entries_.find(key);
  if (it == entries_.end()) {
    if (entries_.size() >= kMaxKeys) return Verdict::kTooManyKeys;
    if (total_bytes_ + key.size() + value.size() > kMaxTotal) return Verdict::kOutOfMemory;
    entries_.emplace(std::string(key), Entry{std::string(value), by});
    total_bytes_ += key.size() + value.size();
    return Verdict::kOk;
  }
  const size_t others = total_bytes_ - it->second.value.size();
  if (others + value.size() > kMaxTotal) return Verdict::kOutOfMemory;
  it->second.value.assign(value);
  it->second.value.shrink_to_fit();  // frees the memory of a longer old value
  it->second.by = by;
  total_bytes_ = others + value.size();
  return Verdict::kOk;
}

const std::string* GuestInfoStore::Get(std::string_view key) const {
  const auto it = entries_.find(key);
  return it == entries_.end() ? nullptr : &it->second.value;
}

void GuestInfoStore::Save(StateWriter& writer) const {
  writer.U32(static_cast<uint32_t>(entries_.size()));
  for (const auto& [key, entry] : entries_) {
    writer.Bytes(key);
    writer.Bytes(entry.value);
    writer.Bool(entry.by == By::kGuest);
  }
}

GuestInfoStore GuestInfoStore::Load(StateReader& reader) {
  GuestInfoStore store;
  const uint32_t count = reader.Count(kMaxKeys, "guestinfo keys");
  for (uint32_t i = 0; i < count && reader.status().ok(); ++i) {
    const std::string key = reader.Bytes(kMaxKeySize, "a guestinfo key");
    const std::string value = reader.Bytes(kMaxValueSize, "a guestinfo value");
    const By by = reader.Bool("who set a guestinfo value") ? By::kGuest : By::kHost;
    reader.Require(store.entries_.empty() || key > store.entries_.rbegin()->first, "guestinfo keys out of order");
    reader.Require(store.Set(key, value, by) == Verdict::kOk, "guestinfo beyond its limits");
  }
  return store;
}

absl::Status ToStatus(GuestInfoStore::Verdict verdict, std::string_view key) {
  using Verdict = GuestInfoStore::Verdict;
  switch (verdict) {
    case Verdict::kOk: return absl::OkStatus();
    case Verdict::kBadKey:
      return absl::InvalidArgumentError(
          absl::StrFormat("guestinfo key '%s': a key is not empty and has no space or control character", key));
    case Verdict::kKeyTooLong:
      return absl::InvalidArgumentError(absl::StrFormat("guestinfo key of %d bytes: at most %d are possible",
                                                        key.size(), GuestInfoStore::kMaxKeySize));
    case Verdict::kValueTooLong:
      return absl::InvalidArgumentError(absl::StrFormat(
          "guestinfo.%s: its value has more than %d bytes; gzip+base64 may help", key, GuestInfoStore::kMaxValueSize));
    case Verdict::kTooManyKeys:
      return absl::ResourceExhaustedError(absl::StrFormat(
          "guestinfo.%s: there are %d keys already, and no more are possible", key, GuestInfoStore::kMaxKeys));
    case Verdict::kOutOfMemory:
      return absl::ResourceExhaustedError(absl::StrFormat(
          "guestinfo.%s: all keys and values together would pass %d bytes", key, GuestInfoStore::kMaxTotal));
  }
  return absl::InternalError("guestinfo: an unknown verdict");
}

}  // namespace vmm
