#include "vmm/recorder/thread_account.h"

#include <cinttypes>
#include <cstdint>
#include <cstdio>

#include "absl/strings/str_format.h"

namespace vmm {

ThreadAccount ReadThreadAccount(pid_t tid) {
  std::FILE* file = std::fopen(absl::StrFormat("/proc/self/task/%d/schedstat", tid).c_str(), "re");
  if (file == nullptr) return {};
  int64_t ran = 0, waited = 0;
  const bool read = std::fscanf(file, "%" SCNd64 " %" SCNd64, &ran, &waited) == 2;
  std::fclose(file);
  return read ? ThreadAccount{absl::Nanoseconds(ran), absl::Nanoseconds(waited)} : ThreadAccount{};
}

}  // namespace vmm
