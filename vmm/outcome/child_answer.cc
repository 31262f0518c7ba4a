#include "vmm/outcome/child_answer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <new>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/unique_fd.h"
#include "sandbox/parser_calls.h"
#include "sandbox/privileges.h"
#include "sandbox/sanitized.h"

namespace vmm {
namespace {

constexpr int kFine = 0;
constexpr int kOutOfMemory = 3;
constexpr int kThrew = 4;

// In bytes; 0 if /proc cannot be read.
uint64_t AddressSpace() {
  uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

void Limit(int resource, uint64_t soft, uint64_t hard) {
  const rlimit limit = {.rlim_cur = soft, .rlim_max = hard};
  setrlimit(static_cast<__rlimit_resource>(resource), &limit);
}

int WriteAll(int fd, const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t written = write(fd, text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return kThrew;
    done += static_cast<size_t>(written);
  }
  return kFine;
}

// Leaves the child memory, and reads of `kept`, and writes to `answer_fd`. A host that lacks filters leaves it more;
// the record's `sandbox` says so.
void Confine(std::vector<int> kept, int answer_fd) {
  if (kSanitized) return;
  kept.push_back(answer_fd);
  std::ranges::sort(kept);
  unsigned next = 0;
  for (const int fd : kept) {
    const unsigned number = static_cast<unsigned>(fd);
    if (number > next) close_range(next, number - 1, 0);
    next = number + 1;
  }
  close_range(next, ~0u, 0);
  ConfineParserCalls(ParserKind::kMemory, answer_fd).IgnoreError();
}

// Never returns. `address_space` is the caller's.
[[noreturn]] void BeChild(const std::function<std::string()>& work, const ChildStart& start, const ChildLimits& limits,
                          uint64_t address_space, pid_t parent, int fd) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(kThrew);
  GiveUpNewPrivileges().IgnoreError();
  Limit(RLIMIT_CORE, 0, 0);
  Limit(RLIMIT_CPU, static_cast<uint64_t>(limits.cpu_seconds), static_cast<uint64_t>(limits.cpu_seconds) + 1);
  signal(SIGXCPU, SIG_DFL);
  sigset_t time_is_up;  // a caller's thread may have it blocked
  sigemptyset(&time_is_up);
  sigaddset(&time_is_up, SIGXCPU);
  sigprocmask(SIG_UNBLOCK, &time_is_up, nullptr);
  if (address_space != 0) Limit(RLIMIT_AS, address_space + limits.memory, address_space + limits.memory);
  int code = kThrew;
  try {
    if (start.prepare) start.prepare();
    Confine(start.inputs, fd);
    code = WriteAll(fd, work());
  } catch (const std::bad_alloc&) {
    code = kOutOfMemory;
  } catch (...) {
  }
  _exit(code);
}

class Child {
 public:
  Child(pid_t pid, UniqueFd fd, const ChildLimits& limits) : pid_(pid), fd_(std::move(fd)), limits_(limits) {}

  absl::StatusOr<std::string> Answer(int stop_fd) {
    const absl::Status read = Read(stop_fd);
    if (!read.ok()) kill(pid_, SIGKILL);
    int status = 0;
    pid_t waited = 0;
    do {
      waited = waitpid(pid_, &status, 0);
    } while (waited < 0 && errno == EINTR);
    if (!read.ok()) return read;
    if (waited < 0) return absl::InternalError("nothing is known of how it ended");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU) {
      return absl::DeadlineExceededError(absl::StrFormat("it took more than %d s of CPU time", limits_.cpu_seconds));
    }
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) {
      return absl::InternalError("it made a system call that is forbidden to it");
    }
    if (WIFSIGNALED(status)) return absl::InternalError(absl::StrFormat("it died of signal %d", WTERMSIG(status)));
    if (WEXITSTATUS(status) == kOutOfMemory) {
      return absl::ResourceExhaustedError(
          absl::StrFormat("it wanted more than %d MiB of memory", limits_.memory >> 20));
    }
    if (WEXITSTATUS(status) != kFine) return absl::InternalError("it failed");
    return std::move(text_);
  }

 private:
  // Reads until the child closes its end.
  absl::Status Read(int stop_fd) {
    const absl::Time deadline = absl::Now() + limits_.wait;
    std::array<char, 65536> buffer;
    for (;;) {
      std::array<pollfd, 2> fds = {{{fd_.get(), POLLIN, 0}, {stop_fd, POLLIN, 0}}};
      const absl::Duration left = deadline - absl::Now();
      if (left <= absl::ZeroDuration()) {
        return absl::DeadlineExceededError(absl::StrFormat("it took more than %d s", limits_.wait / absl::Seconds(1)));
      }
      const int ready = poll(fds.data(), fds.size(), static_cast<int>(absl::ToInt64Milliseconds(left)) + 1);
      if (ready < 0 && errno != EINTR) return absl::InternalError(strerror(errno));
      if (ready <= 0) continue;
      if ((fds[1].revents & POLLIN) != 0) return absl::CancelledError("a signal ended it");
      if (fds[0].revents == 0) continue;
      const ssize_t size = read(fd_.get(), buffer.data(), buffer.size());
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) return absl::InternalError(strerror(errno));
      if (size == 0) return absl::OkStatus();
      if (text_.size() + static_cast<size_t>(size) > limits_.answer) {
        return absl::ResourceExhaustedError(absl::StrFormat("its answer has more than %d bytes", limits_.answer));
      }
      text_.append(buffer.data(), static_cast<size_t>(size));
    }
  }

  const pid_t pid_;
  const UniqueFd fd_;
  const ChildLimits& limits_;
  std::string text_;
};

}  // namespace

absl::StatusOr<std::string> AskChild(const std::function<std::string()>& work, const ChildLimits& limits, int stop_fd,
                                     const ChildStart& start) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return absl::UnavailableError(absl::StrFormat("pipe: %s", strerror(errno)));
  UniqueFd read_end(ends[0]), write_end(ends[1]);
  const uint64_t address_space = AddressSpace();
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return absl::UnavailableError(absl::StrFormat("fork: %s", strerror(errno)));
  if (pid == 0) BeChild(work, start, limits, address_space, parent, write_end.get());
  write_end.reset();
  return Child(pid, std::move(read_end), limits).Answer(stop_fd);
}

}  // namespace vmm
