#include "devices/bus.h"

#include <algorithm>
#include <bit>

#include "absl/strings/str_format.h"
#include "base/guest_addr.h"

namespace vmm {
namespace {

constexpr uint8_t kOpenBus = 0xff;
constexpr size_t kWidest = 8;

// Calls access(offset, bytes) for pieces of `data` of the sizes that a device accepts: 1, 2, 4 or 8 bytes.
template <typename Byte, typename Access>
void InPieces(uint64_t offset, std::span<Byte> data, Access access) {
  while (!data.empty()) {
    const size_t size = std::bit_floor(std::min(data.size(), kWidest));
    access(offset, data.first(size));
    offset += size;
    data = data.subspan(size);
  }
}

}  // namespace

absl::Status Bus::Add(uint64_t start, uint64_t size, Device* device) {
  const GuestRange range{GuestAddr{start}, size};
  if (size == 0 || !range.IsValid()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("bus: %s at %#x..+%#x is %s", device->name(), start, size, size == 0 ? "empty" : "past 2^64"));
  }
  for (const Entry& entry : entries_) {
    if (!range.Overlaps(GuestRange{GuestAddr{entry.start}, entry.size})) continue;
    return absl::AlreadyExistsError(absl::StrFormat("bus: %s at %#x..+%#x overlaps %s at %#x..+%#x", device->name(),
                                                    start, size, entry.device->name(), entry.start, entry.size));
  }
  const auto behind = [](uint64_t value, const Entry& entry) { return value < entry.start; };
  entries_.insert(std::upper_bound(entries_.begin(), entries_.end(), start, behind), Entry{start, size, device});
  return absl::OkStatus();
}

const Bus::Entry* Bus::Find(uint64_t addr) const {
  const auto behind = [](uint64_t value, const Entry& entry) { return value < entry.start; };
  const auto next = std::upper_bound(entries_.begin(), entries_.end(), addr, behind);
  if (next == entries_.begin()) return nullptr;
  const Entry& entry = *std::prev(next);
  return addr - entry.start < entry.size ? &entry : nullptr;
}

void Bus::Read(uint64_t addr, std::span<uint8_t> data) const {
  const Entry* entry = Find(addr);
  const uint64_t offset = entry == nullptr ? 0 : addr - entry->start;
  const size_t inside = entry == nullptr ? 0 : std::min<uint64_t>(data.size(), entry->size - offset);
  InPieces(offset, data.first(inside), [&](uint64_t at, std::span<uint8_t> piece) { entry->device->Read(at, piece); });
  std::fill(data.begin() + inside, data.end(), kOpenBus);
}

void Bus::Write(uint64_t addr, std::span<const uint8_t> data) const {
  const Entry* entry = Find(addr);
  if (entry == nullptr) return;
  const uint64_t offset = addr - entry->start;
  InPieces(offset, data.first(std::min<uint64_t>(data.size(), entry->size - offset)),
           [&](uint64_t at, std::span<const uint8_t> piece) { entry->device->Write(at, piece); });
}

}  // namespace vmm
