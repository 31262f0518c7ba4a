// Catches a kernel's end at the fault itself, without its help.
//
// In direct boot the image lies in RAM before its first instruction, and is planted in then. A kernel that
// decompresses itself, and draws its own place, is planted in at the first exit at which vCPU 0 runs in the range of
// kernel images: long before it can panic in a way that it could tell of.
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

// Made before the guest runs. Then any vCPU thread may call the TrapHandler's methods but Remove(). That nothing can
// be planted is said once: as a warning where somebody asked for it, else with --verbose.
class KernelCatch final : public TrapHandler {
 public:
  // All but `config` and `kernel` must outlive it.
  KernelCatch(CatchConfig config, const LoadedKernel& kernel, GuestMemory& memory, PanicSink& panics);

  // TrapHandler
  bool Takes(const VcpuExit& exit) const override;
  NextStep OnTrap(Vcpu& vcpu) override;
  void AfterExit(Vcpu& vcpu) override;
  void Remove() override;

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
  std::atomic<bool> waits_ = false;                  // for the kernel to be there
  std::string why_none_;                             // empty from when on all is planted

  // Of vCPU 0's thread alone: exits seen, and the one at which to look next.
  uint64_t exits_ = 0;
  uint64_t next_look_ = 1;
};

}  // namespace vmm

#endif  // VMM_CATCH_KERNEL_CATCH_H_
