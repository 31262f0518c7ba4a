#include "devices/cmos.h"

#include "absl/time/civil_time.h"

namespace vmm {
namespace {

uint8_t ToBcd(int value) { return static_cast<uint8_t>(value / 10 << 4 | value % 10); }
int FromBcd(uint8_t bcd) { return (bcd >> 4) * 10 + (bcd & 0x0f); }

bool IsTime(uint8_t index) {
  switch (index) {
    case Cmos::kSeconds:
    case Cmos::kMinutes:
    case Cmos::kHours:
    case Cmos::kDayOfWeek:
    case Cmos::kDayOfMonth:
    case Cmos::kMonth:
    case Cmos::kYear:
    case Cmos::kCentury: return true;
  }
  return false;
}

}  // namespace

Cmos::Cmos(const Clock& clock) : clock_(clock) {
  bytes_[kRegisterA] = kDividerOn;
  bytes_[kRegisterB] = kTwentyFourHour;
}

// A 16-bit access is one access to the index and one to the data.
void Cmos::Read(uint64_t offset, std::span<uint8_t> data) {
  std::lock_guard lock(mutex_);
  for (size_t i = 0; i < data.size(); ++i) data[i] = offset + i == 0 ? 0xff : ReadData();
}

void Cmos::Write(uint64_t offset, std::span<const uint8_t> data) {
  std::lock_guard lock(mutex_);
  for (size_t i = 0; i < data.size(); ++i) {
    if (offset + i == 0) {
      index_ = data[i] & kIndexMask;
    } else {
      WriteData(data[i]);
    }
  }
}

uint8_t Cmos::ReadData() {
  if (IsTime(index_) && !IsStopped()) LatchTime();
  switch (index_) {
    case kRegisterA: {
      // Set for the last 244 us of a second, so that a guest that has seen it clear has time to read.
      const absl::Time now = Now();
      const bool update_is_near = absl::Floor(now - absl::UnixEpoch() + absl::Microseconds(244), absl::Seconds(1)) !=
                                  absl::Floor(now - absl::UnixEpoch(), absl::Seconds(1));
      return bytes_[kRegisterA] | (update_is_near && !IsStopped() ? kUip : 0);
    }
    case kRegisterC: return 0;  // no interrupt was ever raised
    case kRegisterD: return kValidRam;
  }
  return bytes_[index_];
}

void Cmos::WriteData(uint8_t value) {
  switch (index_) {
    case kRegisterA: bytes_[kRegisterA] = value & static_cast<uint8_t>(~kUip); return;
    case kRegisterB: {
      const bool was_stopped = IsStopped();
      if (!was_stopped) LatchTime();
      bytes_[kRegisterB] = (value & static_cast<uint8_t>(~kBinary)) | kTwentyFourHour;
      if (was_stopped && !IsStopped()) AdoptTime();
      return;
    }
    case kRegisterC:
    case kRegisterD: return;
  }
  const bool sets_running_clock = IsTime(index_) && !IsStopped();
  if (sets_running_clock) LatchTime();
  bytes_[index_] = value;
  if (sets_running_clock) AdoptTime();
}

void Cmos::LatchTime() {
  const absl::CivilSecond now = absl::ToCivilSecond(Now(), absl::UTCTimeZone());
  bytes_[kSeconds] = ToBcd(now.second());
  bytes_[kMinutes] = ToBcd(now.minute());
  bytes_[kHours] = ToBcd(now.hour());
  // absl::Weekday counts Monday as 0.
  bytes_[kDayOfWeek] = ToBcd((static_cast<int>(absl::GetWeekday(now)) + 1) % 7 + 1);
  bytes_[kDayOfMonth] = ToBcd(now.day());
  bytes_[kMonth] = ToBcd(now.month());
  bytes_[kYear] = ToBcd(static_cast<int>(now.year() % 100));
  bytes_[kCentury] = ToBcd(static_cast<int>(now.year() / 100 % 100));
}

void Cmos::AdoptTime() {
  // CivilSecond carries over, so an invalid date (month 0x99) becomes a valid one.
  const absl::CivilSecond set(FromBcd(bytes_[kCentury]) * 100 + FromBcd(bytes_[kYear]), FromBcd(bytes_[kMonth]),
                              FromBcd(bytes_[kDayOfMonth]), FromBcd(bytes_[kHours]), FromBcd(bytes_[kMinutes]),
                              FromBcd(bytes_[kSeconds]));
  offset_ = absl::FromCivil(set, absl::UTCTimeZone()) - clock_.Now();
}

}  // namespace vmm
