// RPCI: the guest sends one line of text, and the host answers with "1 " or "0 " and more text.
#ifndef DEVICES_VMPORT_RPCI_H_
#define DEVICES_VMPORT_RPCI_H_

#include <string>
#include <string_view>

#include "devices/vmport/guest_records.h"

namespace vmm {

// Applies `request` to `records` and returns the answer: at least two bytes, and at most two more than a guestinfo
// value. `machine_id` may be empty: the guest then hears that there is none. The request may be any bytes. One NUL at
// its end is the sender's terminator and not part of the request.
std::string AnswerRpci(std::string_view request, std::string_view machine_id, GuestRecords& records);

}  // namespace vmm

#endif  // DEVICES_VMPORT_RPCI_H_
