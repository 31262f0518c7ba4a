// Checks the common beginning of all notes of the host's side: version, sizes, count.
#ifndef DUMP_FLIGHT_NOTE_READER_H_
#define DUMP_FLIGHT_NOTE_READER_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {

// Reads a note's header; if it is longer than `Header`, only the part that we know. `Header` begins with four 32-bit
// fields: version, header_size, the size of a record, and the number of records. InvalidArgument if the note or a size
// is too small, Unimplemented for another version. Sizes in the result are the file's.
template <typename Header>
absl::StatusOr<Header> ReadNoteHeader(std::string_view name, std::span<const uint8_t> desc, uint32_t version,
                                      size_t record_size) {
  struct {
    uint32_t version, header_size, record_size, records;
  } start;
  static_assert(sizeof(Header) >= sizeof(start));
  if (desc.size() < sizeof(Header)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s: %d bytes are less than a header's %d", name, desc.size(), sizeof(Header)));
  }
  std::memcpy(&start, desc.data(), sizeof(start));
  if (start.version != version) {
    return absl::UnimplementedError(absl::StrFormat("%s: version %d, not %d", name, start.version, version));
  }
  if (start.header_size < sizeof(Header) || start.header_size > desc.size()) {
    return absl::InvalidArgumentError(absl::StrFormat("%s: a header of %d bytes, not %d to the note's %d", name,
                                                      start.header_size, sizeof(Header), desc.size()));
  }
  if (start.record_size < record_size) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s: records of %d bytes, less than %d", name, start.record_size, record_size));
  }
  Header header;
  std::memcpy(&header, desc.data(), sizeof(header));
  return header;
}

// More records of one kind than any writer of ours keeps (vmm/recorder). It limits the cost of a page or a sum.
inline constexpr uint32_t kMaxNoteRecords = 16384;

// Reads the records of one size that follow such a header; if they are longer than `Record`, only the part of each that
// we know. InvalidArgument if the note holds fewer than `count`, or if `count` is more than kMaxNoteRecords. Further
// bytes after them are no fault.
template <typename Record>
absl::StatusOr<std::vector<Record>> ReadNoteRecords(std::string_view name, std::span<const uint8_t> desc,
                                                    uint32_t header_size, uint32_t record_size, uint32_t count) {
  const std::span<const uint8_t> rest = desc.subspan(header_size);
  if (count > kMaxNoteRecords) {
    return absl::InvalidArgumentError(absl::StrFormat("%s: %d records, more than %d", name, count, kMaxNoteRecords));
  }
  if (count > rest.size() / record_size) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s: %d records of %d bytes do not fit into %d", name, count, record_size, rest.size()));
  }
  std::vector<Record> records(count);
  for (uint32_t i = 0; i < count; ++i) {
    std::memcpy(&records[i], rest.data() + size_t{i} * record_size, sizeof(Record));
  }
  return records;
}

}  // namespace vmm

#endif  // DUMP_FLIGHT_NOTE_READER_H_
