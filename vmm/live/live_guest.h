// A guest as those see it who look into it while it lives: the monitor's commands are made of this.
#ifndef VMM_LIVE_LIVE_GUEST_H_
#define VMM_LIVE_LIVE_GUEST_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/guest_memory.h"
#include "base/unique_fd.h"
#include "dump/snapshot/cpu_state.h"

namespace vmm {

enum class GuestState {
  kRunning,
  kPaused,    // by somebody who looks
  kPanicked,  // and stands still
};

// Where a dump, an ELF core, goes and which part of the guest it has.
struct DumpOrder {
  std::string path;  // empty: to `fd`
  UniqueFd fd;
  std::optional<GuestRange>
      part;  // empty: all RAM. Otherwise the registers and notes of the whole, and RAM of this part
};

// All of it is called on the run's own thread, which may take as long as it must: vCPUs run meanwhile, unless paused.
class LiveGuest {
 public:
  virtual ~LiveGuest() = default;

  virtual GuestState state() const = 0;

  // Stops all vCPUs and devices, and lets them go on. Each does nothing if that is the state already.
  virtual absl::Status Pause() = 0;
  virtual absl::Status Resume() = 0;

  virtual int vcpus() const = 0;
  virtual pid_t ThreadId(int vcpu) const = 0;
  // Of one moment. A running vCPU is interrupted for some microseconds. Unavailable for one that does not answer.
  virtual std::vector<absl::StatusOr<CpuState>> Registers() = 0;
  virtual const GuestMemory& memory() const = 0;

  virtual absl::Status InjectNmi() = 0;
  virtual absl::Status Dump(DumpOrder order) = 0;

  // The run ends, as by SIGTERM.
  virtual void Quit() = 0;
};

}  // namespace vmm

#endif  // VMM_LIVE_LIVE_GUEST_H_
