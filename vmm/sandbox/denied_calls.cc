#include "vmm/sandbox/denied_calls.h"

#include <linux/seccomp.h>
#include <poll.h>
#include <seccomp.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/log.h"

namespace vmm {
namespace {

std::string CallName(int call) {
  char* const name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, call);
  std::string text = name == nullptr ? absl::StrFormat("number %d", call) : name;
  std::free(name);
  return text;
}

}  // namespace

DeniedCalls::DeniedCalls() : new_listener_(eventfd(0, EFD_CLOEXEC)), new_call_(eventfd(0, EFD_CLOEXEC)) {
  if (seccomp_notify_alloc(&request_, &response_) != 0) return;
  std::thread([this] { LetPass(); }).detach();
  std::thread([this] { Print(); }).detach();
}

void DeniedCalls::Watch(ThreadKind kind, UniqueFd listener) {
  const int index = count_.fetch_add(1);
  if (index >= kMaxListeners) {
    LogWarning("sandbox: too many threads to log the calls of");
    std::abort();
  }
  Listener& slot = listeners_[static_cast<size_t>(index)];
  slot.kind = kind;
  slot.fd.store(listener.release());
  eventfd_write(new_listener_.get(), 1);
}

void DeniedCalls::LetPass() {
  prctl(PR_SET_NAME, "vmm-sandbox");
  std::array<pollfd, kMaxListeners + 1> waits;
  for (;;) {
    const auto count = static_cast<size_t>(std::min(count_.load(), kMaxListeners));
    waits[0] = {new_listener_.get(), POLLIN, 0};
    for (size_t i = 0; i < count; ++i) waits[i + 1] = {listeners_[i].fd.load(), POLLIN, 0};  // -1 is passed over
    if (poll(waits.data(), count + 1, -1) < 0 && errno != EINTR) return;
    eventfd_t ignored;
    if ((waits[0].revents & POLLIN) != 0) eventfd_read(new_listener_.get(), &ignored);
    for (size_t i = 0; i < count; ++i) {
      if ((waits[i + 1].revents & POLLIN) != 0) {
        Answer(listeners_[i]);
      } else if (waits[i + 1].revents != 0) {
        listeners_[i].fd.store(-1);  // its threads are gone
      }
    }
  }
}

void DeniedCalls::Answer(const Listener& listener) {
  // The kernel takes a request only if it is all zeros.
  std::memset(request_, 0, sizeof(*request_));
  const int fd = listener.fd.load();
  if (seccomp_notify_receive(fd, request_) != 0) return;
  std::memset(response_, 0, sizeof(*response_));
  response_->id = request_->id;
  response_->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  const int call = request_->data.nr;
  seccomp_notify_respond(fd, response_);
  if (call < 0 || call >= kMaxCalls) return;
  First& first = calls_[static_cast<size_t>(listener.kind)][static_cast<size_t>(call)];
  if (first.seen.load()) return;
  first.thread.store(static_cast<int>(request_->pid));
  first.request.store(static_cast<uint32_t>(request_->data.args[1]));
  first.seen.store(true);
  eventfd_write(new_call_.get(), 1);
}

void DeniedCalls::Print() {
  prctl(PR_SET_NAME, "vmm-sandbox-log");
  for (;;) {
    eventfd_t ignored;
    eventfd_read(new_call_.get(), &ignored);
    for (const ThreadKind kind : kThreadKinds) {
      for (int call = 0; call < kMaxCalls; ++call) {
        First& first = calls_[static_cast<size_t>(kind)][static_cast<size_t>(call)];
        if (!first.seen.load() || std::exchange(first.printed, true)) continue;
        const std::string name = CallName(call);
        LogWarning(absl::StrFormat("sandbox: the %s thread %d made the system call %s%s, which --sandbox=on forbids",
                                   ThreadKindName(kind), first.thread.load(), name,
                                   name == "ioctl" ? absl::StrFormat(" %#x", first.request.load()) : ""));
      }
    }
  }
}

}  // namespace vmm
