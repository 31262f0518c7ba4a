#include "vmm/kvm/capabilities.h"

#include <linux/kvm.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace vmm {
namespace {

struct Capability {
  int number;
  std::string_view name;
  std::string_view consequence;  // of lacking it
};

constexpr Capability kNeeded[] = {
    {KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY", "the guest can have no RAM"},
    {KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP",
     "no interrupt controllers in the kernel: devices and second vCPUs cannot work"},
    {KVM_CAP_PIT2, "KVM_CAP_PIT2", "no timer in the kernel: a guest cannot calibrate its clocks"},
    {KVM_CAP_SET_TSS_ADDR, "KVM_CAP_SET_TSS_ADDR", "real mode does not run on older Intel processors"},
    {KVM_CAP_SET_IDENTITY_MAP_ADDR, "KVM_CAP_SET_IDENTITY_MAP_ADDR",
     "KVM's own pages cannot be moved out of the guest's RAM"},
    {KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID", "the guest's CPUID cannot be set"},
    {KVM_CAP_MP_STATE, "KVM_CAP_MP_STATE", "vCPUs that were never started cannot be told from the others"},
    {KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT",
     "registers at a panic cannot be made exact, and vCPUs cannot be stopped reliably"},
    {KVM_CAP_SIGNAL_MSI, "KVM_CAP_SIGNAL_MSI", "no NMI can be sent to a running vCPU"},
};

}  // namespace

absl::Status CheckCapabilities(absl::FunctionRef<int(int)> check) {
  std::vector<std::string> missing;
  for (const Capability& capability : kNeeded) {
    if (check(capability.number) > 0) continue;
    missing.push_back(absl::StrFormat("%s (without it %s)", capability.name, capability.consequence));
  }
  if (missing.empty()) return absl::OkStatus();
  return absl::UnimplementedError(absl::StrFormat("this KVM lacks %s", absl::StrJoin(missing, "; ")));
}

}  // namespace vmm
