// The things that a guest has left in its backdoor, for the record of the run and for the dump.
#ifndef VMM_OUTCOME_VMPORT_REPORT_H_
#define VMM_OUTCOME_VMPORT_REPORT_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "devices/vmport/backdoor.h"
#include "vmm/kvm/vmware_backdoor.h"

namespace vmm {

// The name of the note that holds `state` in a vmcore; its type is 0.
inline constexpr std::string_view kVmportNoteName = "VMM-VMPORT";

struct VmportReport {
  BackdoorReach reach = BackdoorReach::kUnknown;
  uint64_t messages = 0;                         // MESSAGE commands
  std::map<std::string, std::string> guestinfo;  // set by the guest, any bytes; without values that it only read
  std::vector<std::string> log;
  ToolsStatus tools;
  std::string state;  // Backdoor::Save()
};

VmportReport ReportVmport(const Backdoor& backdoor, BackdoorReach reach);

}  // namespace vmm

#endif  // VMM_OUTCOME_VMPORT_REPORT_H_
