// What a kernel has of what vmm's flags need.
#ifndef VMM_DOCTOR_KERNEL_CHECKS_H_
#define VMM_DOCTOR_KERNEL_CHECKS_H_

#include <string>

#include "vmm/doctor/diagnosis.h"
#include "vmm/doctor/kernel_config.h"

namespace vmm {

// Says what the image at `path` is, which release, whether its modules are installed, where its configuration was
// found, and what it lacks. `root` as in host_checks.h. Decompresses the kernel: takes up to a second.
Diagnoses CheckKernel(const std::string& path, const std::string& root);

// One finding for each thing that a flag or a use needs. `modules` is the text of modules.dep, empty if there is none.
Diagnoses CheckConfig(const KernelConfig& config, const std::string& modules);

}  // namespace vmm

#endif  // VMM_DOCTOR_KERNEL_CHECKS_H_
