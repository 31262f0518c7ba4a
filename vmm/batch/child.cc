#include "vmm/batch/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <utility>

#include "absl/time/clock.h"
#include "base/status.h"

namespace vmm {
namespace {

absl::StatusOr<UniqueFd> OpenLog(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (!fd.valid()) return ErrnoStatus(errno, "open " + path);
  return fd;
}

// In the child, between fork and exec: only calls that are safe there.
[[noreturn]] void Become(const char* program, char* const* argv, int in, int out, int err, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(125);  // it died before the line above
  setpgid(0, 0);
  for (const int ignored : {SIGPIPE, SIGTTIN, SIGXFSZ}) signal(ignored, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  execv(program, argv);
  _exit(127);
}

}  // namespace

absl::StatusOr<Child> Child::Start(const std::string& program, const std::vector<std::string>& args,
                                   const std::string& folder) {
  const UniqueFd in(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!in.valid()) return ErrnoStatus(errno, "open /dev/null");
  ASSIGN_OR_RETURN(const UniqueFd out, OpenLog(folder + "/console.log"));
  ASSIGN_OR_RETURN(const UniqueFd err, OpenLog(folder + "/stderr.log"));
  std::vector<char*> argv;
  std::string name = "vmm";
  argv.push_back(name.data());
  for (const std::string& arg : args) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return ErrnoStatus(errno, "fork");
  if (pid == 0) Become(program.c_str(), argv.data(), in.get(), out.get(), err.get(), parent);
  UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  const int error = errno;
  Child child(pid, std::move(pidfd));
  if (!child.pidfd_.valid()) return ErrnoStatus(error, "pidfd_open");
  return child;
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)), started_(other.started_) {}

Child& Child::operator=(Child&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(started_, other.started_);
  std::swap(pidfd_, other.pidfd_);
  return *this;
}

Child::~Child() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void Child::Signal(int signal) const {
  if (pid_ >= 0) kill(pid_, signal);
}

std::optional<int> Child::Ended() {
  int status = 0;
  if (pid_ < 0 || waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  pid_ = -1;
  return status;
}

}  // namespace vmm
