#include "devices/virtio/worker_thread.h"

#include <sys/epoll.h>
#include <sys/prctl.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/status.h"

namespace vmm {

absl::StatusOr<std::unique_ptr<WorkerThread>> WorkerThread::Create(std::string name, std::function<void()> begin) {
  std::unique_ptr<WorkerThread> worker(new WorkerThread(std::move(name), std::move(begin)));
  worker->epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  if (!worker->epoll_.valid()) return ErrnoStatus(errno, "epoll_create1");
  ASSIGN_OR_RETURN(worker->wake_, EventFd::Create());
  try {
    worker->thread_ = std::thread([it = worker.get()] { it->Run(); });
  } catch (const std::system_error& error) {
    return ErrnoStatus(error.code().value(), "start a device's thread");
  }
  return worker;
}

WorkerThread::~WorkerThread() {
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void WorkerThread::Start(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    job_ = std::move(job);
  }
  changed_.notify_all();
}

void WorkerThread::Wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !job_; });
}

void WorkerThread::Run() {
  prctl(PR_SET_NAME, name_.c_str());
  bool begun = false;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return end_ || job_; });
    if (!job_) return;
    lock.unlock();
    if (!std::exchange(begun, true)) begin_();
    job_();  // nobody replaces it while it runs
    lock.lock();
    job_ = nullptr;
    changed_.notify_all();
  }
}

}  // namespace vmm
