#include "vmm/backend/child_steps.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace vmm {
namespace {

constexpr int kFirst = 3;                         // after standard input, output and error
constexpr int kAside = 3 + kMostDescriptors + 1;  // from here on no descriptor has the number that another gets

[[noreturn]] void Fail(const ChildOrder& order, const char* step) {
  const ChildFailure failure = {step, errno};
  [[maybe_unused]] const ssize_t written = write(order.failure, &failure, sizeof failure);
  _exit(127);
}

void WriteMap(const ChildOrder& order, const char* path, std::string_view text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) Fail(order, path);
  close(fd);
}

// Blocked and ignored signals would be inherited.
void ForgetSignals() {
  for (int signal = 1; signal < NSIG; ++signal) std::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

void DieWithParent(const ChildOrder& order) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) Fail(order, "ask to die with the VMM");
  if (getppid() != order.parent) _exit(127);  // it died before we asked
}

void EnterNamespaces(const ChildOrder& order) {
  constexpr int kOthers = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC;
  if (!order.uid_map.empty() && unshare(CLONE_NEWUSER | kOthers) == 0) {
    WriteMap(order, "/proc/self/setgroups", "deny");
    WriteMap(order, "/proc/self/uid_map", order.uid_map);
    WriteMap(order, "/proc/self/gid_map", order.gid_map);
  } else if (geteuid() != 0 || unshare(kOthers) != 0) {
    Fail(order,
         "make a user namespace (only root works without; sysctl kernel.apparmor_restrict_unprivileged_userns=0 or "
         "kernel.unprivileged_userns_clone=1 may allow it)");
  }
  // What is mounted in here stays in here.
  if (mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) Fail(order, "keep mounts apart");
}

void MakeReadOnly(const ChildOrder& order) {
  const char* const folder = order.read_only_folder;
  if (mount(folder, folder, nullptr, MS_BIND | MS_REC, nullptr) != 0) Fail(order, "mount the folder over itself");
  mount_attr attributes = {};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  // It keeps the other attributes, some of which nobody in a user namespace may change.
  if (mount_setattr(AT_FDCWD, folder, AT_RECURSIVE, &attributes, sizeof attributes) != 0) {
    Fail(order, "make the folder read-only (Linux 5.12 or later is needed)");
  }
}

// Two moves, because a descriptor may have a number that another one is to get. Returns the new number of
// order.failure.
int ArrangeDescriptors(const ChildOrder& order) {
  const int count = static_cast<int>(order.descriptors.size());
  std::array<int, kMostDescriptors> aside;
  for (int i = 0; i < count; ++i) {
    aside[i] = fcntl(order.descriptors[i], F_DUPFD, kAside);
    if (aside[i] < 0) Fail(order, "pass a descriptor on");
  }
  const int output = fcntl(order.output, F_DUPFD, kAside);
  const int failure = fcntl(order.failure, F_DUPFD, kAside);
  const int null = open("/dev/null", O_RDONLY);
  if (output < 0 || failure < 0 || null < 0) Fail(order, "arrange its descriptors");
  dup2(null, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  for (int i = 0; i < count; ++i) dup2(aside[i], kFirst + i);
  dup2(failure, kFirst + count);
  fcntl(kFirst + count, F_SETFD, FD_CLOEXEC);
  close_range(static_cast<unsigned>(kFirst + count + 1), ~0u, 0);
  return kFirst + count;
}

// virtiofsd holds a descriptor for each file that the guest has seen: with the usual 1024, a guest that lists a
// thousand files loses the rest. A user can raise the limit to the hard one, root above it.
void AllowManyDescriptors() {
  constexpr rlim_t kMany = 1 << 20;
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kMany) return;
  const rlimit most = {.rlim_cur = kMany, .rlim_max = kMany};
  if (setrlimit(RLIMIT_NOFILE, &most) == 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

void BecomeBackEnd(const ChildOrder& given) {
  ChildOrder order = given;
  DieWithParent(order);
  ForgetSignals();
  setsid();  // Ctrl-C is for the VMM
  order.failure = ArrangeDescriptors(order);
  AllowManyDescriptors();
  if (order.own_namespaces) {
    EnterNamespaces(order);
    if (order.read_only_folder != nullptr) MakeReadOnly(order);
    DieWithParent(order);  // a change of credentials may have taken the first one back
  }
  execv(order.argv[0], order.argv);
  Fail(order, "execute it");
}

}  // namespace vmm
