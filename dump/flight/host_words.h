// Puts times and sums of the host's side into words, the same for text and HTML.
#ifndef DUMP_FLIGHT_HOST_WORDS_H_
#define DUMP_FLIGHT_HOST_WORDS_H_

#include <string>

#include "dump/abi/flight_note_abi.h"
#include "dump/flight/host_clock.h"
#include "dump/flight/vcpu_sums.h"

namespace vmm {

// "1.204 s", "31.5 ms", "7.2 us", "480 ns": about three digits.
std::string InWords(double seconds);

// The time vmm took for an exit: "31.5 ms", or ">= 2.147 s" if the record's field is at its limit.
std::string HandlingInWords(const FlightRecord& record, const HostClock& clock);

// "41.3 %". A share above 0 that rounds to nothing is "< 0.1 %".
std::string PerCent(double share);

// A time of the story on the guest's clock, "[    6.754044]" as printk writes it. If that clock is not known, the time
// relative to the story's end: "[   -0.012345]".
std::string Stamp(const HostClock& clock, double seconds);

// The target of exits of this kind: "port 0x3f8", "0xfee00000", "reason 0x21". Empty if the kind has none.
std::string PlaceInWords(FlightKind kind, uint64_t address);

}  // namespace vmm

#endif  // DUMP_FLIGHT_HOST_WORDS_H_
