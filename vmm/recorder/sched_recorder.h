// What the host's scheduler gave the vCPUs' threads, by time: the exits alone do not tell a guest that computes from
// one that the host lets wait.
#ifndef VMM_RECORDER_SCHED_RECORDER_H_
#define VMM_RECORDER_SCHED_RECORDER_H_

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "dump/flight/sched_note.h"
#include "vmm/recorder/flight_recorder.h"

namespace vmm {

// Samples of one thread, of which there are never more than a limit: the last half of them is whole, of older ones
// every second was left out, and of still older ones again.
class SchedSamples {
 public:
  // REQUIRES: limit >= 4.
  explicit SchedSamples(size_t limit) : limit_(limit) {}

  void Add(const SchedRecord& sample);
  const std::vector<SchedRecord>& samples() const { return samples_; }

 private:
  const size_t limit_;
  std::vector<SchedRecord> samples_;
};

// Has a thread of its own while it runs, which reads two numbers a vCPU in each interval, some microseconds' work.
class SchedRecorder {
 public:
  static constexpr absl::Duration kInterval = absl::Milliseconds(50);
  static constexpr size_t kMaxSamples = 2048;        // of a vCPU
  static constexpr size_t kMaxAllSamples = 1 << 15;  // of all: 768 KiB

  // `vcpus` must outlive this object.
  explicit SchedRecorder(std::span<const std::unique_ptr<FlightRecorder>> vcpus);
  ~SchedRecorder();

  SchedRecorder(const SchedRecorder&) = delete;
  SchedRecorder& operator=(const SchedRecorder&) = delete;

  // No more samples from now on. Before the vCPUs' threads end, or else the last sample may be one of nothing.
  void Stop();

  // In vCPU order. REQUIRES: Stop() was called.
  std::vector<SchedNote> Notes() const;

 private:
  void Run();

  const std::span<const std::unique_ptr<FlightRecorder>> vcpus_;
  std::vector<SchedSamples> samples_;
  std::mutex mutex_;  // guards stop_
  std::condition_variable stopped_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace vmm

#endif  // VMM_RECORDER_SCHED_RECORDER_H_
