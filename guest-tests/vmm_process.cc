#include "guest-tests/vmm_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_format.h"

extern char** environ;

namespace vmm {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

void Must(bool ok, const char* what) {
  if (ok) return;
  std::perror(what);
  std::abort();
}

struct Pipe {
  UniqueFd read, write;
};

Pipe MakePipe() {
  int fds[2];
  Must(pipe2(fds, O_CLOEXEC) == 0, "pipe2");
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

// Returns our end of a new terminal. Invalid, with errno, if none is available.
UniqueFd MakeTerminal() {
  UniqueFd ours(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (ours.valid() && (grantpt(ours.get()) != 0 || unlockpt(ours.get()) != 0)) ours.reset();
  return ours;
}

}  // namespace

std::string VmmResult::LastErrorLine() const {
  std::string_view text = err;
  while (text.ends_with('\n')) text.remove_suffix(1);
  return std::string(text.substr(text.rfind('\n') + 1));
}

std::string VmmResult::Describe() const {
  return absl::StrFormat("exit code %d after %.2f s%s\n--- stdout\n%s\n--- stderr\n%s\n---", exit_code, seconds,
                         overran ? ", killed because it did not end" : "", out, err);
}

VmmProcess::VmmProcess(const std::vector<std::string>& args, Stdin input, const char* program)
    : start_(steady_clock::now()) {
  Pipe in;
  Pipe out = MakePipe();
  Pipe err = MakePipe();
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (input == Stdin::kTerminal) {
    // The first terminal that the leader of a new session opens becomes its controlling terminal, with the leader in
    // the foreground.
    in.write = MakeTerminal();
    Must(in.write.valid(), "open a terminal");
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, ptsname(in.write.get()), O_RDWR, 0);
  } else {
    in = MakePipe();
    posix_spawn_file_actions_adddup2(&actions, in.read.get(), STDIN_FILENO);
  }
  posix_spawn_file_actions_adddup2(&actions, out.write.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.write.get(), STDERR_FILENO);
  std::vector<char*> argv = {const_cast<char*>(program)};
  for (const std::string& arg : args) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  errno = posix_spawn(&pid_, program, &actions, &attributes, argv.data(), environ);
  Must(errno == 0, program);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  input_ = std::move(in.write);
  out_ = std::move(out.read);
  err_ = std::move(err.read);
}

VmmProcess::~VmmProcess() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void VmmProcess::Type(std::string_view text) {
  // If vmm has already ended, Wait() reports that; the test must survive to do so.
  const auto old_handler = signal(SIGPIPE, SIG_IGN);
  const ssize_t written = write(input_.get(), text.data(), text.size());
  Must(written == static_cast<ssize_t>(text.size()) || errno == EPIPE, "type into vmm");
  signal(SIGPIPE, old_handler);
}

void VmmProcess::Signal(int signal) { kill(pid_, signal); }

template <typename Condition>
bool VmmProcess::ReadUntil(steady_clock::time_point deadline, Condition enough) {
  while (!enough()) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    if (left <= milliseconds(0)) return false;
    pollfd fds[] = {{out_.get(), POLLIN, 0}, {err_.get(), POLLIN, 0}};  // poll(2) skips a negative descriptor
    if (poll(fds, 2, static_cast<int>(left.count())) < 0 && errno != EINTR) return false;
    for (int i = 0; i < 2; ++i) {
      if (fds[i].revents == 0) continue;
      char buffer[4096];
      const ssize_t count = read(fds[i].fd, buffer, sizeof(buffer));
      if (count > 0) {
        (i == 0 ? result_.out : result_.err).append(buffer, static_cast<size_t>(count));
      } else {
        (i == 0 ? out_ : err_).reset();
      }
    }
  }
  return true;
}

bool VmmProcess::WaitForOutput(std::string_view text, milliseconds limit) {
  const auto found = [&] { return result_.out.find(text) != std::string::npos; };
  ReadUntil(steady_clock::now() + limit, [&] { return found() || !out_.valid(); });
  return found();
}

bool VmmProcess::WaitForError(std::string_view text, milliseconds limit) {
  const auto found = [&] { return result_.err.find(text) != std::string::npos; };
  ReadUntil(steady_clock::now() + limit, [&] { return found() || !err_.valid(); });
  return found();
}

bool VmmProcess::EndsUnread(milliseconds limit) {
  const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  Must(process.valid(), "pidfd_open");
  pollfd fd = {process.get(), POLLIN, 0};
  return poll(&fd, 1, static_cast<int>(limit.count())) == 1;
}

VmmResult VmmProcess::Wait(milliseconds limit) {
  if (!ReadUntil(steady_clock::now() + limit, [&] { return !out_.valid() && !err_.valid(); })) {
    result_.overran = true;
    kill(pid_, SIGKILL);
  }
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  result_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result_.seconds = std::chrono::duration<double>(steady_clock::now() - start_).count();
  return result_;
}

std::vector<std::string> GuestArgs(std::string_view guest, std::string_view append, std::vector<std::string> flags) {
  std::vector<std::string> args = {absl::StrFormat("--kernel=guest-tests/%s.elf", guest), "--memory=64M",
                                   absl::StrFormat("--append=%s", append)};
  args.insert(args.end(), flags.begin(), flags.end());
  return args;
}

VmmResult RunGuest(std::string_view guest, std::string_view append, std::vector<std::string> flags) {
  return RunVmm(GuestArgs(guest, append, std::move(flags)));
}

VmmResult RunVmm(const std::vector<std::string>& args) { return VmmProcess(args).Wait(); }

std::optional<std::string> WhyNoKvm() {
  const UniqueFd kvm(open("/dev/kvm", O_RDWR | O_CLOEXEC));
  if (kvm.valid()) return std::nullopt;
  return absl::StrFormat("/dev/kvm: %s", std::strerror(errno));
}

std::optional<std::string> WhyNoTerminal() {
  if (MakeTerminal().valid()) return std::nullopt;
  return absl::StrFormat("/dev/ptmx: %s", std::strerror(errno));
}

}  // namespace vmm
