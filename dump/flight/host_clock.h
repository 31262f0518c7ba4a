// One time line for everything that the host recorded: its TSC, in seconds since the first vCPU began. Also the guest's
// own clock on it, if that can be known.
#ifndef DUMP_FLIGHT_HOST_CLOCK_H_
#define DUMP_FLIGHT_HOST_CLOCK_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "dump/abi/flight_note_abi.h"
#include "dump/flight/console_note.h"

namespace vmm {

// A plain value, immutable.
class HostClock {
 public:
  HostClock() = default;

  // The TSC's rate comes from the vCPU that lived longest, the guest's clock from the console's lines.
  HostClock(std::span<const FlightNoteHeader> vcpus, std::span<const ConsoleLine> console);

  // Seconds since the first vCPU began. 0 for any earlier time.
  double Seconds(uint64_t tsc) const;
  double SecondsOfTicks(uint64_t ticks) const { return static_cast<double>(ticks) / tsc_hz_; }

  double end() const { return end_; }  // when the last vCPU ended

  // False if the notes give no rate that a TSC can have. Times then assume 1 GHz.
  bool rate_known() const { return rate_known_; }
  double tsc_hz() const { return tsc_hz_; }

  // The reading of printk's clock at Seconds() == 0, usually a little less than 0. The kernel stamps a line before it
  // prints it, so the line with the least delay gives the best estimate, which is late by that delay. Empty if the last
  // line's delay is larger than the least one by more than both 1 s and a twentieth of the life: the clocks ran apart.
  std::optional<double> guest_zero() const { return guest_zero_; }

 private:
  uint64_t start_tsc_ = 0;
  double tsc_hz_ = 1e9;
  bool rate_known_ = false;
  double end_ = 0;
  std::optional<double> guest_zero_;
};

// The seconds of "[    1.234567] text". Empty for a line without them, or from before the kernel's clock ran ("[
// 0.000000]").
std::optional<double> PrintkSeconds(std::string_view line);

}  // namespace vmm

#endif  // DUMP_FLIGHT_HOST_CLOCK_H_
