// The monitor's commands for people, and for drgn: xp, gpa2hva, info. Their output has QEMU's form, which programs
// parse.
#ifndef VMM_LIVE_TEXT_MONITOR_H_
#define VMM_LIVE_TEXT_MONITOR_H_

#include <string>
#include <string_view>

#include "vmm/live/live_guest.h"

namespace vmm {

// Runs one line and returns what it prints, in lines that end in CRLF. An unknown command prints that it is unknown.
std::string RunTextCommand(LiveGuest& guest, std::string_view line);

}  // namespace vmm

#endif  // VMM_LIVE_TEXT_MONITOR_H_
