// Runs a program of open-vm-tools under ptrace, with a backdoor of ours in place of VMware's: a port read faults in
// user mode, and the tracer answers it. So the real client talks to the device without a VM, without KVM, and one IN at
// a time.
//
// The program checks CPUID before it tries the port. A breakpoint replaces each CPUID instruction in it and in
// libvmtools, and the tracer answers those too. vmtoolsd would also try VMware's vsock ports on the host, so the
// program has no vsock.
#ifndef GUEST_TESTS_VMPORT_TRACED_CLIENT_H_
#define GUEST_TESTS_VMPORT_TRACED_CLIENT_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "devices/vmport/abi/vmport_abi.h"

namespace vmm {

struct TraceOptions {
  // The twelve bytes of CPUID leaf 0x40000000; empty: no hypervisor at all.
  std::string hypervisor = "VMwareVMware";

  // Answers one IN of four bytes from kBackdoorPort.
  std::function<void(BackdoorRegisters&)> on_in;

  // If set, called after each IN: true ends a program that does not end by itself.
  std::function<bool()> done;
};

struct TracedRun {
  int exit_status = -1;  // 128 + n if signal n killed it
  std::string out;
  std::string err;
  std::vector<BackdoorRegisters> asked;     // each IN, as the program issued it
  std::vector<BackdoorRegisters> answered;  // each IN, as on_in left it
};

// Runs argv[0], the path of a position-independent ELF program, to its end. Traces its threads, but not its child
// processes. Kills a program that makes more than a million INs, and returns an error.
absl::StatusOr<TracedRun> RunTraced(const std::vector<std::string>& argv, const TraceOptions& options);

}  // namespace vmm

#endif  // GUEST_TESTS_VMPORT_TRACED_CLIENT_H_
