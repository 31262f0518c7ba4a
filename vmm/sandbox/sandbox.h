// The sandbox of a run. What a guest can make of a fault in this program is what the thread that has the fault may
// still do: no new file, no new process, no new right.
//
//   ASSIGN_OR_RETURN(sandbox, Sandbox::Create(mode));
//   ...open everything, start helper processes...
//   RETURN_IF_ERROR(sandbox->ConfineProcess({dump_dir}));  // on the thread that starts all others
//   sandbox->ConfineThread(ThreadKind::kVcpu);             // first thing on a vCPU's thread
//   sandbox->ConfineThread(ThreadKind::kMain);             // when all threads have been started
#ifndef VMM_SANDBOX_SANDBOX_H_
#define VMM_SANDBOX_SANDBOX_H_

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "vmm/sandbox/denied_calls.h"
#include "vmm/sandbox/sandbox_mode.h"
#include "vmm/sandbox/seccomp_filter.h"
#include "vmm/sandbox/system_calls.h"

namespace vmm {

// What stands, for the record. A host may lack parts of it: old kernels, containers that forbid a call.
struct SandboxReport {
  SandboxMode mode = SandboxMode::kOff;
  bool seccomp = false;
  int landlock = 0;                  // the interface's version; 0: none
  std::vector<std::string> lacking;  // one line each: what this host cannot give
};

// Made and used by the thread that starts the others, but for ConfineThread(). Nothing that it takes away comes back
// when it is destroyed.
class Sandbox {
 public:
  static absl::StatusOr<std::unique_ptr<Sandbox>> Create(SandboxMode mode);

  // Confines this process: rights, files, and the system calls of every thread that runs now. Files below `writable`
  // can still be made and changed; /proc and /sys can be read. An error if a part that this host has could not be put
  // in place.
  absl::Status ConfineProcess(std::span<const std::string> writable, std::span<const std::string> removable = {});

  // Narrows the calling thread to its kind. Aborts the process if that fails, because an unconfined guest is worse.
  void ConfineThread(ThreadKind kind);

  const SandboxReport& report() const { return report_; }

 private:
  Sandbox() = default;

  SandboxReport report_;
  std::vector<SeccompFilter> filters_;  // by kind
  DeniedCalls* denied_ = nullptr;       // lives as long as the process: without a listener, such a call would fail
};

}  // namespace vmm

#endif  // VMM_SANDBOX_SANDBOX_H_
