// The saved form of the backdoor: a sealed image, and the writer and reader of its payload.
//
//   "VMMVPORT" | u32 version | u32 payload bytes | payload | u32 CRC-32 of all before it
//
// Numbers are little endian. The parts write the payload in a fixed order. Each part's Save() and Load() stand side by
// side. A change to any of them needs a new version.
#ifndef DEVICES_VMPORT_VMPORT_STATE_H_
#define DEVICES_VMPORT_VMPORT_STATE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace vmm {

inline constexpr uint32_t kVmportStateVersion = 1;

// Used by one thread at a time.
class StateWriter {
 public:
  void U8(uint8_t value) { Append(value, 1); }
  void U16(uint16_t value) { Append(value, 2); }
  void U32(uint32_t value) { Append(value, 4); }
  void U64(uint64_t value) { Append(value, 8); }
  void Bool(bool value) { U8(value ? 1 : 0); }
  void Bytes(std::string_view bytes);  // u32 length, then the bytes

  // Writes a moment as its age in nanoseconds, because another run's clock begins elsewhere.
  void Age(absl::Duration moment, absl::Duration now);

  const std::string& payload() const { return payload_; }

 private:
  void Append(uint64_t value, size_t size);

  std::string payload_;
};

// Reads what a StateWriter wrote, from an untrusted source. It keeps the first error, and every read after it returns
// zero or nothing, so a Load() checks once at its end. Used by one thread at a time. The payload must outlive the
// reader.
class StateReader {
 public:
  explicit StateReader(std::string_view payload) : rest_(payload) {}

  uint8_t U8() { return static_cast<uint8_t>(Take(1)); }
  uint16_t U16() { return static_cast<uint16_t>(Take(2)); }
  uint32_t U32() { return static_cast<uint32_t>(Take(4)); }
  uint64_t U64() { return Take(8); }
  bool Bool(std::string_view what);  // error: neither 0 nor 1

  // A number of at most `max`, so that the caller can safely loop over it.
  uint32_t Count(uint32_t max, std::string_view what);

  // At most `max` bytes.
  std::string Bytes(size_t max, std::string_view what);

  absl::Duration Age(absl::Duration now);

  // Refuses the image with the message `what` unless `condition` holds. Returns status().ok().
  bool Require(bool condition, std::string_view what);

  // The first error, or an error if bytes are left over.
  absl::Status Finish();

  const absl::Status& status() const { return status_; }

 private:
  uint64_t Take(size_t size);

  std::string_view rest_;
  absl::Status status_;
};

std::string SealState(std::string_view payload);

// Returns the payload, a view into the sealed image. InvalidArgument: not an image, or cut or altered. Unimplemented: a
// version that this program does not know.
absl::StatusOr<std::string_view> UnsealState(std::string_view image);

}  // namespace vmm

#endif  // DEVICES_VMPORT_VMPORT_STATE_H_
