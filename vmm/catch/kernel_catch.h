// Catches a kernel's end at the fault itself, without the kernel's help.
//
// In direct boot the image is in RAM before its first instruction runs, so the instructions are planted then. In
// classic boot the kernel decompresses itself and chooses its own place. Then they are planted at the first exit at
// which vCPU 0 runs in the address range of kernel images. That is long before the kernel could report a panic.
#ifndef VMM_CATCH_KERNEL_CATCH_H_
#define VMM_CATCH_KERNEL_CATCH_H_

#include <atomic>
#include <memory>
#include <string>

#include "base/guest_memory.h"
#include "base/panic_event.h"
#include "vmm/boot/load_kernel.h"
#include "vmm/catch/catch_config.h"
#include "vmm/catch/trap_set.h"
#include "vmm/vcpu/trap_handler.h"

namespace vmm {

// Construct it before the guest runs. After that, any vCPU thread may call the TrapHandler's methods except Remove().
// If nothing can be planted, it says so once: as a warning if the user asked for it, else with --verbose.
class KernelCatch final : public TrapHandler {
 public:
  // `memory` and `panics` must outlive it.
  KernelCatch(CatchConfig config, const LoadedKernel& kernel, GuestMemory& memory, PanicSink& panics);

  // TrapHandler
  bool Takes(const VcpuExit& exit) const override;
  NextStep OnTrap(Vcpu& vcpu) override;
  void AfterExit(Vcpu& vcpu) override;
  void Remove() override;

  // See TrapSet. REQUIRES: no vCPU runs.
  void Hide();
  void PutBack();

  // REQUIRES: no vCPU runs.
  CatchReport report() const;

 private:
  void Plant(const KernelMap& map);
  void GiveUp(std::string why);

  const CatchConfig config_;
  GuestMemory& memory_;
  PanicSink& panics_;

  std::unique_ptr<TrapSet> traps_;                   // written before published_ is set
  std::atomic<const TrapSet*> published_ = nullptr;  // set before anything is planted
  std::atomic<bool> waits_ = false;                  // true: the kernel has not yet been seen to run
  std::string why_none_;                             // empty once everything is planted

  // Used by vCPU 0's thread only: the exits seen, and the exit at which to look for the kernel next.
  uint64_t exits_ = 0;
  uint64_t next_look_ = 1;
};

}  // namespace vmm

#endif  // VMM_CATCH_KERNEL_CATCH_H_
