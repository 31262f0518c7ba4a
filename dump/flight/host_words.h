// Times and sums of the host's side in words, the same in text and HTML.
#ifndef DUMP_FLIGHT_HOST_WORDS_H_
#define DUMP_FLIGHT_HOST_WORDS_H_

#include <string>

#include "dump/abi/flight_note_abi.h"
#include "dump/flight/host_clock.h"
#include "dump/flight/vcpu_sums.h"

namespace vmm {

// "1.204 s", "31.5 ms", "7.2 us", "480 ns": three digits or so.
std::string InWords(double seconds);

// How long vmm had an exit: "31.5 ms", ">= 2.147 s" where the record cannot say more.
std::string HandlingInWords(const FlightRecord& record, const HostClock& clock);

// "41.3 %"; a share that is there but rounds to nothing is "< 0.1 %".
std::string PerCent(double share);

// A time of the story on the guest's clock, "[    6.754044]" as printk has it; where that is not known, before the
// story's end: "[  -0.012345]".
std::string Stamp(const HostClock& clock, double seconds);

// "port 0x3f8", "0xfee00000", "exit reason 5": where exits of this kind went to; empty where that says nothing.
std::string PlaceInWords(FlightKind kind, uint64_t address);

}  // namespace vmm

#endif  // DUMP_FLIGHT_HOST_WORDS_H_
