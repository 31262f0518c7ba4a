// The real vmm as a process: started with flags, fed, watched, and judged by what a user sees of it.
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

// What is left of a run.
struct VmmResult {
  int exit_code = -1;    // 128 + n where signal n killed the process
  bool overran = false;  // it did not end in time, and was killed
  std::string out;
  std::string err;
  double seconds = 0;  // from start to end

  std::string LastErrorLine() const;

  // All of it, for the message of a failed test.
  std::string Describe() const;
};

// One run. Not for use by several threads. The process dies with this object.
class VmmProcess {
 public:
  enum class Stdin { kPipe, kTerminal };

  // Starts vmm/vmm with `args`. kTerminal: in a session of its own, whose terminal is its standard input.
  // `program` is another one than vmm only where a shell has to start it.
  explicit VmmProcess(const std::vector<std::string>& args, Stdin input = Stdin::kPipe,
                      const char* program = "vmm/vmm");

  VmmProcess(const VmmProcess&) = delete;
  VmmProcess& operator=(const VmmProcess&) = delete;
  ~VmmProcess();

  pid_t pid() const { return pid_; }
  int terminal() const { return input_.get(); }  // kTerminal: the other end of its standard input

  // Puts `text` into its standard input.
  void Type(std::string_view text);

  // True once stdout (stderr) holds `text`; false where that took longer than `limit` or it ended without.
  bool WaitForOutput(std::string_view text, std::chrono::milliseconds limit = std::chrono::seconds(20));
  bool WaitForError(std::string_view text, std::chrono::milliseconds limit = std::chrono::seconds(20));

  // Nobody reads its stdout any more.
  void CloseOutput() { out_.reset(); }

  void Signal(int signal);

  // True iff it ends within `limit` although nobody reads what it prints.
  bool EndsUnread(std::chrono::milliseconds limit);

  // The end of the run; kills it after `limit`.
  VmmResult Wait(std::chrono::milliseconds limit = std::chrono::seconds(60));

 private:
  // Takes what can be read until `deadline`, or until `enough` says so. False at the deadline.
  template <typename Condition>
  bool ReadUntil(std::chrono::steady_clock::time_point deadline, Condition enough);

  pid_t pid_ = -1;
  UniqueFd input_, out_, err_;
  std::chrono::steady_clock::time_point start_;
  VmmResult result_;
};

// Start and Wait in one: `vmm --kernel=guest-tests/GUEST.elf --memory=64M --append=APPEND FLAGS...`. A --memory in
// `flags` takes the place of ours.
std::vector<std::string> GuestArgs(std::string_view guest, std::string_view append = "",
                                   std::vector<std::string> flags = {});
VmmResult RunGuest(std::string_view guest, std::string_view append = "", std::vector<std::string> flags = {});
VmmResult RunVmm(const std::vector<std::string>& args);

// Why no guest can run on this machine, or nothing where one can.
std::optional<std::string> WhyNoKvm();

// Why Stdin::kTerminal cannot be had, or nothing where it can.
std::optional<std::string> WhyNoTerminal();

}  // namespace vmm

#endif  // GUEST_TESTS_VMM_PROCESS_H_
