// What this machine has of what vmm needs.
#ifndef VMM_DOCTOR_HOST_CHECKS_H_
#define VMM_DOCTOR_HOST_CHECKS_H_

#include <string>

#include "vmm/doctor/diagnosis.h"

namespace vmm {

// A test passes another `root`, a directory that stands for "/"; the machine's own is "".

// Opens the device as a run would. If that fails: the rights, the group and the modules that are missing.
Diagnoses CheckKvm(const std::string& root, const std::string& path = "/dev/kvm");

// Whether an ordinary user may have a user namespace, which virtiofsd needs. `error` is the errno of an attempt, 0 if
// it succeeded (TryUserNamespace()).
Diagnosis CheckUserNamespaces(const std::string& root, int error);

// Tries it in a child process. REQUIRES: the process has one thread.
int TryUserNamespace();

// The programs that vmm starts for some of its flags. `search_path` is $PATH.
Diagnoses CheckHelpers(const std::string& root, const std::string& search_path);

Diagnosis CheckMemory(const std::string& root);

}  // namespace vmm

#endif  // VMM_DOCTOR_HOST_CHECKS_H_
