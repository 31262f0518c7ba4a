// The work of one virtio device's thread, from DRIVER_OK to the driver's reset.
#ifndef DEVICES_VIRTIO_DEVICE_THREAD_H_
#define DEVICES_VIRTIO_DEVICE_THREAD_H_

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "devices/virtio/io_loop.h"
#include "devices/virtio/ring.h"
#include "devices/virtio/virtio_device.h"
#include "devices/virtio/worker_thread.h"

namespace vmm {

// Its IoLoop is used on the thread itself. Everything else is called by one thread at a time, and not by that one.
class DeviceThread final : public IoLoop {
 public:
  struct Events {
    std::function<void(const absl::Status&)> on_failed;  // Activate() returned an error
    std::function<void()> on_config_changed;
    std::function<void()> on_interrupt_fd;  // an external back end signalled `interrupt`
    int interrupt = -1;                     // -1: nobody needs to watch it
  };

  // Sets `worker` to work: it calls device.Activate() with `rings` and then serves them; a null ring was not set up.
  // Everything must outlive the object.
  DeviceThread(WorkerThread& worker, VirtioDevice& device, uint64_t features, std::vector<Ring*> rings, Events events);
  ~DeviceThread() override;  // sends the worker home, and waits for that

  // Drains the device and parks the thread. False if it is not parked after `patience`; it then parks as soon as it
  // can. With `leftovers` the device first takes what the guest left in its rings.
  bool Pause(absl::Duration patience, bool leftovers = false);
  void Resume();

  // For a parked thread: ring `index` was replaced.
  void SetRing(int index, Ring* ring);

  // IoLoop
  void Watch(int fd, uint32_t events, std::function<void(uint32_t)> ready) override;
  void Unwatch(int fd) override;
  void After(absl::Duration delay, std::function<void()> run) override;
  void ConfigChanged() override { events_.on_config_changed(); }

 private:
  enum class Order { kRun, kPause, kEnd };
  struct Watched {
    uint32_t serial;  // tells an event of this watch from one of an earlier watch of the same descriptor
    std::shared_ptr<std::function<void(uint32_t)>> ready;
  };

  void Run();
  void Activate();
  void WatchRing(int index);
  // Parks the thread while it is to pause. False: it ends.
  bool FollowOrders();
  int WaitMilliseconds() const;
  void WaitOnce();
  void ServeRings();
  void RunTimer();
  void Give(Order order);

  WorkerThread& worker_;
  VirtioDevice& device_;
  const uint64_t features_;
  std::vector<Ring*> rings_;
  const Events events_;

  // On the thread only.
  std::unordered_map<int, Watched> watched_;
  uint32_t next_serial_ = 0;
  std::vector<bool> look_again_;  // by queue
  std::optional<std::chrono::steady_clock::time_point> timer_at_;
  std::function<void()> timer_;
  bool active_ = false;

  std::mutex mutex_;  // guards the following
  std::condition_variable changed_;
  Order order_ = Order::kRun;
  bool leftovers_ = false;
  bool parked_ = false;
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_DEVICE_THREAD_H_
