#include "devices/virtio/blk/virtio_blk.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status.h"

namespace vmm {
namespace {

// After so many bytes of a batch the driver hears of what is done, so that it can work on it meanwhile.
constexpr uint64_t kBytesPerInterrupt = 256 << 10;

uint64_t Sum(const std::vector<iovec>& buffers) {
  uint64_t bytes = 0;
  for (const iovec& buffer : buffers) bytes += buffer.iov_len;
  return bytes;
}

std::string Words(const VirtioBlkReq& header, uint64_t bytes) {
  const uint64_t sectors = bytes / kSectorSize;
  switch (header.type) {
    case kVirtioBlkTIn: return absl::StrFormat("read sector %d, %d sectors", header.sector, sectors);
    case kVirtioBlkTOut: return absl::StrFormat("write sector %d, %d sectors", header.sector, sectors);
    case kVirtioBlkTFlush: return "flush";
    case kVirtioBlkTGetId: return "get id";
    case kVirtioBlkTDiscard: return "discard";
    case kVirtioBlkTWriteZeroes: return "write zeroes";
    default: return absl::StrFormat("request of type %d", header.type);
  }
}

}  // namespace

VirtioBlk::VirtioBlk(std::unique_ptr<DiskStorage> storage, std::string id, std::function<void(std::string_view)> log)
    : storage_(std::move(storage)), id_(std::move(id)), log_(std::move(log)) {}

uint64_t VirtioBlk::features() const {
  const uint64_t always = kVirtioBlkFSegMax | kVirtioBlkFBlkSize | kVirtioBlkFFlush;
  return always | (storage_->read_only() ? kVirtioBlkFRo : kVirtioBlkFDiscard | kVirtioBlkFWriteZeroes);
}

void VirtioBlk::ReadConfig(uint64_t offset, std::span<uint8_t> data) {
  VirtioBlkConfig config = {};
  config.capacity = storage_->size() / kSectorSize;
  config.seg_max = kSegMax;
  config.blk_size = kSectorSize;
  if (!storage_->read_only()) {
    config.max_discard_sectors = kMaxDiscardSectors;
    config.max_discard_seg = kMaxRanges;
    config.discard_sector_alignment = 4096 / kSectorSize;  // less gives nothing back
    config.max_write_zeroes_sectors = kMaxWriteZeroesSectors;
    config.max_write_zeroes_seg = kMaxRanges;
    config.write_zeroes_may_unmap = 1;
  }
  const std::span<const uint8_t> bytes = BytesOf(config);
  std::fill(data.begin(), data.end(), uint8_t{0});
  if (offset >= bytes.size()) return;
  const size_t size = std::min<size_t>(data.size(), bytes.size() - offset);
  std::memcpy(data.data(), bytes.data() + offset, size);
}

absl::Status VirtioBlk::Activate(uint64_t features, std::span<Virtqueue* const> queues, IoLoop& /*loop*/) {
  features_ = features;
  queue_ = queues.empty() ? nullptr : queues[0];
  return absl::OkStatus();
}

void VirtioBlk::Reset() {
  features_ = 0;
  queue_ = nullptr;
}

void VirtioBlk::OnQueue(int index) {
  if (index != 0 || queue_ == nullptr) return;
  uint64_t bytes = 0;
  while (std::optional<DescriptorChain> chain = queue_->Pop()) {
    bytes += chain->readable_bytes() + chain->writable_bytes();
    if (!Serve(*chain)) return;
    if (bytes >= kBytesPerInterrupt) {
      queue_->Interrupt();
      bytes = 0;
    }
  }
  queue_->Interrupt();
}

bool VirtioBlk::Serve(DescriptorChain& chain) {
  if (chain.writable_bytes() == 0) {
    queue_->Break(absl::InvalidArgumentError("a virtio-blk request has no byte for its status"));
    return false;
  }
  VirtioBlkReq header = {};
  const bool whole = chain.ReadObject(header);
  std::vector<iovec> data = chain.TakeWritable(chain.writable_bytes() - 1);
  const uint64_t room = Sum(data);
  {
    const std::lock_guard lock(mutex_);
    current_ = Current{chain.id(), header, room + chain.readable_bytes()};
  }
  uint64_t written = 0;
  const uint8_t status = whole ? Do(header, chain, data, written) : kVirtioBlkSIoErr;
  // A driver must not take old bytes of its buffers for those of the disk. The status is after them, so they are
  // all written now.
  for (const iovec& buffer : data) {
    const uint64_t kept = std::min<uint64_t>(written, buffer.iov_len);
    std::memset(static_cast<uint8_t*>(buffer.iov_base) + kept, 0, buffer.iov_len - kept);
    written -= kept;
  }
  chain.WriteObject(status);
  {
    const std::lock_guard lock(mutex_);
    current_.reset();
  }
  queue_->Push(chain, static_cast<uint32_t>(room + 1));
  return true;
}

uint8_t VirtioBlk::Do(const VirtioBlkReq& header, DescriptorChain& chain, std::vector<iovec> data, uint64_t& written) {
  switch (header.type) {
    case kVirtioBlkTIn: return ReadSectors(header.sector, data, written);
    case kVirtioBlkTOut: return WriteSectors(header.sector, chain);
    case kVirtioBlkTFlush: return Answer("flush", header.sector, storage_->Flush());
    case kVirtioBlkTGetId: return GetId(data, written);
    case kVirtioBlkTDiscard:
    case kVirtioBlkTWriteZeroes: return DiscardOrZero(header.type, chain);
    default: return kVirtioBlkSUnsupp;
  }
}

bool VirtioBlk::OnDisk(uint64_t sector, uint64_t bytes) const {
  const uint64_t capacity = storage_->size() / kSectorSize;
  return sector <= capacity && bytes % kSectorSize == 0 && bytes / kSectorSize <= capacity - sector;
}

uint8_t VirtioBlk::ReadSectors(uint64_t sector, const std::vector<iovec>& data, uint64_t& written) {
  const uint64_t bytes = Sum(data);
  if (!OnDisk(sector, bytes)) return kVirtioBlkSIoErr;
  const absl::Status done = storage_->Read(sector * kSectorSize, data);
  if (done.ok()) written = bytes;
  return Answer("read", sector, done);
}

uint8_t VirtioBlk::WriteSectors(uint64_t sector, DescriptorChain& chain) {
  const uint64_t bytes = chain.readable_bytes();
  if (storage_->read_only() || !OnDisk(sector, bytes)) return kVirtioBlkSIoErr;
  absl::Status done = storage_->Write(sector * kSectorSize, chain.TakeReadable(bytes));
  if (done.ok()) done = WriteThrough();
  return Answer("write", sector, done);
}

uint8_t VirtioBlk::GetId(const std::vector<iovec>& data, uint64_t& written) const {
  std::array<uint8_t, kVirtioBlkIdBytes> id = {};
  std::copy_n(id_.begin(), std::min(id_.size(), id.size()), id.begin());  // the rest are NULs
  for (const iovec& buffer : data) {
    const size_t part = std::min<size_t>(buffer.iov_len, id.size() - written);
    std::memcpy(buffer.iov_base, id.data() + written, part);
    written += part;
    if (part < buffer.iov_len) break;
  }
  return kVirtioBlkSOk;
}

uint8_t VirtioBlk::DiscardOrZero(uint32_t type, DescriptorChain& chain) {
  const bool discard = type == kVirtioBlkTDiscard;
  if ((features_ & (discard ? kVirtioBlkFDiscard : kVirtioBlkFWriteZeroes)) == 0) return kVirtioBlkSUnsupp;
  if (storage_->read_only()) return kVirtioBlkSIoErr;
  const uint64_t bytes = chain.readable_bytes();
  std::array<VirtioBlkDiscardWriteZeroes, kMaxRanges> ranges;
  if (bytes == 0 || bytes % sizeof ranges[0] != 0 || bytes > sizeof ranges) return kVirtioBlkSIoErr;
  chain.Read({reinterpret_cast<uint8_t*>(ranges.data()), bytes});
  const std::span<const VirtioBlkDiscardWriteZeroes> given(ranges.data(), bytes / sizeof ranges[0]);

  // All are judged before one is done (5.2.6.2).
  const uint32_t allowed = discard ? 0 : kVirtioBlkUnmap;
  for (const VirtioBlkDiscardWriteZeroes& range : given) {
    if ((range.flags & ~allowed) != 0) return kVirtioBlkSUnsupp;
    if (range.num_sectors > (discard ? kMaxDiscardSectors : kMaxWriteZeroesSectors)) return kVirtioBlkSIoErr;
    if (!OnDisk(range.sector, range.num_sectors * kSectorSize)) return kVirtioBlkSIoErr;
  }
  absl::Status done;
  for (const VirtioBlkDiscardWriteZeroes& range : given) {
    if (range.num_sectors == 0 || !done.ok()) continue;
    const uint64_t offset = range.sector * kSectorSize, size = range.num_sectors * kSectorSize;
    done =
        discard ? storage_->Discard(offset, size) : storage_->Zero(offset, size, (range.flags & kVirtioBlkUnmap) != 0);
  }
  if (done.ok()) done = WriteThrough();
  return Answer(discard ? "discard" : "write zeroes", given[0].sector, done);
}

absl::Status VirtioBlk::WriteThrough() {
  return (features_ & kVirtioBlkFFlush) != 0 ? absl::OkStatus() : storage_->Flush();
}

uint8_t VirtioBlk::Answer(std::string_view what, uint64_t sector, const absl::Status& done) {
  if (done.ok()) return kVirtioBlkSOk;
  if (logged_.emplace(std::string(what), done.code()).second) {
    log_(absl::StrFormat("disk %s: %s at sector %d failed: %s; the guest gets an I/O error (said once)", id_, what,
                         sector, std::string(done.message())));
  }
  return kVirtioBlkSIoErr;
}

std::vector<RequestInFlight> VirtioBlk::InFlight() const {
  const std::lock_guard lock(mutex_);
  if (!current_.has_value()) return {};
  return {{.queue = 0, .chain = current_->chain, .words = Words(current_->header, current_->bytes)}};
}

}  // namespace vmm
