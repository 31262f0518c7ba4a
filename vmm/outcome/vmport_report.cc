#include "vmm/outcome/vmport_report.h"

namespace vmm {

VmportReport ReportVmport(const Backdoor& backdoor, BackdoorReach reach) {
  VmportReport report{.reach = reach,
                      .messages = backdoor.message_count(),
                      .log = backdoor.Log(),
                      .tools = backdoor.Tools(),
                      .state = backdoor.Save()};
  for (const auto& [key, entry] : backdoor.GuestInfo()) {
    if (entry.by == GuestInfoStore::By::kGuest) report.guestinfo[key] = entry.value;
  }
  return report;
}

}  // namespace vmm
