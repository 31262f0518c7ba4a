// Plants trap instructions in a kernel's code, and decides what it means when a vCPU runs into one.
//
// These are instructions, not KVM breakpoints, because some KVMs lose a guest's breakpoints or cannot deliver them. An
// OUT causes an exit on every KVM, and the guest keeps the debug registers for itself (docs/decisions/0005).
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

// Any vCPU thread may call it.
class TrapSet {
 public:
  // Finds the functions for each of `kinds` that `symbols` have in the image that `image` maps in `memory`. Writes
  // nothing yet. NotFound if `symbols` have no function for one of the kinds. `memory` and `panics` must outlive the
  // set.
  static absl::StatusOr<std::unique_ptr<TrapSet>> Find(std::span<const CatchKind> kinds, const KernelMemory& image,
                                                       const KernelSymbols& symbols, GuestMemory& memory,
                                                       PanicSink& panics);

  // Writes the instructions. Other vCPUs may already run and meet one at once, so OnTrap() must be reachable before
  // this call. After an error none is left. Call it once only.
  absl::Status Plant();

  const std::vector<CatchPoint>& points() const { return points_; }

  // Call it on the thread of `vcpu`, whose last exit was an OUT to kCatchPort. It moves the vCPU back to the planted
  // instruction and restores the kernel's own bytes there.
  // - If the kernel has died, it reports that and returns kStop.
  // - If the kernel hands over to a crash kernel of its own, it reports that, restores all of the kernel's code and
  //   lets the vCPU go on.
  // - Otherwise the vCPU goes on, and this place catches nothing more.
  NextStep OnTrap(Vcpu& vcpu);

  // Restores the kernel's code everywhere, because a dump must not show our instructions.
  void Remove();

  // For readers of a guest that is paused: Hide() restores the kernel's code, PutBack() plants what Hide() took away.
  // REQUIRES: no vCPU runs from the one to the other.
  void Hide();
  void PutBack();

 private:
  // What it means that a vCPU met a point.
  enum class Meaning { kNothing, kHandsOver, kDied };

  TrapSet(GuestMemory& memory, PanicSink& panics) : memory_(memory), panics_(panics) {}

  bool Resolve(CatchKind kind, std::string_view function, const KernelMemory& image, const KernelSymbols& symbols);
  Meaning MeaningOf(const CatchPoint& point, const CpuState& cpu) const;
  bool RemoveAt(const CatchPoint& point);  // false: there was nothing of ours

  GuestMemory& memory_;
  PanicSink& panics_;
  std::vector<CatchPoint> points_;      // constant after Find()
  std::optional<GuestAddr> panic_cpu_;  // kernel variables; none if the symbols do not name them
  std::optional<GuestAddr> kexec_crash_image_;
  std::vector<const CatchPoint*> hidden_;
  std::mutex mutex_;  // guards the planted bytes in memory_
};

}  // namespace vmm

#endif  // VMM_CATCH_TRAP_SET_H_
