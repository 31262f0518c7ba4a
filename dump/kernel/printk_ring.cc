#include "dump/kernel/printk_ring.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "base/meter.h"

namespace vmm {
namespace {

// CONFIG_LOG_BUF_SHIFT is at most 25, log_buf_len= at most 2 GiB. A ring has a descriptor for each 32 bytes.
constexpr uint32_t kMaxSizeBits = 31;
constexpr uint32_t kMaxCountBits = 26;

// The top two bits of state_var hold a descriptor's state, the others its id.
constexpr int kStateShift = 62;
constexpr uint64_t kIdMask = (1ull << kStateShift) - 1;
constexpr uint64_t kCommitted = 1;
constexpr uint64_t kFinalized = 2;

// Field offsets and sizes, in the order in which they are needed.
struct Fields {
  uint64_t desc_ring, text_data_ring;
  uint64_t count_bits, descs, infos, head_id, tail_id;
  uint64_t size_bits, data;
  uint64_t desc_size, state_var, lpos_begin, lpos_next;
  uint64_t info_size, seq, ts_nsec, text_len;
  std::optional<uint64_t> caller_id;
};

absl::StatusOr<Fields> FindFields(const StructLayout& layout) {
  Fields at{};
  std::string missing;
  const auto offset = [&](std::string_view field) {
    const std::optional<uint64_t> found = layout.Offset(field);
    if (!found.has_value() && missing.empty()) missing = field;
    return found.value_or(0);
  };
  const auto size = [&](std::string_view name) {
    const std::optional<uint64_t> found = layout.Size(name);
    if (!found.has_value() && missing.empty()) missing = name;
    return found.value_or(0);
  };
  at.desc_ring = offset("printk_ringbuffer.desc_ring");
  at.text_data_ring = offset("printk_ringbuffer.text_data_ring");
  at.count_bits = at.desc_ring + offset("prb_desc_ring.count_bits");
  at.descs = at.desc_ring + offset("prb_desc_ring.descs");
  at.infos = at.desc_ring + offset("prb_desc_ring.infos");
  at.head_id = at.desc_ring + offset("prb_desc_ring.head_id");
  at.tail_id = at.desc_ring + offset("prb_desc_ring.tail_id");
  at.size_bits = at.text_data_ring + offset("prb_data_ring.size_bits");
  at.data = at.text_data_ring + offset("prb_data_ring.data");
  at.desc_size = size("prb_desc");
  at.state_var = offset("prb_desc.state_var");
  const uint64_t lpos = offset("prb_desc.text_blk_lpos");
  at.lpos_begin = lpos + offset("prb_data_blk_lpos.begin");
  at.lpos_next = lpos + offset("prb_data_blk_lpos.next");
  at.info_size = size("printk_info");
  at.seq = offset("printk_info.seq");
  at.ts_nsec = offset("printk_info.ts_nsec");
  at.text_len = offset("printk_info.text_len");
  at.caller_id = layout.Offset("printk_info.caller_id");
  if (!missing.empty()) {
    return absl::NotFoundError(absl::StrFormat("neither VMCOREINFO nor BTF tells where %s is", missing));
  }
  return at;
}

class Ring {
 public:
  Ring(const KernelMemory& memory, const Fields& at) : memory_(memory), at_(at) {}

