#include "devices/acpi_pm.h"

namespace vmm {
namespace {

// Reads the bytes of a little-endian register from `offset` on.
void ReadBytes(uint32_t value, uint64_t offset, std::span<uint8_t> data) {
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(value >> (8 * (offset + i)));
}

// The written bytes, shifted to their place in a 32-bit register. *mask has ones at these bytes.
uint32_t Place(uint64_t offset, std::span<const uint8_t> data, uint32_t* mask) {
  uint32_t value = 0;
  *mask = 0;
  for (size_t i = 0; i < data.size(); ++i) {
    value |= uint32_t{data[i]} << (8 * (offset + i));
    *mask |= uint32_t{0xff} << (8 * (offset + i));
  }
  return value;
}

}  // namespace

void AcpiPm1Event::PressPowerButton() {
  std::lock_guard lock(mutex_);
  status_ |= kPwrbtn;
  UpdateSci();
}

void AcpiPm1Event::Read(uint64_t offset, std::span<uint8_t> data) {
  std::lock_guard lock(mutex_);
  ReadBytes(uint32_t{status_} | uint32_t{enable_} << 16, offset, data);
}

void AcpiPm1Event::Write(uint64_t offset, std::span<const uint8_t> data) {
  std::lock_guard lock(mutex_);
  uint32_t mask = 0;
  const uint32_t value = Place(offset, data, &mask);
  status_ &= static_cast<uint16_t>(~value);
  enable_ = static_cast<uint16_t>((enable_ & ~(mask >> 16)) | (value >> 16));
  UpdateSci();
}

void AcpiPm1Event::UpdateSci() {
  const bool level = (status_ & enable_) != 0;
  if (level == sci_level_) return;
  sci_level_ = level;
  sci_.Set(level);
}

void AcpiPm1Control::Read(uint64_t offset, std::span<uint8_t> data) {
  std::lock_guard lock(mutex_);
  ReadBytes(value_, offset, data);
}

void AcpiPm1Control::Write(uint64_t offset, std::span<const uint8_t> data) {
  uint32_t mask = 0;
  const uint32_t value = Place(offset, data, &mask);
  {
    std::lock_guard lock(mutex_);
    const uint32_t merged = (value_ & ~mask) | value;
    value_ = static_cast<uint16_t>((merged & ~uint32_t{kSlpEn}) | kSciEn);
    if ((value & kSlpEn) == 0 || (merged & kSlpTypMask) >> kSlpTypShift != kSlpTypS5) return;
  }
  requests_.OnGuestRequest(GuestRequest{.kind = GuestRequest::Kind::kPowerOff, .by = "acpi"});
}

void AcpiPmTimer::Read(uint64_t offset, std::span<uint8_t> data) {
  // In two steps, because nanoseconds times the frequency would overflow 64 bits after 43 minutes.
  constexpr int64_t kNanosPerSecond = 1'000'000'000;
  const int64_t nanos = absl::ToInt64Nanoseconds(elapsed_());
  const int64_t ticks = nanos / kNanosPerSecond * kHertz + nanos % kNanosPerSecond * kHertz / kNanosPerSecond;
  ReadBytes(static_cast<uint32_t>(ticks), offset, data);
}

}  // namespace vmm
