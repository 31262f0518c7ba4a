// Names for the numbers in a VMCB, as the AMD APM has them.
#ifndef DUMP_NESTED_SVM_SVM_NAMES_H_
#define DUMP_NESTED_SVM_SVM_NAMES_H_

#include <cstdint>
#include <string>

namespace vmm {

// The name of an exit code (AMD APM vol. 2, appendix C): "HLT", "nested page fault", "CR3 write"; "unknown".
std::string SvmExitCodeName(uint64_t code);

// The names of the intercepts that are set in one of the VMCB's words: "INTR, NMI, HLT". `word` is the index of the
// word, 0 to 5. An intercept has the name of its exit; without one it is "bit 31".
std::string SvmInterceptNames(int word, uint32_t value);

}  // namespace vmm

#endif  // DUMP_NESTED_SVM_SVM_NAMES_H_
