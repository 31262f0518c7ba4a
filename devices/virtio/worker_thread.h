// The host's thread behind a virtio device, with the descriptors that it waits on. It is made with the machine and
// idles until a driver starts the device, because a vCPU's thread, on which that happens, may start no thread and open
// nothing (vmm/sandbox/).
#ifndef DEVICES_VIRTIO_WORKER_THREAD_H_
#define DEVICES_VIRTIO_WORKER_THREAD_H_

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"
#include "devices/virtio/event_fd.h"

namespace vmm {

// Used by one thread at a time, and not by the worker itself.
class WorkerThread {
 public:
  // `begin` runs on the thread before its first job. `name` is cut to the 15 bytes that the kernel keeps.
  static absl::StatusOr<std::unique_ptr<WorkerThread>> Create(std::string name, std::function<void()> begin);
  ~WorkerThread();  // waits for the job

  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;

  // For the job's use: an epoll instance that watches nothing but wake(), and whose other watches the job takes back.
  int epoll_fd() const { return epoll_.get(); }
  EventFd& wake() { return wake_; }

  // REQUIRES: no job runs.
  void Start(std::function<void()> job);
  // Returns when the job has.
  void Wait();

 private:
  WorkerThread(std::string name, std::function<void()> begin) : name_(std::move(name)), begin_(std::move(begin)) {}
  void Run();

  const std::string name_;
  const std::function<void()> begin_;
  UniqueFd epoll_;
  EventFd wake_;

  std::mutex mutex_;  // guards the following
  std::condition_variable changed_;
  std::function<void()> job_;  // empty: none
  bool end_ = false;

  std::thread thread_;  // last: it uses the others
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_WORKER_THREAD_H_
