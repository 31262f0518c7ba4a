#include "devices/fw_cfg.h"

#include <endian.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/status.h"

namespace vmm {
namespace {

constexpr uint16_t kVmcoreInfoKey = kFwCfgFileFirst;
constexpr uint8_t kSignature[] = {'Q', 'E', 'M', 'U'};
constexpr uint8_t kId[] = {kFwCfgVersion | kFwCfgVersionDma, 0, 0, 0};

std::vector<uint8_t> Directory() {
  const uint32_t count = htobe32(1);
  FwCfgFile file = {.size = htobe32(sizeof(FwCfgVmcoreInfo)), .select = htobe16(kVmcoreInfoKey), .name = {}};
  std::strcpy(file.name, "etc/vmcoreinfo");
  std::vector<uint8_t> bytes(sizeof(count) + sizeof(file));
  std::memcpy(bytes.data(), &count, sizeof(count));
  std::memcpy(bytes.data() + sizeof(count), &file, sizeof(file));
  return bytes;
}

}  // namespace

FwCfg::FwCfg(GuestMemory& memory, int cpus) : memory_(memory), directory_(Directory()) {
  const uint64_t ram_size = htole64(memory.size());
  const uint16_t count = htole16(static_cast<uint16_t>(cpus));
  std::memcpy(ram_size_.data(), &ram_size, sizeof(ram_size));
  std::memcpy(cpus_.data(), &count, sizeof(count));
  const FwCfgVmcoreInfo empty = {.host_format = htole16(kFwCfgVmcoreInfoElf)};
  std::memcpy(vmcoreinfo_.data(), &empty, sizeof(empty));
}

void FwCfg::Read(uint64_t offset, std::span<uint8_t> data) {
  const std::lock_guard lock(mutex_);
  std::ranges::fill(data, 0xff);
  if (offset == kFwCfgData) data[0] = NextByte();
  if (data.size() != 4 || (offset != kFwCfgDmaHigh && offset != kFwCfgDmaLow)) return;
  const uint32_t magic = htobe32(kFwCfgDmaMagic[offset == kFwCfgDmaHigh ? 0 : 1]);
  std::memcpy(data.data(), &magic, sizeof(magic));
}

// The data register ignores writes: QEMU dropped them in version 2.4.
void FwCfg::Write(uint64_t offset, std::span<const uint8_t> data) {
  const std::lock_guard lock(mutex_);
  if (offset == kFwCfgSelector && data.size() == 2) {
    Select(static_cast<uint16_t>(data[0] | data[1] << 8));
    return;
  }
  if (data.size() != 4) return;
  uint32_t word;
  std::memcpy(&word, data.data(), sizeof(word));
  if (offset == kFwCfgDmaHigh) dma_high_ = be32toh(word);
  if (offset == kFwCfgDmaLow) {
    const GuestAddr at{uint64_t{dma_high_} << 32 | be32toh(word)};
    dma_high_ = 0;
    Transfer(at);
  }
}

std::optional<GuestRange> FwCfg::vmcoreinfo_note() const {
  const std::lock_guard lock(mutex_);
  FwCfgVmcoreInfo said;
  std::memcpy(&said, vmcoreinfo_.data(), sizeof(said));
  if (le16toh(said.guest_format) != kFwCfgVmcoreInfoElf) return std::nullopt;
  return GuestRange{GuestAddr{le64toh(said.paddr)}, le32toh(said.size)};
}

std::span<const uint8_t> FwCfg::Selected() const {
  switch (key_) {
    case kFwCfgSignature: return kSignature;
    case kFwCfgId: return kId;
    case kFwCfgRamSize: return ram_size_;
    case kFwCfgNbCpus:
    case kFwCfgMaxCpus: return cpus_;
    case kFwCfgFileDir: return directory_;
    case kVmcoreInfoKey: return vmcoreinfo_;
  }
  return {};
}

// Reads zero past an item's end, and for an item that does not exist.
uint8_t FwCfg::NextByte() {
  const std::span<const uint8_t> item = Selected();
  return position_ < item.size() ? item[position_++] : 0;
}

void FwCfg::Select(uint16_t key) {
  key_ = key;
  position_ = 0;
}

void FwCfg::Transfer(GuestAddr at) {
  const absl::StatusOr<FwCfgDmaAccess> raw = memory_.ReadObject<FwCfgDmaAccess>(at);
  if (!raw.ok()) return;  // there is nowhere to write an answer
  const absl::Status status = Run({be32toh(raw->control), be32toh(raw->length), be64toh(raw->address)});
  memory_.WriteObject(at, htobe32(status.ok() ? 0 : kFwCfgDmaError)).IgnoreError();
}

absl::Status FwCfg::Run(const FwCfgDmaAccess& access) {
  if ((access.control & kFwCfgDmaSelect) != 0) Select(static_cast<uint16_t>(access.control >> 16));
  const GuestAddr address{access.address};
  if ((access.control & kFwCfgDmaRead) != 0) return ReadItem(address, access.length);
  if ((access.control & kFwCfgDmaWrite) != 0) return WriteItem(address, access.length);
  if ((access.control & kFwCfgDmaSkip) != 0) {
    position_ += std::min(access.length, std::numeric_limits<uint32_t>::max() - position_);
  }
  return absl::OkStatus();
}

absl::Status FwCfg::ReadItem(GuestAddr to, uint32_t length) {
  if (length > kMaxTransfer) return absl::InvalidArgumentError("fw_cfg: longer than any item");
  std::vector<uint8_t> bytes(length);
  for (uint8_t& byte : bytes) byte = NextByte();
  return memory_.Write(to, bytes);
}

absl::Status FwCfg::WriteItem(GuestAddr from, uint32_t length) {
  if (key_ != kVmcoreInfoKey || position_ > vmcoreinfo_.size() || length > vmcoreinfo_.size() - position_) {
    return absl::InvalidArgumentError("fw_cfg: no room for that in the item");
  }
  std::array<uint8_t, sizeof(FwCfgVmcoreInfo)> bytes;
  RETURN_IF_ERROR(memory_.Read(from, std::span(bytes).first(length)));
  std::copy_n(bytes.begin(), length, vmcoreinfo_.begin() + position_);
  position_ += length;
  return absl::OkStatus();
}

}  // namespace vmm
