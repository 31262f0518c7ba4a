// `vmm doctor`: its words, from argv to an exit code.
#ifndef VMM_DOCTOR_DOCTOR_COMMAND_H_
#define VMM_DOCTOR_DOCTOR_COMMAND_H_

#include <string>
#include <vector>

#include "vmm/doctor/diagnosis.h"

namespace vmm {

std::string DiagnosesText(const Diagnoses& findings);
std::string DiagnosesJson(const Diagnoses& findings);

// `words` are those after "doctor". Prints the findings; returns 0 unless one of them is a problem (then 1), and 125
// for a wrong word. REQUIRES: the process has one thread.
int DoctorCommand(const std::vector<std::string>& words);

}  // namespace vmm

#endif  // VMM_DOCTOR_DOCTOR_COMMAND_H_
