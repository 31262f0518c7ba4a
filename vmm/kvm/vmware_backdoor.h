// Tells whether this host's KVM lets every program in a guest use VMware's backdoor port.
#ifndef VMM_KVM_VMWARE_BACKDOOR_H_
#define VMM_KVM_VMWARE_BACKDOOR_H_

#include <string>
#include <string_view>

namespace vmm {

// The guest programs that reach the port. The guest's kernel always reaches it.
enum class BackdoorReach {
  kAnyProgram,       // the module parameter kvm.enable_vmware_backdoor is set
  kGrantedPrograms,  // it is not: a program needs ioperm(0x5658, 4, 1) or iopl(3) from the guest's root
  kUnknown,          // cannot be read: no /sys, or another KVM
};

BackdoorReach ReadBackdoorReach(const std::string& path = "/sys/module/kvm/parameters/enable_vmware_backdoor");

// "any-program", "granted-programs", "unknown": stable words, used in result.json.
std::string_view BackdoorReachName(BackdoorReach reach);

// The same as a sentence, with advice for the user.
std::string DescribeBackdoorReach(BackdoorReach reach);

}  // namespace vmm

#endif  // VMM_KVM_VMWARE_BACKDOOR_H_
