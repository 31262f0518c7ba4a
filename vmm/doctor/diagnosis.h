// One thing that `vmm doctor` looked at.
#ifndef VMM_DOCTOR_DIAGNOSIS_H_
#define VMM_DOCTOR_DIAGNOSIS_H_

#include <string>
#include <vector>

namespace vmm {

struct Diagnosis {
  enum class Level {
    kOk,
    kWarning,  // some use of vmm will not work
    kProblem,  // no guest can run, or the kernel that was asked about cannot
  };
  Level level = Level::kOk;
  std::string subject;  // "/dev/kvm"
  std::string text;     // what was found
  std::string remedy;   // what to do; empty: nothing
};

using Diagnoses = std::vector<Diagnosis>;

}  // namespace vmm

#endif  // VMM_DOCTOR_DIAGNOSIS_H_
