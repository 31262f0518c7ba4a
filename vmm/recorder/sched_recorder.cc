#include "vmm/recorder/sched_recorder.h"

#include <sys/prctl.h>
#include <x86intrin.h>

#include <algorithm>
#include <utility>

#include "vmm/recorder/thread_account.h"

namespace vmm {

void SchedSamples::Add(const SchedRecord& sample) {
  if (samples_.size() == limit_) {
    size_t kept = 0;
    for (size_t i = 0; i < limit_; ++i) {
      if (i >= limit_ / 2 || i % 2 == 0) samples_[kept++] = samples_[i];
    }
    samples_.resize(kept);
  }
  samples_.push_back(sample);
}

SchedRecorder::SchedRecorder(std::span<const std::unique_ptr<FlightRecorder>> vcpus, std::function<void()> begin)
    : vcpus_(vcpus),
      samples_(vcpus.size(),
               SchedSamples(std::clamp<size_t>(kMaxAllSamples / std::max<size_t>(vcpus.size(), 1), 4, kMaxSamples))),
      thread_([this, begin = std::move(begin)] { Run(begin); }) {}

SchedRecorder::~SchedRecorder() { Stop(); }

void SchedRecorder::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopped_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void SchedRecorder::Run(const std::function<void()>& begin) {
  prctl(PR_SET_NAME, "vmm-sched");
  begin();
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, absl::ToChronoMilliseconds(kInterval), [this] { return stop_; })) {
    for (size_t i = 0; i < vcpus_.size(); ++i) {
      const pid_t tid = vcpus_[i]->tid();
      if (tid == 0) continue;
      const ThreadAccount account = ReadThreadAccount(tid);
      if (account.ran == absl::ZeroDuration()) continue;  // the thread has ended, or the kernel keeps no account
      samples_[i].Add({.tsc = __rdtsc(),
                       .run_ns = static_cast<uint64_t>(absl::ToInt64Nanoseconds(account.ran)),
                       .wait_ns = static_cast<uint64_t>(absl::ToInt64Nanoseconds(account.waited))});
    }
  }
}

std::vector<SchedNote> SchedRecorder::Notes() const {
  std::vector<SchedNote> notes;
  for (size_t i = 0; i < vcpus_.size(); ++i) {
    notes.push_back({.vcpu = vcpus_[i]->header().vcpu,
                     .interval_us = static_cast<uint32_t>(absl::ToInt64Microseconds(kInterval)),
                     .records = samples_[i].samples()});
  }
  return notes;
}

}  // namespace vmm
