#include "vmm/recorder/thread_account.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cinttypes>
#include <cstdint>
#include <cstdio>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

ThreadAccount ReadFrom(int fd) {
  std::array<char, 128> text = {};
  const ssize_t size = pread(fd, text.data(), text.size() - 1, 0);
  int64_t ran = 0, waited = 0;
  const bool read = size > 0 && std::sscanf(text.data(), "%" SCNd64 " %" SCNd64, &ran, &waited) == 2;
  return read ? ThreadAccount{absl::Nanoseconds(ran), absl::Nanoseconds(waited)} : ThreadAccount{};
}

UniqueFd OpenAccount(pid_t tid) {
  return UniqueFd(open(absl::StrFormat("/proc/self/task/%d/schedstat", tid).c_str(), O_RDONLY | O_CLOEXEC));
}

}  // namespace

ThreadAccount ReadThreadAccount(pid_t tid) { return ReadFrom(OpenAccount(tid).get()); }

void OwnThreadAccount::Open() { fd_ = OpenAccount(gettid()); }

ThreadAccount OwnThreadAccount::Read() const { return ReadFrom(fd_.get()); }

}  // namespace vmm
