// RPCI: the guest asks in one line of text, and the host answers "1 " or "0 " and more text.
#ifndef DEVICES_VMPORT_RPCI_H_
#define DEVICES_VMPORT_RPCI_H_

#include <string>
#include <string_view>

#include "devices/vmport/guest_records.h"

namespace vmm {

// Does what `request` says to `records`, and returns the answer: at least two bytes, at most
// two more than a guestinfo value. `machine_id` may be empty: the guest is told there is none.
// The request is any bytes at all; one NUL at its end belongs to its sender, not to it.
std::string AnswerRpci(std::string_view request, std::string_view machine_id, GuestRecords& records);

}  // namespace vmm

#endif  // DEVICES_VMPORT_RPCI_H_
