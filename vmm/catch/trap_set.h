// The instructions that are planted in a kernel's code, and what it means when one is met.
//
// Planted, and not set as breakpoints of KVM: some KVMs lose a guest's breakpoints or cannot deliver them, an OUT
// makes an exit on every one, and the debug registers stay the guest's own (docs/decisions/0005).
#ifndef VMM_CATCH_TRAP_SET_H_
#define VMM_CATCH_TRAP_SET_H_

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "base/guest_memory.h"
#include "base/panic_event.h"
#include "dump/kernel/kernel_memory.h"
#include "dump/kernel/kernel_symbols.h"
#include "vmm/catch/catch_point.h"
#include "vmm/vcpu/dispatch_exit.h"
#include "vmm/vcpu/vcpu.h"

namespace vmm {

// Any vCPU thread may call.
class TrapSet {
 public:
  // Finds the functions of each of `kinds` that `symbols` have in the image that `image` maps in `memory`; nothing is
  // written yet. NotFound where they have none for one of the kinds. `memory` and `panics` must outlive the set.
  static absl::StatusOr<std::unique_ptr<TrapSet>> Find(std::span<const CatchKind> kinds, const KernelMemory& image,
                                                       const KernelSymbols& symbols, GuestMemory& memory,
                                                       PanicSink& panics);

  // Writes the instructions. Other vCPUs may run and meet one at once: OnTrap() must be reachable by then. After an
  // error none is left. Once only.
  absl::Status Plant();

  const std::vector<CatchPoint>& points() const { return points_; }

  // On the thread of `vcpu`, whose last exit was of an OUT to kCatchPort. Puts it back to the planted instruction and
  // the kernel's own bytes back in its place. Where the kernel has died it reports that and says kStop; else the vCPU
  // goes on, and that place catches nothing more. A kernel that hands over to a crash kernel of its own is reported
  // as one, gets all of its code back, and goes on.
  NextStep OnTrap(Vcpu& vcpu);

  // Gives the kernel its code back, everywhere: a dump must not show our instructions.
  void Remove();

 private:
  // What it means that a point was met.
  enum class Meaning { kNothing, kHandsOver, kDied };

  TrapSet(GuestMemory& memory, PanicSink& panics) : memory_(memory), panics_(panics) {}

  bool Resolve(CatchKind kind, std::string_view function, const KernelMemory& image, const KernelSymbols& symbols);
  Meaning MeaningOf(const CatchPoint& point, const CpuState& cpu) const;
  void RemoveAt(const CatchPoint& point);

  GuestMemory& memory_;
  PanicSink& panics_;
  std::vector<CatchPoint> points_;      // constant from Find() on
  std::optional<GuestAddr> panic_cpu_;  // the kernel's variables, where it has them and names them
  std::optional<GuestAddr> kexec_crash_image_;
  std::mutex mutex_;  // guards the planted bytes in memory_
};

}  // namespace vmm

#endif  // VMM_CATCH_TRAP_SET_H_
