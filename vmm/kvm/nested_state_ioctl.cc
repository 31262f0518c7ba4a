#include "vmm/kvm/nested_state_ioctl.h"

#include <linux/kvm.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "dump/nested/abi/nested_state_abi.h"
#include "vmm/kvm/kvm_ioctl.h"

namespace vmm {
namespace {

// The kernel header's own struct is not used: its flexible arrays have another size in C++, and the size is a part of
// the request number.
constexpr unsigned long kGetNestedState = _IOWR(KVMIO, 0xbe, KvmNestedHeader);

}  // namespace

absl::StatusOr<std::vector<uint8_t>> AskForNestedState(size_t max_size, absl::FunctionRef<int(uint8_t*)> ask) {
  size_t size = max_size;
  for (int attempt = 0;; ++attempt) {
    size = std::clamp(size, sizeof(KvmNestedHeader), kNestedStateLimit);
    std::vector<uint8_t> state(size);
    KvmNestedHeader header = {.size = static_cast<uint32_t>(size)};
    std::memcpy(state.data(), &header, sizeof(header));
    const int error = ask(state.data());
    std::memcpy(&header, state.data(), sizeof(header));
    if (error == E2BIG && attempt == 0 && header.size > size) {
      size = header.size;
      continue;
    }
    if (error != 0) return ErrnoStatus(error, absl::StrFormat("KVM_GET_NESTED_STATE of at most %d bytes", size));
    if (header.size < sizeof(header) || header.size > size) {
      return absl::InternalError(
          absl::StrFormat("KVM_GET_NESTED_STATE: KVM says %d bytes, not %d to %d", header.size, sizeof(header), size));
    }
    state.resize(header.size);
    return state;
  }
}

absl::StatusOr<std::vector<uint8_t>> ReadNestedState(int vcpu_fd, size_t max_size) {
  return AskForNestedState(max_size, [vcpu_fd](uint8_t* state) {
    int result;
    do {
      result = ioctl(vcpu_fd, kGetNestedState, state);
    } while (result < 0 && errno == EINTR);
    return result < 0 ? errno : 0;
  });
}

}  // namespace vmm
