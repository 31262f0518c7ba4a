// Decides what to do about a vCPU's exit: a free function of the exit and the buses.
#ifndef VMM_VCPU_DISPATCH_EXIT_H_
#define VMM_VCPU_DISPATCH_EXIT_H_

#include "base/panic_event.h"
#include "devices/bus.h"
#include "devices/vmport/backdoor.h"
#include "vmm/vcpu/vcpu_exit.h"

namespace vmm {

struct Buses {
  Bus& pio;
  Bus& mmio;
  Backdoor* backdoor = nullptr;  // takes the exits that come with registers
};

enum class NextStep {
  kResume,
  kStop,  // this vCPU cannot go on; the panic sink knows why
};

// Carries out `exit` of vCPU `vcpu`. Called on that vCPU's thread.
NextStep DispatchExit(const VcpuExit& exit, int vcpu, const Buses& buses, PanicSink& panics);

}  // namespace vmm

#endif  // VMM_VCPU_DISPATCH_EXIT_H_
