#include "devices/pc_testdev.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "base/guest_addr.h"

namespace vmm {
namespace {

void AllOnes(std::span<uint8_t> data) { std::ranges::fill(data, 0xff); }

}  // namespace

void TestRegister::Read(uint64_t offset, std::span<uint8_t> data) {
  const std::lock_guard lock(mutex_);
  AllOnes(data);
  const size_t count = std::min<size_t>(data.size(), kSize - offset);
  std::copy_n(bytes_.begin() + static_cast<ptrdiff_t>(offset), count, data.begin());
}

void TestRegister::Write(uint64_t offset, std::span<const uint8_t> data) {
  const std::lock_guard lock(mutex_);
  const size_t count = std::min<size_t>(data.size(), kSize - offset);
  std::copy_n(data.begin(), count, bytes_.begin() + static_cast<ptrdiff_t>(offset));
}

void TestFlush::Read(uint64_t, std::span<uint8_t> data) { AllOnes(data); }

// MADV_DONTNEED takes the pages of a shared file mapping out of the page tables, ours and KVM's. The file keeps the
// bytes. A change of protection would do the same, but for a moment an access by another thread would kill the VMM.
void TestFlush::Write(uint64_t offset, std::span<const uint8_t> data) {
  uint32_t address = 0;
  if (offset != 0 || data.size() != sizeof(address)) return;
  std::memcpy(&address, data.data(), sizeof(address));
  const absl::StatusOr<std::span<uint8_t>> page = memory_.Span({GuestAddr{AlignDown(address, kPageSize)}, kPageSize});
  if (page.ok()) madvise(page->data(), page->size(), MADV_DONTNEED);
}

void TestIrqLines::Read(uint64_t, std::span<uint8_t> data) { AllOnes(data); }

void TestIrqLines::Write(uint64_t offset, std::span<const uint8_t> data) {
  if (data.size() == 1) line_(static_cast<int>(offset)).Set(data[0] != 0);
}

void TestMemory::Read(uint64_t offset, std::span<uint8_t> data) {
  const std::lock_guard lock(mutex_);
  std::copy_n(bytes_.begin() + static_cast<ptrdiff_t>(offset), data.size(), data.begin());
}

void TestMemory::Write(uint64_t offset, std::span<const uint8_t> data) {
  const std::lock_guard lock(mutex_);
  std::ranges::copy(data, bytes_.begin() + static_cast<ptrdiff_t>(offset));
}

}  // namespace vmm
