// vmm as a library: a test harness boots a guest, waits for its end and has all that it left, without a program vmm.
// docs/library.md has a worked example. vmm_c.h offers the same to C.
//
// A run leaves the process alone. It does not exit, and touches no signal handler or mask of the caller, no standard
// stream, terminal, environment variable or working directory. It has no sandbox, because a sandbox confines a thread
// for good. Three things of the process it does use:
// - SIGRTMIN. The first run installs a handler that does nothing, and stays. It brings vCPU threads out of KVM_RUN. If
//   the program has its own handler there, Run() fails.
// - Threads, all with the caller's signals blocked, and all ended when Run() returns.
// - After a bad end, one child process that reads the guest's memory, for some seconds at most. It is waited for; the
//   caller sees a SIGCHLD. A waitpid(-1) of the caller's own may take it away, and then the cause is missing.
#ifndef VMM_LIB_LIBVMM_H_
#define VMM_LIB_LIBVMM_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace libvmm {

// One run, as flags of vmm say it. Paths are of the host unless said otherwise.
struct Config {
  std::string kernel;        // a bzImage or vmlinux; needed
  std::string initrd;        // empty: none. Not with a program
  std::string command_line;  // the kernel's

  // A program of the host that the guest runs, then its arguments. Its libraries go with it. Empty: the initrd's init.
  std::vector<std::string> program;
  std::vector<std::pair<std::string, std::string>> files;  // more files or folders for it: on the host, in the guest
  std::vector<std::string> environment;                    // NAME=VALUE; nothing of the caller's is taken over
  std::vector<std::string> modules;                        // names of kernel modules, loaded first
  std::string modules_folder;                              // empty: /lib/modules/RELEASE of this host
  std::string working_folder;                              // in the guest; empty: the path of the caller's own

  std::string input;  // the program's standard input; without a program the serial console's

  uint64_t memory_mib = 1024;  // 64 to the host's memory
  int cpus = 1;                // 1 to 255

  absl::Duration timeout = absl::InfiniteDuration();  // from the guest's first instruction
  absl::Duration hang_after =
      absl::InfiniteDuration();  // at least 1 s; no output and no progress for so long is a hang

  std::string dump_dir;  // where a vmcore is written after a panic or hang; empty: none is
  int dump_level = 1;    // 1: all memory; 31: without free and user pages

  // How much of each stream the outcome keeps, in bytes. The guest may write any amount; the rest is counted only.
  size_t keep_bytes = 16u << 20;

  // See each stream as it comes. Threads of the run call them, one at a time for each function. They must not throw,
  // nor block for long (the guest waits), and of a Vm may call only Cancel(). Empty: nobody listens.
  std::function<void(std::string_view bytes)> on_console;  // the kernel's serial console
  std::function<void(std::string_view bytes)> on_stdout;   // the program's
  std::function<void(std::string_view bytes)> on_stderr;   // the program's

  // Takes what vmm would say on its standard error, a message each. Any thread of the run calls it, several at once.
  std::function<void(std::string_view message)> on_message;
};

// One result of a test in the guest (KTAP or TAP in the program's output, or on the console).
struct Subtest {
  std::string name;
  std::string verdict;  // "ok", "not ok", "skip", "crashed", ...: docs/ktap.md
  bool failed = false;  // "not ok", "timeout", "error" or "crashed"
  std::string message;
  std::vector<Subtest> subtests;
};

// What a stream wrote.
struct Stream {
  std::string bytes;     // the first Config::keep_bytes
  uint64_t dropped = 0;  // bytes after them
};

struct RunOutcome {
  std::string outcome;             // "power-off", "guest-exit", "panic", "hang", ...: docs/result-json.md
  int exit_code = 0;               // vmm's for such a run: docs/exit-codes.md
  std::optional<uint32_t> status;  // the guest's own, or the program's (128 + N: killed by signal N), if it has one
  std::string summary;             // one line for people
  std::string cause;               // after a bad end: the panic's own words, or what else is known; may be empty
  std::string signature;           // equal for deaths of one kind; empty: unknown
  Stream console;
  Stream stdout_stream;
  Stream stderr_stream;
  std::string dump_path;  // of the vmcore; empty: there is none
  std::string record;     // docs/result-json.md, JSON
  std::string junit;      // the subtests as JUnit's XML
  std::vector<Subtest> subtests;

  // True if the guest's kernel died, by panic() or so badly that it could not call it.
  bool panicked() const { return outcome == "panic" || outcome == "triple-fault"; }
};

// One virtual machine, for one run. Any number may run at once in a process.
class Vm {
 public:
  // Checks what can be checked without files and /dev/kvm. InvalidArgument names the field, its value and the limit.
  static absl::StatusOr<std::unique_ptr<Vm>> Create(Config config);

  Vm(const Vm&) = delete;
  Vm& operator=(const Vm&) = delete;
  ~Vm();  // REQUIRES: no Run() is going on

  // Runs the guest to its end, whatever end that is, and waits for it. Once; a second call is FailedPrecondition. An
  // error means that there was no run: no /dev/kvm, a bad image, no such program, out of memory.
  absl::StatusOr<RunOutcome> Run();

  // Any thread, at any time: ends the run, as "interrupted". A run that has not begun ends at its beginning. A second
  // call also cuts off what follows the guest's end: a dump, or the search for the cause.
  void Cancel();

 private:
  struct Parts;
  explicit Vm(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

// Vm::Create() and Run() in one.
absl::StatusOr<RunOutcome> Run(Config config);

}  // namespace libvmm

#endif  // VMM_LIB_LIBVMM_H_
