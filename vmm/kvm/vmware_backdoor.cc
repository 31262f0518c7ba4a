#include "vmm/kvm/vmware_backdoor.h"

#include <fstream>

namespace vmm {

BackdoorReach ReadBackdoorReach(const std::string& path) {
  std::ifstream file(path);
  char value = 0;
  if (!file.get(value)) return BackdoorReach::kUnknown;
  return value == 'Y' || value == '1' ? BackdoorReach::kAnyProgram : BackdoorReach::kGrantedPrograms;
}

std::string_view BackdoorReachName(BackdoorReach reach) {
  switch (reach) {
    case BackdoorReach::kAnyProgram: return "any-program";
    case BackdoorReach::kGrantedPrograms: return "granted-programs";
    case BackdoorReach::kUnknown: return "unknown";
  }
  return "unknown";
}

std::string DescribeBackdoorReach(BackdoorReach reach) {
  switch (reach) {
    case BackdoorReach::kAnyProgram: return "vmport: any program in the guest reaches it (kvm.enable_vmware_backdoor)";
    case BackdoorReach::kGrantedPrograms:
      return "vmport: the guest's kernel reaches it, and programs after ioperm(0x5658, 4, 1); "
             "all of them where kvm is loaded with enable_vmware_backdoor=1";
    case BackdoorReach::kUnknown: break;
  }
  return "vmport: programs in the guest may need ioperm(0x5658, 4, 1): this host does not tell";
}

}  // namespace vmm
