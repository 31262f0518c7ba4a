// One time line for all that the host noted: its TSC, in seconds since the first vCPU began, and where it can be
// known in the guest's own.
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

  // From the vCPU that lived longest comes the TSC's rate, from the console's lines the guest's clock.
  HostClock(std::span<const FlightNoteHeader> vcpus, std::span<const ConsoleLine> console);

  // Since the first vCPU began; 0 for anything before.
  double Seconds(uint64_t tsc) const;
  double SecondsOfTicks(uint64_t ticks) const { return static_cast<double>(ticks) / tsc_hz_; }

  double end() const { return end_; }  // when the last vCPU ended

  // False where the notes give no rate that a TSC can have: then times are as of 1 GHz.
  bool rate_known() const { return rate_known_; }
  double tsc_hz() const { return tsc_hz_; }

  // What printk's clock showed at Seconds() == 0, mostly a little less than 0. The kernel stamps a line before it
  // prints it, so the least delay that a line had is the nearest to none: the clock is late by that delay.
  // Nothing where the last line is later than that by a second and a twentieth of the life: the clocks ran apart.
  std::optional<double> guest_zero() const { return guest_zero_; }

 private:
  uint64_t start_tsc_ = 0;
  double tsc_hz_ = 1e9;
  bool rate_known_ = false;
  double end_ = 0;
  std::optional<double> guest_zero_;
};

// The seconds of "[    1.234567] text"; nothing for a line without them, or of the time before the kernel's clock
// ran ("[    0.000000]").
std::optional<double> PrintkSeconds(std::string_view line);

}  // namespace vmm

#endif  // DUMP_FLIGHT_HOST_CLOCK_H_
