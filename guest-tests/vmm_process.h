// Runs the real vmm as a process: starts it with flags, feeds it, watches it, and reports what a user would see.
#ifndef GUEST_TESTS_VMM_PROCESS_H_
#define GUEST_TESTS_VMM_PROCESS_H_

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"

namespace vmm {

// The result of a run.
struct VmmResult {
  int exit_code = -1;    // 128 + n if signal n killed the process
  bool overran = false;  // it did not end in time, and was killed
  std::string out;
  std::string err;
  double seconds = 0;  // from start to end

  std::string LastErrorLine() const;

  // Returns everything, for the message of a failed test.
  std::string Describe() const;
};

// One run. Not for use by several threads. The process dies with this object.
class VmmProcess {
 public:
  enum class Stdin { kPipe, kTerminal };

  // Starts vmm/vmm with `args`. kTerminal: in a session of its own, with a terminal as its standard input. `program`
  // differs from vmm only if a shell has to start it.
  explicit VmmProcess(const std::vector<std::string>& args, Stdin input = Stdin::kPipe,
                      const char* program = "vmm/vmm");

  VmmProcess(const VmmProcess&) = delete;
  VmmProcess& operator=(const VmmProcess&) = delete;
  ~VmmProcess();

  pid_t pid() const { return pid_; }
  int terminal() const { return input_.get(); }  // kTerminal: the other end of its standard input

  // Writes `text` to its standard input.
  void Type(std::string_view text);

  // True once stdout (stderr) contains `text`; false after `limit`, or if it ended without `text`.
  bool WaitForOutput(std::string_view text, std::chrono::milliseconds limit = std::chrono::seconds(20));
  bool WaitForError(std::string_view text, std::chrono::milliseconds limit = std::chrono::seconds(20));

  // Stops reading its stdout.
  void CloseOutput() { out_.reset(); }

  void Signal(int signal);

  // True if it ends within `limit` although nobody reads its output.
  bool EndsUnread(std::chrono::milliseconds limit);

  // Waits for the end of the run; kills it after `limit`.
  VmmResult Wait(std::chrono::milliseconds limit = std::chrono::seconds(60));

 private:
  // Reads what is available until `deadline`, or until `enough` returns true. False at the deadline.
  template <typename Condition>
  bool ReadUntil(std::chrono::steady_clock::time_point deadline, Condition enough);

  pid_t pid_ = -1;
  UniqueFd input_, out_, err_;
  std::chrono::steady_clock::time_point start_;
  VmmResult result_;
};

// Starts a run and waits for it: `vmm --kernel=guest-tests/GUEST.elf --memory=64M --append=APPEND FLAGS...`. A --memory
// in `flags` replaces ours.
std::vector<std::string> GuestArgs(std::string_view guest, std::string_view append = "",
                                   std::vector<std::string> flags = {});
VmmResult RunGuest(std::string_view guest, std::string_view append = "", std::vector<std::string> flags = {});
VmmResult RunVmm(const std::vector<std::string>& args);

// Returns the reason why no guest can run on this machine, or nothing if one can.
std::optional<std::string> WhyNoKvm();

// Returns the reason why Stdin::kTerminal is unavailable, or nothing if it is available.
std::optional<std::string> WhyNoTerminal();

}  // namespace vmm

#endif  // GUEST_TESTS_VMM_PROCESS_H_
