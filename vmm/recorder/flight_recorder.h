// Records the last few thousand exits of one vCPU, as the host saw them: the half of a death's story that is not in the
// guest's memory.
#ifndef VMM_RECORDER_FLIGHT_RECORDER_H_
#define VMM_RECORDER_FLIGHT_RECORDER_H_

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dump/abi/flight_note_abi.h"
#include "vmm/recorder/thread_account.h"
#include "vmm/vcpu/vcpu_exit.h"

namespace vmm {

// Only the vCPU's thread writes. Others read after that thread has ended, but any thread may call tid() and exits().
// An exit costs two reads of the TSC and half a cache line of writes.
class FlightRecorder {
 public:
  static constexpr size_t kRecords = 4096;  // 128 KiB, touched as they are written

  explicit FlightRecorder(int vcpu);

  // Called around each exit: Exit() when it arrives, Handled() after it has been handled.
  void Exit(const VcpuExit& exit);
  void Handled(const VcpuExit& exit);

  // Called by the vCPU's thread when it begins and when it ends. Reads the TSC and the scheduler's account of the
  // thread.
  void ThreadBegins();
  void ThreadEnds();

  // The guest's TSC now reads `tsc`.
  void GuestTscIs(uint64_t tsc);

  // The id of the vCPU's thread; 0 before it began.
  pid_t tid() const { return tid_.load(std::memory_order_acquire); }
  uint64_t exits() const { return exits_.load(std::memory_order_relaxed); }

  // REQUIRES, for everything below: the thread has ended.
  FlightNoteHeader header() const;
  std::vector<FlightRecord> records() const;  // oldest first

  // The desc of a VMM-FLIGHT note: the header and at most the last `max_records` records.
  std::string NoteDesc(size_t max_records) const;

 private:
  FlightNoteHeader header_{};
  const std::unique_ptr<FlightRecord[]> ring_;
  std::atomic<uint64_t> exits_ = 0;
  OwnThreadAccount account_;
  std::atomic<pid_t> tid_ = 0;
};

}  // namespace vmm

#endif  // VMM_RECORDER_FLIGHT_RECORDER_H_
