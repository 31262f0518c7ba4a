#include "devices/virtio/fs/virtio_fs.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/status.h"
#include "devices/virtio/abi/virtio_fs_abi.h"

namespace vmm {
namespace {

// Linux makes its requests as large as the queue allows. virtiofsd takes no larger one than 1024.
constexpr std::array<uint16_t, VirtioFs::kQueues> kQueueSizes = {1024, 1024};

}  // namespace

VirtioFs::VirtioFs(std::string tag, std::unique_ptr<VhostUser> back_end, GuestMemory& memory)
    : tag_(std::move(tag)), back_end_(std::move(back_end)), memory_(memory) {}

uint32_t VirtioFs::id() const { return kVirtioIdFs; }
std::span<const uint16_t> VirtioFs::queue_sizes() const { return kQueueSizes; }

void VirtioFs::ReadConfig(uint64_t offset, std::span<uint8_t> data) {
  VirtioFsConfig config = {};
  std::ranges::copy(tag_.substr(0, sizeof config.tag), config.tag);
  config.num_request_queues = 1;
  const std::span<const uint8_t> bytes = BytesOf(config);
  for (size_t i = 0; i < data.size(); ++i) {
    data[i] = offset < bytes.size() && i < bytes.size() - offset ? bytes[offset + i] : 0;
  }
}

absl::Status VirtioFs::Activate(uint64_t features, std::span<Virtqueue* const> queues, IoLoop& /*loop*/) {
  if (queues.size() != kQueues || queues[kVirtioFsRequestQueue] == nullptr) {
    return absl::FailedPreconditionError("virtio-fs: the driver must set up the request queue");
  }
  for (size_t i = 0; i < queues_.size(); ++i) queues_[i] = {.ring = queues[i]};
  RETURN_IF_ERROR(back_end_->SetUp(features, memory_));
  return StartQueues();
}

absl::Status VirtioFs::StartQueues() {
  for (size_t i = 0; i < queues_.size(); ++i) {
    Queue& queue = queues_[i];
    if (queue.ring == nullptr || queue.runs) continue;
    RETURN_IF_ERROR(back_end_->StartQueue(static_cast<int>(i), *queue.ring, queue.base));
    queue.runs = true;
  }
  return absl::OkStatus();
}

// Without an answer nobody knows whether the back end still writes. The connection is closed then, and virtiofsd ends
// with it.
void VirtioFs::StopQueues() {
  for (size_t i = 0; i < queues_.size(); ++i) {
    Queue& queue = queues_[i];
    if (!std::exchange(queue.runs, false)) continue;
    const absl::StatusOr<uint16_t> base = back_end_->StopQueue(static_cast<int>(i));
    if (base.ok()) {
      queue.base = *base;
    } else {
      LogWarning(absl::StrCat("virtio-fs: tag ", tag_, ": queue ", i, " is not stopped: ", base.status().message()));
    }
  }
}

void VirtioFs::Drain() { StopQueues(); }

void VirtioFs::Resume() {
  if (const absl::Status started = StartQueues(); !started.ok()) {
    LogWarning(absl::StrCat("virtio-fs: tag ", tag_, ": not resumed: ", started.message()));
  }
}

void VirtioFs::Reset() {
  StopQueues();
  queues_ = {};
}

}  // namespace vmm
