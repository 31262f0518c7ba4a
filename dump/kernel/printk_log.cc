#include "dump/kernel/printk_log.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_format.h"
#include "base/meter.h"

namespace vmm {
namespace {

constexpr uint32_t kMaxLogBuf = kMaxLogText;

template <typename T>
T ReadAt(const std::vector<uint8_t>& bytes, size_t at) {
  T value;
  std::memcpy(&value, &bytes[at], sizeof(value));
  return value;
}

}  // namespace

absl::StatusOr<std::vector<LogRecord>> ReadPrintkLog(const KernelMemory& memory, const StructLayout& layout,
                                                     const FindVariable& find, size_t max_records) {
  const auto log_buf = find("log_buf");
  const auto log_buf_len = find("log_buf_len");
  const auto log_first_idx = find("log_first_idx");
  const auto log_next_idx = find("log_next_idx");
  if (!log_buf || !log_buf_len || !log_first_idx || !log_next_idx) {
    return absl::NotFoundError("neither VMCOREINFO nor the symbols tell where the log is");
  }
  const std::string name = layout.Size("printk_log").has_value() ? "printk_log" : "log";
  const auto header = layout.Size(name);
  const auto ts_nsec = layout.Offset(name + ".ts_nsec");
  const auto len = layout.Offset(name + ".len");
  const auto text_len = layout.Offset(name + ".text_len");
  if (!header || !ts_nsec || !len || !text_len || *ts_nsec + 8 > *header || *len + 2 > *header ||
      *text_len + 6 > *header) {
    return absl::NotFoundError("neither VMCOREINFO nor BTF tells how a record is laid out");
  }
  ASSIGN_OR_RETURN(const uint64_t buffer, memory.ReadObject<uint64_t>(*log_buf));
  ASSIGN_OR_RETURN(const uint32_t size, memory.ReadObject<uint32_t>(*log_buf_len));
  ASSIGN_OR_RETURN(const uint32_t first, memory.ReadObject<uint32_t>(*log_first_idx));
  ASSIGN_OR_RETURN(const uint32_t next, memory.ReadObject<uint32_t>(*log_next_idx));
  if (size > kMaxLogBuf || first >= size || next > size) {
    return absl::DataLossError(absl::StrFormat("%d bytes, from %d to %d", size, first, next));
  }
  ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, memory.ReadBytes(buffer, size));

  // A record may have 16 bytes, so there may be millions of them. Their places are collected first, and the last ones
  // are read.
  std::vector<uint32_t> places;
  bool wrapped = false;
  for (uint64_t at = first; at != next;) {
    // A record of length 0, or too little room for a record, means that the log continues at the buffer's start.
    const bool room = at + *header <= size;
    const uint16_t length = room ? ReadAt<uint16_t>(bytes, at + *len) : 0;
    if (length == 0) {
      if (wrapped) break;
      wrapped = true;
      at = 0;
      continue;
    }
    if (length < *header || length > size - at) break;  // torn
    places.push_back(static_cast<uint32_t>(at));
    at += length;
    if (wrapped && at > next) break;
  }

  // The newest first: they are kept if the budget ends.
  std::vector<LogRecord> log;
  Meter meter(kKernelLogBudget);
  for (size_t i = places.size(); i > 0 && log.size() < max_records; --i) {
    const uint32_t at = places[i - 1];
    const uint64_t room = ReadAt<uint16_t>(bytes, at + *len) - *header;
    // After text_len come dict_len, facility, and flags with the level in the top 3 bits.
    const uint64_t text = std::min<uint64_t>(ReadAt<uint16_t>(bytes, at + *text_len), room);
    if (!meter.Step() || !meter.Bytes(text)) break;
    LogRecord record;
    record.sequence = i - 1;
    record.time_ns = ReadAt<uint64_t>(bytes, at + *ts_nsec);
    record.facility = bytes[at + *text_len + 4];
    record.level = bytes[at + *text_len + 5] >> 5;
    record.text.assign(reinterpret_cast<const char*>(bytes.data() + at + *header), text);
    log.push_back(std::move(record));
  }
  std::ranges::reverse(log);
  return log;
}

}  // namespace vmm
