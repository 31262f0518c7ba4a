// --sandbox: how closely a run confines itself.
#ifndef VMM_SANDBOX_SANDBOX_MODE_H_
#define VMM_SANDBOX_SANDBOX_MODE_H_

namespace vmm {

enum class SandboxMode {
  kOff,
  kLog,  // a system call that a filter does not allow is made, and a line names it
  kOn,   // it ends the process with SIGSYS
};

}  // namespace vmm

#endif  // VMM_SANDBOX_SANDBOX_MODE_H_
