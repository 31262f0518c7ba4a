// The host's side of a guest's death, out of the notes of its dump: what each vCPU's thread did and was given, what
// KVM counted, and what the console said, on one clock.
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
  std::vector<KvmStat> kvm;  // empty where KVM gave none

  uint32_t vcpu() const { return flight.header.vcpu; }

  // Whether the host's scheduler told anything of the thread; a kernel without schedstat does not. A thread of which
  // it did not is not one that slept.
  bool thread_known() const { return flight.header.run_ns != 0 || flight.header.wait_ns != 0; }
  bool sampled() const { return thread_known() && sched.has_value() && !sched->records.empty(); }  // and when
};

struct HostStory {
  static constexpr size_t kMaxVcpus = 4096;

  std::vector<VcpuStory> vcpus;  // ascending by number, each once
  std::vector<KvmStat> vm;
  std::optional<ConsoleNote> console;
  HostClock clock;

  // Notes that could not be used, and why.
  std::vector<std::string> refused;

  // A dump of somebody else's, or of an older vmm.
  bool empty() const { return vcpus.empty(); }
};

// Never fails: what makes no sense is left out, and told in `refused`.
HostStory ReadHostStory(std::span<const VmcoreNote> notes);

}  // namespace vmm

#endif  // DUMP_FLIGHT_HOST_STORY_H_
