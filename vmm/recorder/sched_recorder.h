// Records how much time the host's scheduler gave the vCPU threads, and when. The exits alone cannot distinguish a
// guest that computes from one that waits for a host CPU.
#ifndef VMM_RECORDER_SCHED_RECORDER_H_
#define VMM_RECORDER_SCHED_RECORDER_H_

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "dump/flight/sched_note.h"
#include "vmm/recorder/flight_recorder.h"

namespace vmm {

// Samples of one thread, never more than a limit. The newest half is complete; older samples are thinned to every
// second one, still older ones further.
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

// While it runs, its own thread reads two numbers for each vCPU in each interval, which takes some microseconds.
class SchedRecorder {
 public:
  static constexpr absl::Duration kInterval = absl::Milliseconds(50);
  static constexpr size_t kMaxSamples = 2048;        // for one vCPU
  static constexpr size_t kMaxAllSamples = 1 << 15;  // for all vCPUs: 768 KiB

  // `vcpus` must outlive this object. `begin` runs first on its thread.
  explicit SchedRecorder(
      std::span<const std::unique_ptr<FlightRecorder>> vcpus, std::function<void()> begin = [] {});
  ~SchedRecorder();

  SchedRecorder(const SchedRecorder&) = delete;
  SchedRecorder& operator=(const SchedRecorder&) = delete;

  // Ends the sampling. Call it before the vCPU threads end, or the last sample may be of a thread that is gone.
  void Stop();

  // In vCPU order. REQUIRES: Stop() was called.
  std::vector<SchedNote> Notes() const;

 private:
  void Run(const std::function<void()>& begin);

  const std::span<const std::unique_ptr<FlightRecorder>> vcpus_;
  std::vector<SchedSamples> samples_;
  std::mutex mutex_;  // guards stop_
  std::condition_variable stopped_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace vmm

#endif  // VMM_RECORDER_SCHED_RECORDER_H_
