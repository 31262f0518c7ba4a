#include "devices/virtio/virtio_mmio.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/log.h"
#include "base/status.h"
#include "devices/virtio/abi/virtio_mmio_abi.h"
#include "devices/virtio/abi/virtio_ring_abi.h"

namespace vmm {
namespace {

constexpr uint32_t kVendorId = 0x4d4d56;  // "VMM"
// A guest that breaks its rings for ever must not fill our log.
constexpr int kMaxLogLines = 10;

uint32_t Half(uint64_t value, uint32_t sel) { return sel > 1 ? 0 : static_cast<uint32_t>(value >> (32 * sel)); }

uint64_t WithHalf(uint64_t value, uint32_t sel, uint32_t half) {
  const int shift = 32 * static_cast<int>(sel);
  return (value & ~(uint64_t{0xffffffff} << shift)) | uint64_t{half} << shift;
}

}  // namespace

absl::StatusOr<std::unique_ptr<VirtioMmio>> VirtioMmio::Create(VirtioDevice& device, GuestMemory& memory,
                                                               EventWiring& wiring, std::function<void()> begin) {
  std::unique_ptr<VirtioMmio> mmio(new VirtioMmio(device, memory, wiring));
  ASSIGN_OR_RETURN(mmio->interrupt_, Annotate(EventFd::Create(), device.name()));
  ASSIGN_OR_RETURN(mmio->worker_,
                   Annotate(WorkerThread::Create(std::string(device.name()), std::move(begin)), device.name()));
  for (Queue& queue : mmio->queues_) {
    ASSIGN_OR_RETURN(queue.kick, Annotate(EventFd::Create(), device.name()));
  }
  return mmio;
}

VirtioMmio::VirtioMmio(VirtioDevice& device, GuestMemory& memory, EventWiring& wiring)
    : device_(device), memory_(memory), wiring_(wiring), external_(device.is_external()) {
  for (const uint16_t size : device.queue_sizes()) {
    Queue& queue = queues_.emplace_back();
    queue.size_max = size;
    queue.size = size;
  }
}

void VirtioMmio::Read(uint64_t offset, std::span<uint8_t> data) {
  std::ranges::fill(data, 0);
  if (offset >= kVirtioMmioConfig) return device_.ReadConfig(offset - kVirtioMmioConfig, data);
  if (data.size() != sizeof(uint32_t) || offset % sizeof(uint32_t) != 0) return;
  const uint32_t value = ReadRegister(offset);
  std::memcpy(data.data(), &value, sizeof(value));
}

void VirtioMmio::Write(uint64_t offset, std::span<const uint8_t> data) {
  if (offset >= kVirtioMmioConfig) return device_.WriteConfig(offset - kVirtioMmioConfig, data);
  if (data.size() != sizeof(uint32_t) || offset % sizeof(uint32_t) != 0) return;
  uint32_t value;
  std::memcpy(&value, data.data(), sizeof(value));
  WriteRegister(offset, value);
}

uint32_t VirtioMmio::ReadRegister(uint64_t offset) {
  // Not under the lock: a driver reads it at each interrupt. An external back end interrupts by itself, so its cause is
  // not known here.
  if (offset == kVirtioMmioInterruptStatus) {
    return interrupt_status_.load() | (external_ && driver_ok_.load() ? kVirtioInterruptUsedBuffer : 0);
  }
  const std::lock_guard lock(mutex_);
  const Queue* const queue = Selected();
  switch (offset) {
    case kVirtioMmioMagicValue: return kVirtioMmioMagic;
    case kVirtioMmioVersion: return kVirtioMmioVersion2;
    case kVirtioMmioDeviceId: return device_.id();
    case kVirtioMmioVendorId: return kVendorId;
    case kVirtioMmioDeviceFeatures: return Half(OfferedFeatures(), device_features_sel_);
    case kVirtioMmioQueueNumMax: return queue == nullptr ? 0 : queue->size_max;
    case kVirtioMmioQueueReady: return queue != nullptr && queue->ring != nullptr ? 1 : 0;
    case kVirtioMmioStatus: return status();
    case kVirtioMmioConfigGeneration: return config_generation_.load();
    // There is no shared memory region.
    case kVirtioMmioShmLenLow:
    case kVirtioMmioShmLenHigh:
    case kVirtioMmioShmBaseLow:
    case kVirtioMmioShmBaseHigh: return 0xffffffff;
    default: return 0;  // a queue's reset is finished when the write returns
  }
}

void VirtioMmio::WriteRegister(uint64_t offset, uint32_t value) {
  if (offset == kVirtioMmioInterruptAck) {
    interrupt_status_.fetch_and(~value);
    return;
  }
  if (offset == kVirtioMmioQueueNotify) {
    if (driver_ok_.load() && value < queues_.size()) queues_[value].kick.Signal();
    return;
  }
  const std::lock_guard lock(mutex_);
  switch (offset) {
    case kVirtioMmioDeviceFeaturesSel: device_features_sel_ = value; return;
    case kVirtioMmioDriverFeaturesSel: driver_features_sel_ = value; return;
    case kVirtioMmioDriverFeatures: return WriteDriverFeatures(value);
    case kVirtioMmioQueueSel: queue_sel_ = value; return;
    case kVirtioMmioQueueNum: return WriteQueueNum(value);
    case kVirtioMmioQueueReady: return WriteQueueReady(value);
    case kVirtioMmioQueueDescLow: return WriteAddress(&Queue::desc, false, value);
    case kVirtioMmioQueueDescHigh: return WriteAddress(&Queue::desc, true, value);
    case kVirtioMmioQueueDriverLow: return WriteAddress(&Queue::driver, false, value);
    case kVirtioMmioQueueDriverHigh: return WriteAddress(&Queue::driver, true, value);
    case kVirtioMmioQueueDeviceLow: return WriteAddress(&Queue::device, false, value);
    case kVirtioMmioQueueDeviceHigh: return WriteAddress(&Queue::device, true, value);
    case kVirtioMmioQueueReset:
      if (Queue* const queue = Selected();
          value == 1 && queue != nullptr && (driver_features_ & kVirtioFRingReset) != 0 && queue->ring != nullptr) {
        TakeAwayQueue(*queue);
      }
      return;
    case kVirtioMmioStatus: return WriteStatus(value);
    default: return;
  }
}

VirtioMmio::Queue* VirtioMmio::Selected() { return queue_sel_ < queues_.size() ? &queues_[queue_sel_] : nullptr; }

uint32_t VirtioMmio::status() const { return status_ | (needs_reset_.load() ? kVirtioStatusDeviceNeedsReset : 0); }

uint64_t VirtioMmio::OfferedFeatures() const {
  return device_.features() | kVirtioFVersion1 | kVirtioFIndirectDesc | kVirtioFEventIdx |
         (device_.offers_packed() ? kVirtioFRingPacked : 0) | (device_.offers_queue_reset() ? kVirtioFRingReset : 0);
}

void VirtioMmio::WriteDriverFeatures(uint32_t value) {
  if ((status_ & kVirtioStatusDriver) == 0 || (status_ & kVirtioStatusFeaturesOk) != 0) return;
  if (driver_features_sel_ > 1) {
    unknown_features_ = unknown_features_ || value != 0;
    return;
  }
  driver_features_ = WithHalf(driver_features_, driver_features_sel_, value);
}

bool VirtioMmio::FeaturesAreGood() const {
  return !unknown_features_ && (driver_features_ & ~OfferedFeatures()) == 0 &&
         (driver_features_ & kVirtioFVersion1) != 0;
}

// 3.1.1: the bits come in this order, and a driver takes none back but by a reset.
void VirtioMmio::WriteStatus(uint32_t value) {
  if (value == 0) return Reset();
  if ((value & status_) != status_) return;
  const auto is_new = [&](uint32_t bit) { return (value & bit) != 0 && (status_ & bit) == 0; };
  const auto has = [&](uint32_t bit) { return (status_ & bit) != 0; };
  status_ |= value & (kVirtioStatusAcknowledge | kVirtioStatusFailed);
  if (is_new(kVirtioStatusDriver) && has(kVirtioStatusAcknowledge)) status_ |= kVirtioStatusDriver;
  if (is_new(kVirtioStatusFeaturesOk) && has(kVirtioStatusDriver) && FeaturesAreGood()) {
    status_ |= kVirtioStatusFeaturesOk;
  }
  if (is_new(kVirtioStatusDriverOk) && has(kVirtioStatusFeaturesOk)) {
    status_ |= kVirtioStatusDriverOk;
    StartDevice();
  }
}

void VirtioMmio::WriteQueueNum(uint32_t value) {
  Queue* const queue = Selected();
  if (queue == nullptr || queue->ring != nullptr) return;
  const bool packed = (driver_features_ & kVirtioFRingPacked) != 0;
  const bool good = value >= 1 && value <= queue->size_max && (packed || (value & (value - 1)) == 0);
  queue->size = good ? value : 0;
}

void VirtioMmio::WriteAddress(uint64_t Queue::*address, bool high, uint32_t value) {
  Queue* const queue = Selected();
  if (queue == nullptr || queue->ring != nullptr) return;
  queue->*address = WithHalf(queue->*address, high ? 1 : 0, value);
}

void VirtioMmio::WriteQueueReady(uint32_t value) {
  Queue* const queue = Selected();
  if (queue == nullptr) return;
  if (value == 0) {
    if (queue->ring != nullptr) TakeAwayQueue(*queue);
    return;
  }
  if (value != 1 || queue->ring != nullptr || (status_ & kVirtioStatusFeaturesOk) == 0) return;
  // Once the device works, a queue comes only in the place of one that was reset.
  if (running() && (driver_features_ & kVirtioFRingReset) == 0) return;
  SetUpQueue(*queue);
}

void VirtioMmio::SetUpQueue(Queue& queue) {
  const int index = static_cast<int>(&queue - queues_.data());
  const QueueLayout layout{.size = static_cast<uint16_t>(queue.size),
                           .desc = GuestAddr{queue.desc},
                           .driver = GuestAddr{queue.driver},
                           .device = GuestAddr{queue.device}};
  absl::StatusOr<std::unique_ptr<Ring>> ring = Ring::Create({.index = index,
                                                             .layout = layout,
                                                             .features = driver_features_,
                                                             .kick_fd = queue.kick.fd(),
                                                             .interrupt_fd = interrupt_.fd()},
                                                            memory_, *this);
  if (!ring.ok()) return OnBroken(index, ring.status());
  queue.ring = *std::move(ring);
  if (!running()) return;
  thread_->Pause(absl::InfiniteDuration());
  device_.SetQueue(index, queue.ring.get());
  thread_->SetRing(index, queue.ring.get());
  thread_->Resume();
}

void VirtioMmio::TakeAwayQueue(Queue& queue) {
  if (!running()) {
    queue.ring.reset();
    return;
  }
  const int index = static_cast<int>(&queue - queues_.data());
  thread_->Pause(absl::InfiniteDuration());
  queue.ring->Disable();
  thread_->SetRing(index, nullptr);
  if (device_.offers_queue_reset()) {
    device_.SetQueue(index, nullptr);
    queue.ring.reset();
  } else {
    queue.gone = std::move(queue.ring);
  }
  thread_->Resume();
}

void VirtioMmio::StartDevice() {
  if (needs_reset_.load()) return;
  if (!interrupt_connected_.load()) interrupt_connected_.store(wiring_.ConnectInterrupt(interrupt_.fd()));
  std::vector<Ring*> rings;
  for (Queue& queue : queues_) {
    rings.push_back(queue.ring.get());
    if (queue.ring == nullptr || queue.notify_connected) continue;
    queue.notify_connected = wiring_.ConnectNotify(static_cast<int>(rings.size()) - 1, queue.kick.fd());
  }
  // Before the thread: it may interrupt at once.
  driver_ok_.store(true);
  DeviceThread::Events events{.on_failed = [this](const absl::Status& why) { NeedsReset(std::string(why.message())); },
                              .on_config_changed = [this] { OnConfigChanged(); },
                              .on_interrupt_fd =
                                  [this] {
                                    interrupt_.Clear();
                                    Interrupt(kVirtioInterruptUsedBuffer);
                                  },
                              .interrupt = external_ && !interrupt_connected_.load() ? interrupt_.fd() : -1};
  thread_ = std::make_unique<DeviceThread>(*worker_, device_, driver_features_, std::move(rings), std::move(events));
}

void VirtioMmio::Reset() {
  const bool was_running = running();
  thread_.reset();
  if (was_running) {
    // On the worker, which may do more than a vCPU's thread: a back end has to be told.
    worker_->Start([this] { device_.Reset(); });
    worker_->Wait();
  }
  for (Queue& queue : queues_) {
    queue.ring.reset();
    queue.gone.reset();
    queue.kick.Clear();
    queue.size = queue.size_max;
    queue.desc = queue.driver = queue.device = 0;
  }
  interrupt_.Clear();
  device_features_sel_ = driver_features_sel_ = queue_sel_ = 0;
  driver_features_ = 0;
  unknown_features_ = false;
  driver_ok_.store(false);
  needs_reset_.store(false);
  interrupt_status_.store(0);
  status_ = 0;
}

bool VirtioMmio::Pause(absl::Duration patience, bool leftovers) {
  const std::lock_guard lock(mutex_);
  return !running() || thread_->Pause(patience, leftovers);
}

void VirtioMmio::Resume() {
  const std::lock_guard lock(mutex_);
  if (running()) thread_->Resume();
}

VirtioMmio::Report VirtioMmio::Describe() const {
  const std::lock_guard lock(mutex_);
  Report report{.name = std::string(device_.name()),
                .status = status(),
                .features = driver_features_,
                .queues = {},
                .in_flight = device_.InFlight()};
  for (const Queue& queue : queues_) {
    QueueReport& it = report.queues.emplace_back();
    if (queue.ring == nullptr) continue;
    it = {.ready = true, .layout = queue.ring->layout(), .progress = queue.ring->progress()};
  }
  return report;
}

void VirtioMmio::Interrupt(uint32_t cause) {
  interrupt_status_.fetch_or(cause);
  if (interrupt_connected_.load()) {
    interrupt_.Signal();
  } else {
    wiring_.Interrupt();
  }
}

void VirtioMmio::OnUsedBuffers() { Interrupt(kVirtioInterruptUsedBuffer); }

void VirtioMmio::OnBroken(int queue, const absl::Status& why) {
  NeedsReset(absl::StrFormat("queue %d: %s", queue, why.message()));
}

void VirtioMmio::NeedsReset(const std::string& why) {
  needs_reset_.store(true);
  const int lines = lines_logged_.fetch_add(1);
  if (lines < kMaxLogLines) {
    LogWarning(absl::StrFormat("%s stops until its driver resets it: %s%s", device_.name(), why,
                               lines + 1 == kMaxLogLines ? " (no more lines about this device)" : ""));
  }
  if (driver_ok_.load()) Interrupt(kVirtioInterruptConfigChange);
}

void VirtioMmio::OnConfigChanged() {
  config_generation_.fetch_add(1);
  if (driver_ok_.load()) Interrupt(kVirtioInterruptConfigChange);
}

}  // namespace vmm
