// A program of open-vm-tools under ptrace, with a backdoor of ours in place of VMware's: a port
// read faults in user mode, and the tracer answers it. So the real client speaks to the device
// without a VM, without KVM, and one IN at a time.
//
// The program looks at CPUID before it tries the port; each CPUID instruction of it and of
// libvmtools is replaced by a breakpoint, and the tracer answers that too. vmtoolsd would also
// try VMware's vsock ports on the host, so the program has no vsock.
#ifndef GUEST_TESTS_VMPORT_TRACED_CLIENT_H_
#define GUEST_TESTS_VMPORT_TRACED_CLIENT_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "devices/vmport/abi/vmport_abi.h"

namespace vmm {

struct TraceOptions {
  // What CPUID leaf 0x40000000 says, twelve bytes; empty: no hypervisor at all.
  std::string hypervisor = "VMwareVMware";

  // Answers one IN of four bytes from kBackdoorPort.
  std::function<void(BackdoorRegisters&)> on_in;

  // Asked after each IN, if set: true ends a program that does not end by itself.
  std::function<bool()> done;
};

struct TracedRun {
  int exit_status = -1;  // 128 + n where signal n killed it
  std::string out;
  std::string err;
  std::vector<BackdoorRegisters> asked;     // each IN, as the program made it
  std::vector<BackdoorRegisters> answered;  // and as on_in left it
};

// Runs argv[0], a position-independent ELF program with its path, to its end. Its threads are
// followed, its child processes are not. A program that makes more than a million INs is killed,
// and that is an error.
absl::StatusOr<TracedRun> RunTraced(const std::vector<std::string>& argv, const TraceOptions& options);

}  // namespace vmm

#endif  // GUEST_TESTS_VMPORT_TRACED_CLIENT_H_
