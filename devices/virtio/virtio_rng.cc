#include "devices/virtio/virtio_rng.h"

#include <sys/random.h>

#include <algorithm>
#include <array>

namespace vmm {

absl::Status VirtioRng::Activate(uint64_t /*features*/, std::span<Virtqueue* const> queues, IoLoop& /*loop*/) {
  queue_ = queues[0];
  return absl::OkStatus();
}

void VirtioRng::OnQueue(int /*index*/) {
  if (queue_ == nullptr) return;
  std::array<uint8_t, kMaxBytes> random;
  while (std::optional<DescriptorChain> request = queue_->Pop()) {
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(request->writable_bytes(), random.size()));
    const ssize_t got = getrandom(random.data(), wanted, 0);
    const size_t written = got <= 0 ? 0 : request->Write({random.data(), static_cast<size_t>(got)});
    queue_->Push(*request, static_cast<uint32_t>(written));
  }
  queue_->Interrupt();
}

}  // namespace vmm
