// Reports that the guest died. The witness is a device that the guest wrote to, or a vCPU that could not continue. A
// witness only reports; other code decides what follows.
#ifndef BASE_PANIC_EVENT_H_
#define BASE_PANIC_EVENT_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace vmm {

enum class PanicSource {
  kPvpanic,        // the guest's panic notifier wrote to the pvpanic port
  kConsole,        // the guest's console output says so
  kTrap,           // an instruction that we planted in the kernel's code
  kTripleFault,    // KVM_EXIT_SHUTDOWN
  kInternalError,  // KVM_EXIT_INTERNAL_ERROR: KVM could not emulate or enter
  kFailedEntry,    // KVM_EXIT_FAIL_ENTRY: the hardware refused the vCPU's state
  kUnhandledExit,  // an exit reason that this program does not know
};

// True if the vCPU that was the witness can run on. The other sources mean that a vCPU stopped for good.
inline bool LeavesVcpuRunning(PanicSource source) {
  return source == PanicSource::kPvpanic || source == PanicSource::kConsole;
}

// "pvpanic", "triple-fault", ...: stable names, used in result.json.
std::string_view PanicSourceName(PanicSource source);

struct PanicEvent {
  PanicSource source = PanicSource::kPvpanic;
  int vcpu = -1;              // the vCPU that was the witness; -1: unknown
  bool crash_loaded = false;  // pvpanic and traps only: the guest's own crash kernel takes over, so it runs on
  std::string detail;         // one line for people: "suberror 1 (emulation), bytes f0 48 0f c7"
};

// Receives panic events. Any vCPU thread may call it. It must not block.
class PanicSink {
 public:
  virtual ~PanicSink() = default;
  virtual void OnPanic(const PanicEvent& event) = 0;
};

}  // namespace vmm

#endif  // BASE_PANIC_EVENT_H_
