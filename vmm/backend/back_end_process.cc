#include "vmm/backend/back_end_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/log.h"
#include "base/status.h"
#include "vmm/backend/child_steps.h"

namespace vmm {
namespace {

constexpr size_t kMaxLineBytes = 500;
constexpr int kMaxLines = 200;
constexpr int kEndMilliseconds = 1000;

struct Pipe {
  UniqueFd read, write;
};

absl::StatusOr<Pipe> MakePipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return ErrnoStatus(errno, "pipe");
  return Pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

// Empty once the process runs its program.
absl::Status FailureOf(int fd) {
  ChildFailure failure = {};
  ssize_t got;
  do {
    got = read(fd, &failure, sizeof failure);
  } while (got < 0 && errno == EINTR);
  if (got != sizeof failure) return absl::OkStatus();
  return ErrnoStatus(failure.error, failure.step);
}

}  // namespace

std::string DescribeExit(int wait_status) {
  if (WIFEXITED(wait_status)) return absl::StrFormat("ended with status %d", WEXITSTATUS(wait_status));
  const int signal = WTERMSIG(wait_status);
  return absl::StrFormat("was killed by signal %d (%s)", signal, strsignal(signal));
}

absl::StatusOr<std::unique_ptr<BackEndProcess>> BackEndProcess::Start(BackEndPlan plan,
                                                                      std::function<void(std::string)> on_end) {
  const std::string context = "start " + plan.name;
  if (plan.descriptors.size() > kMostDescriptors) return absl::InternalError(context + ": too many descriptors");
  ASSIGN_OR_RETURN(Pipe output, Annotate(MakePipe(), context));
  ASSIGN_OR_RETURN(Pipe failure, Annotate(MakePipe(), context));
  UniqueFd stop(eventfd(0, EFD_CLOEXEC));
  if (!stop.valid()) return ErrnoStatus(errno, context + ": eventfd");

  std::vector<char*> argv;
  for (std::string& word : plan.argv) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::string uid_map, gid_map;
  if (plan.world != BackEndPlan::World::kOurs) {
    const bool root_there = plan.world == BackEndPlan::World::kRootThere;
    const unsigned there = geteuid() != 0 ? geteuid() : BackEndPlan::kNobody;
    uid_map = absl::StrFormat("%d %d 1\n", root_there ? 0 : there, geteuid());
    gid_map = absl::StrFormat("%d %d 1\n", root_there ? 0 : there, getegid());
  }
  const ChildOrder order = {
      .argv = argv.data(),
      .descriptors = plan.descriptors,
      .output = output.write.get(),
      .failure = failure.write.get(),
      .parent = getpid(),
      .own_namespaces = plan.world != BackEndPlan::World::kOurs,
      .read_only_folder = plan.read_only_folder.empty() ? nullptr : plan.read_only_folder.c_str(),
      .uid_map = uid_map,
      .gid_map = gid_map,
  };
  const pid_t pid = fork();
  if (pid == 0) BecomeBackEnd(order);
  if (pid < 0) return ErrnoStatus(errno, context + ": fork");
  failure.write.reset();
  output.write.reset();
  if (const absl::Status failed = FailureOf(failure.read.get()); !failed.ok()) {
    waitpid(pid, nullptr, 0);
    return Annotate(failed, context);
  }
  return std::unique_ptr<BackEndProcess>(
      new BackEndProcess(std::move(plan), std::move(on_end), pid, std::move(output.read), std::move(stop)));
}

BackEndProcess::BackEndProcess(BackEndPlan plan, std::function<void(std::string)> on_end, pid_t pid, UniqueFd output,
                               UniqueFd stop)
    : plan_(std::move(plan)),
      on_end_(std::move(on_end)),
      pid_(pid),
      output_(std::move(output)),
      stop_(std::move(stop)),
      thread_([this] { Watch(); }) {}

BackEndProcess::~BackEndProcess() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(stop_.get(), &one, sizeof one);
  thread_.join();
}

void BackEndProcess::Watch() {
  // Without pidfds (before Linux 5.3) the end is noticed by looking.
  const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  while (true) {
    std::array<pollfd, 3> fds = {pollfd{stop_.get(), POLLIN, 0}, pollfd{process.get(), POLLIN, 0},
                                 pollfd{output_.get(), POLLIN, 0}};
    poll(fds.data(), fds.size(), process.valid() ? -1 : 100);
    if (fds[2].revents != 0 && !PassOutput()) output_.reset();  // it closed its output
    if (fds[0].revents != 0) {
      End();
      return;
    }
    int status = 0;
    if (fds[1].revents == 0 && process.valid()) continue;
    if (!Wait(0, status)) continue;
    while (output_.valid() && PassOutput()) {  // its last words
    }
    if (!line_.empty()) PassLine(line_);
    if (on_end_) on_end_(DescribeExit(status));
    return;
  }
}

// False: there is nothing more now.
bool BackEndProcess::PassOutput() {
  pollfd ready = {output_.get(), POLLIN, 0};
  if (poll(&ready, 1, 0) <= 0) return false;
  std::array<char, 4096> buffer;
  const ssize_t got = read(output_.get(), buffer.data(), buffer.size());
  if (got < 0 && errno == EINTR) return true;
  if (got <= 0) return false;
  for (const char c : std::string_view(buffer.data(), static_cast<size_t>(got))) {
    if (c == '\n') {
      PassLine(line_);
      line_.clear();
    } else if (line_.size() < kMaxLineBytes) {
      line_ += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    }
  }
  return true;
}

void BackEndProcess::PassLine(std::string_view line) {
  if (lines_ > kMaxLines) return;
  ++lines_;
  if (plan_.on_line) {
    if (lines_ <= kMaxLines) plan_.on_line(line);
    return;
  }
  LogInfo(absl::StrFormat("%s: %s", plan_.name, lines_ <= kMaxLines ? line : "further lines are not shown"));
}

bool BackEndProcess::Wait(int milliseconds, int& status) const {
  const absl::Time end = absl::Now() + absl::Milliseconds(milliseconds);
  while (true) {
    const pid_t ended = waitpid(pid_, &status, WNOHANG);
    if (ended == pid_ || (ended < 0 && errno != EINTR)) return true;
    if (absl::Now() >= end) return false;
    absl::SleepFor(absl::Milliseconds(5));
  }
}

void BackEndProcess::End() const {
  int status = 0;
  kill(pid_, SIGTERM);
  if (Wait(kEndMilliseconds, status)) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, &status, 0);
}

}  // namespace vmm
