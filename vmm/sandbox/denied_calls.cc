#include "vmm/sandbox/denied_calls.h"

#include <linux/seccomp.h>
#include <poll.h>
#include <seccomp.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <thread>

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

DeniedCalls::DeniedCalls() : wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  std::thread([this] { Run(); }).detach();
}

void DeniedCalls::Watch(ThreadKind kind, UniqueFd listener) {
  {
    const std::lock_guard lock(mutex_);
    new_.push_back({kind, std::move(listener)});
  }
  eventfd_write(wake_.get(), 1);
}

void DeniedCalls::Run() {
  prctl(PR_SET_NAME, "vmm-sandbox");
  std::vector<Listener> listeners;
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      for (Listener& listener : new_) listeners.push_back(std::move(listener));
      new_.clear();
    }
    std::vector<pollfd> waits = {{wake_.get(), POLLIN, 0}};
    for (const Listener& listener : listeners) waits.push_back({listener.fd.get(), POLLIN, 0});
    if (poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR) return;
    eventfd_t ignored;
    if (waits[0].revents != 0) eventfd_read(wake_.get(), &ignored);
    for (size_t i = waits.size() - 1; i > 0; --i) {
      const bool gone = (waits[i].revents & (POLLHUP | POLLERR)) != 0;
      const bool asked = (waits[i].revents & POLLIN) != 0;
      if (gone || (asked && !Answer(listeners[i - 1]))) listeners.erase(listeners.begin() + static_cast<long>(i) - 1);
    }
  }
}

bool DeniedCalls::Answer(const Listener& listener) {
  seccomp_notif* request = nullptr;
  seccomp_notif_resp* response = nullptr;
  if (seccomp_notify_alloc(&request, &response) != 0) return false;
  const int received = seccomp_notify_receive(listener.fd.get(), request);
  if (received == 0) {
    const int call = request->data.nr;
    if (told_.insert({listener.kind, call}).second) {
      const std::string argument =
          CallName(call) == "ioctl" ? absl::StrFormat(" %#x", request->data.args[1] & 0xffffffff) : std::string();
      LogWarning(absl::StrFormat("sandbox: the %s thread %d made the system call %s%s, which --sandbox=on forbids",
                                 ThreadKindName(listener.kind), request->pid, CallName(call), argument));
    }
    response->id = request->id;
    response->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    seccomp_notify_respond(listener.fd.get(), response);
  }
  seccomp_notify_free(request, response);
  return received == 0 || received == -ENOENT || errno == ENOENT || errno == EINTR;
}

}  // namespace vmm
