// The host's side of a guest's death, read from the notes of its dump, on one clock: the activity and CPU time of each
// vCPU's thread, KVM's counters, and the console's lines.
#ifndef DUMP_FLIGHT_HOST_STORY_H_
#define DUMP_FLIGHT_HOST_STORY_H_

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dump/flight/console_note.h"
#include "dump/flight/flight_note.h"
#include "dump/flight/host_clock.h"
#include "dump/flight/kvm_stats_note.h"
#include "dump/flight/sched_note.h"
#include "dump/read/vmcore_note.h"

namespace vmm {

struct VcpuStory {
  FlightNote flight;
  std::optional<SchedNote> sched;
  std::vector<KvmStat> kvm;  // empty if KVM gave none

  uint32_t vcpu() const { return flight.header.vcpu; }

  // True if the host's scheduler reported times for the thread; a kernel without schedstat does not. False does not
  // mean that the thread slept.
  bool thread_known() const { return flight.header.run_ns != 0 || flight.header.wait_ns != 0; }
  // True if samples also show the thread's times as they grew.
  bool sampled() const { return thread_known() && sched.has_value() && !sched->records.empty(); }
};

struct HostStory {
  static constexpr size_t kMaxVcpus = 4096;

  std::vector<VcpuStory> vcpus;  // ascending by number, no duplicates
  std::vector<KvmStat> vm;
  std::optional<ConsoleNote> console;
  HostClock clock;

  // Why notes could not be used, one entry for each such note.
  std::vector<std::string> refused;

  // True if the dump has no such notes: somebody else's tool wrote it, or an older vmm.
  bool empty() const { return vcpus.empty(); }
};

// Never fails: notes that make no sense are left out and listed in `refused`.
HostStory ReadHostStory(std::span<const VmcoreNote> notes);

}  // namespace vmm

#endif  // DUMP_FLIGHT_HOST_STORY_H_
