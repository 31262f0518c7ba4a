// Catches a kernel's end at the fault itself, without its help: planted OUT instructions at the functions
// that it enters then.
//
// Planted, and not set as breakpoints of KVM: some KVMs lose a guest's breakpoints or cannot deliver them, an OUT
// makes an exit on every one, and the debug registers stay the guest's own (docs/decisions/0005).
#ifndef VMM_CATCH_TRAP_SET_H_
#define VMM_CATCH_TRAP_SET_H_

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/guest_memory.h"
#include "base/panic_event.h"
#include "vmm/boot/load_kernel.h"
#include "vmm/catch/catch_point.h"
#include "vmm/vcpu/trap_handler.h"

namespace vmm {

// Plant() before the guest runs; then any vCPU thread may call the TrapHandler's methods.
class TrapSet final : public TrapHandler {
 public:
  // Resolves the functions of `kinds` by the symbols in the loaded image and plants at each. NotFound, with what to
  // do, where the image's symbols cannot be read or have none of a kind's functions; nothing is planted then.
  // `memory` and `panics` must outlive the set.
  static absl::StatusOr<std::unique_ptr<TrapSet>> Plant(std::span<const CatchKind> kinds, const LoadedKernel& kernel,
                                                        GuestMemory& memory, PanicSink& panics);

  const std::vector<CatchPoint>& points() const { return points_; }

  // TrapHandler
  bool Takes(const VcpuExit& exit) const override;
  // Puts the vCPU back to the planted instruction and the kernel's own bytes back in its place. Where the
  // kernel has died it reports that and says kStop; else the vCPU goes on, and that place catches nothing more.
  NextStep OnTrap(Vcpu& vcpu) override;

  // Gives the kernel its code back, everywhere: a dump must not show our instructions.
  void Remove() override;

 private:
  TrapSet(GuestMemory& memory, PanicSink& panics) : memory_(memory), panics_(panics) {}

  absl::Status Resolve(std::span<const CatchKind> kinds, const LoadedKernel& kernel);
  bool HasDied(const CatchPoint& point) const;
  void RemoveAt(const CatchPoint& point);

  GuestMemory& memory_;
  PanicSink& panics_;
  std::vector<CatchPoint> points_;  // constant from Plant() on
  GuestAddr panic_cpu_;             // of the kernel's variable; 0: it has none
  std::mutex mutex_;                // guards the planted bytes in memory_
};

}  // namespace vmm

#endif  // VMM_CATCH_TRAP_SET_H_
