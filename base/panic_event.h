// The fact "the guest died", as its witnesses report it: a device that was told, or a vCPU
// that could not go on. A witness only reports; what follows is decided elsewhere.
#ifndef BASE_PANIC_EVENT_H_
#define BASE_PANIC_EVENT_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace vmm {

enum class PanicSource {
  kPvpanic,        // the guest's panic notifier wrote the pvpanic port
  kConsole,        // the guest's console said so
  kTrap,           // an instruction that we planted in the kernel's code
  kTripleFault,    // KVM_EXIT_SHUTDOWN
  kInternalError,  // KVM_EXIT_INTERNAL_ERROR: KVM could not emulate or enter
  kFailedEntry,    // KVM_EXIT_FAIL_ENTRY: the hardware refused the vCPU's state
  kUnhandledExit,  // an exit reason that this program does not know
};

// True where the vCPU that was the witness can run on: the others are a vCPU that stopped for good.
inline bool LeavesVcpuRunning(PanicSource source) {
  return source == PanicSource::kPvpanic || source == PanicSource::kConsole;
}

// "pvpanic", "triple-fault", ...: stable words, used in result.json.
std::string_view PanicSourceName(PanicSource source);

struct PanicEvent {
  PanicSource source = PanicSource::kPvpanic;
  int vcpu = -1;              // the vCPU that was the witness; -1 where none is known
  bool crash_loaded = false;  // pvpanic and traps only: the guest's own crash kernel takes over, so it runs on
  std::string detail;         // one line for people: "suberror 1 (emulation), bytes f0 48 0f c7"
};

// Takes panic events. May be called from any vCPU thread, and must not block.
class PanicSink {
 public:
  virtual ~PanicSink() = default;
  virtual void OnPanic(const PanicEvent& event) = 0;
};

}  // namespace vmm

#endif  // BASE_PANIC_EVENT_H_