  absl::Status Open(uint64_t prb) {
    ASSIGN_OR_RETURN(const uint64_t ring, memory_.ReadObject<uint64_t>(prb));
    ASSIGN_OR_RETURN(const uint32_t count_bits, memory_.ReadObject<uint32_t>(ring + at_.count_bits));
    ASSIGN_OR_RETURN(const uint32_t size_bits, memory_.ReadObject<uint32_t>(ring + at_.size_bits));
    if (count_bits > kMaxCountBits || size_bits > kMaxSizeBits) {
      return absl::DataLossError(absl::StrFormat("2^%d descriptors and 2^%d bytes of text", count_bits, size_bits));
    }
    count_ = 1ull << count_bits;
    size_ = 1ull << size_bits;
    ASSIGN_OR_RETURN(descs_, memory_.ReadObject<uint64_t>(ring + at_.descs));
    ASSIGN_OR_RETURN(infos_, memory_.ReadObject<uint64_t>(ring + at_.infos));
    ASSIGN_OR_RETURN(data_, memory_.ReadObject<uint64_t>(ring + at_.data));
    ASSIGN_OR_RETURN(tail_, memory_.ReadObject<uint64_t>(ring + at_.tail_id));
    ASSIGN_OR_RETURN(head_, memory_.ReadObject<uint64_t>(ring + at_.head_id));
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<LogRecord>> Read(size_t max_records) {
    // Ids wrap at 62 bits. A tail that is further back than the number of descriptors cannot be real.
    uint64_t records = ((head_ - tail_) & kIdMask) + 1;
    if (records > count_) return absl::DataLossError(absl::StrFormat("tail %#x is not behind head %#x", tail_, head_));
    records = std::min<uint64_t>({records, max_records, kMaxLogRecords});
    // The newest first: they are kept if the budget ends.
    std::vector<LogRecord> log;
    Meter meter(kKernelLogBudget);
    for (uint64_t back = 0; back < records && meter.Step(); ++back) {
      std::optional<LogRecord> record = ReadRecord((head_ - back) & kIdMask);
      if (!record.has_value()) continue;
      if (!meter.Bytes(record->text.size())) break;
      log.push_back(*std::move(record));
    }
    std::ranges::reverse(log);
    if (log.empty() && !unreadable_.ok()) {
      return Annotate(unreadable_, absl::StrFormat("none of %d records can be read", records));
    }
    return log;
  }

 private:
  // None if the record is not there: not committed, overwritten meanwhile, without text, or in memory that cannot be
  // read. unreadable_ remembers the last case.
  std::optional<LogRecord> ReadRecord(uint64_t id) {
    const uint64_t desc = descs_ + id % count_ * at_.desc_size;
    const uint64_t info = infos_ + id % count_ * at_.info_size;
    const auto state = memory_.ReadObject<uint64_t>(desc + at_.state_var);
    if (!state.ok()) unreadable_ = state.status();
    if (!state.ok() || (*state & kIdMask) != id) return std::nullopt;
    if (*state >> kStateShift != kCommitted && *state >> kStateShift != kFinalized) return std::nullopt;

    LogRecord record;
    const auto begin = memory_.ReadObject<uint64_t>(desc + at_.lpos_begin);
    const auto next = memory_.ReadObject<uint64_t>(desc + at_.lpos_next);
    const auto sequence = memory_.ReadObject<uint64_t>(info + at_.seq);
    const auto time = memory_.ReadObject<uint64_t>(info + at_.ts_nsec);
    const auto length = memory_.ReadObject<LengthAndLevel>(info + at_.text_len);
    for (const absl::Status& status :
         {begin.status(), next.status(), sequence.status(), time.status(), length.status()}) {
      if (!status.ok()) return unreadable_ = status, std::nullopt;
    }
    record.sequence = *sequence;
    record.time_ns = *time;
    record.facility = length->facility;
    record.level = length->flags_and_level >> 5;
    if (at_.caller_id.has_value()) {
      const auto caller = memory_.ReadObject<uint32_t>(info + *at_.caller_id);
      if (caller.ok() && *caller != 0) record.caller = *caller;
    }

    // A block that would cross the end of the ring lies at its start instead.
    uint64_t first = *begin % size_;
    const uint64_t end = *next % size_;
    if (first == end) return std::nullopt;
    if (first > end) first = 0;
    if (end - first < sizeof(uint64_t)) return std::nullopt;
    const auto owner = memory_.ReadObject<uint64_t>(data_ + first);  // each block begins with its id
    if (!owner.ok()) unreadable_ = owner.status();
    if (!owner.ok() || *owner != id) return std::nullopt;
    first += sizeof(uint64_t);
    record.text.resize(std::min<uint64_t>(length->text_len, end - first));
    const absl::Status read =
        memory_.Read(data_ + first, {reinterpret_cast<uint8_t*>(record.text.data()), record.text.size()});
    if (!read.ok()) unreadable_ = read;
    const auto state_after = memory_.ReadObject<uint64_t>(desc + at_.state_var);
    if (!read.ok() || !state_after.ok() || *state_after != *state) return std::nullopt;
    return record;
  }

  // text_len and the two bytes after it, which have followed it in every printk_info so far.
  struct LengthAndLevel {
    uint16_t text_len;
    uint8_t facility;
    uint8_t flags_and_level;  // level in the top 3 bits
  };
  static_assert(sizeof(LengthAndLevel) == 4);

  const KernelMemory& memory_;
  const Fields& at_;
  uint64_t count_ = 0, size_ = 0, descs_ = 0, infos_ = 0, data_ = 0, tail_ = 0, head_ = 0;
  absl::Status unreadable_;  // the last reason why a record could not be read
};

}  // namespace

absl::StatusOr<std::vector<LogRecord>> ReadPrintkRing(const KernelMemory& memory, const StructLayout& layout,
                                                      uint64_t prb, size_t max_records) {
  ASSIGN_OR_RETURN(const Fields at, FindFields(layout));
  Ring ring(memory, at);
  RETURN_IF_ERROR(ring.Open(prb));
  return ring.Read(max_records);
}

}  // namespace vmm
