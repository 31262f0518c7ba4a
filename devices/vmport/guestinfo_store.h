// Values that host and guest share by name: guestinfo.KEY = VALUE, as on VMware. Keys here lack the "guestinfo."
// prefix, are case-sensitive, and contain no space.
#ifndef DEVICES_VMPORT_GUESTINFO_STORE_H_
#define DEVICES_VMPORT_GUESTINFO_STORE_H_

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "devices/vmport/vmport_state.h"

namespace vmm {

// A value type: copies are independent. Its owner locks.
class GuestInfoStore {
 public:
  static constexpr size_t kMaxKeys = 256;
  static constexpr size_t kMaxKeySize = 128;
  static constexpr size_t kMaxValueSize = 65'000;  // bytes; with its command it still fits a guest message
  static constexpr size_t kMaxTotal = 1 << 20;     // bytes of keys and values

  enum class By { kHost, kGuest };
  struct Entry {
    std::string value;
    By by = By::kHost;  // the last writer

    bool operator==(const Entry&) const = default;
  };

  // The reasons for which Set() can refuse. kOk: not refused.
  enum class Verdict { kOk, kBadKey, kKeyTooLong, kValueTooLong, kTooManyKeys, kOutOfMemory };

  // Stores `value`, any bytes, under `key`: 1 to 128 bytes without space or control characters. If it refuses, the
  // store is unchanged.
  Verdict Set(std::string_view key, std::string_view value, By by);

  // Null if there is none. Valid until the next Set().
  const std::string* Get(std::string_view key) const;

  const std::map<std::string, Entry, std::less<>>& entries() const { return entries_; }
  size_t total_bytes() const { return total_bytes_; }

  void Save(StateWriter& writer) const;
  static GuestInfoStore Load(StateReader& reader);

 private:
  std::map<std::string, Entry, std::less<>> entries_;
  size_t total_bytes_ = 0;
};

// Turns the refusal into an error for the host's user. It names the key and the limit.
absl::Status ToStatus(GuestInfoStore::Verdict verdict, std::string_view key);

}  // namespace vmm

#endif  // DEVICES_VMPORT_GUESTINFO_STORE_H_
