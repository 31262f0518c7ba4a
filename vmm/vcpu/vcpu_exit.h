// Why a vCPU stopped running, as a plain value. kvm_run is turned into one of these once, in
// vmm/kvm/; what is done about it is decided by a free function that never saw KVM.
#ifndef VMM_VCPU_VCPU_EXIT_H_
#define VMM_VCPU_VCPU_EXIT_H_

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace vmm {

// Spans in an exit point into the vCPU's run page: valid until the next Run().

// The general registers that a port may answer in beside its data: VMware's backdoor.
struct IoRegisters {
  uint64_t rax = 0, rbx = 0, rcx = 0, rdx = 0, rsi = 0, rdi = 0, rbp = 0;

  bool operator==(const IoRegisters&) const = default;
};

// Port I/O. A string instruction may carry several elements of `size` bytes, one behind the
// other in `data`; each is an access of its own to the same port.
struct IoExit {
  uint16_t port = 0;
  uint8_t size = 1;  // of one element: 1, 2 or 4
  bool is_write = false;
  std::span<uint8_t> data;  // count * size bytes; for a read, to be filled

  // Those of before the instruction, for a single element at a port that was given them
  // (KvmVmConfig::register_ports), else null. The guest goes on with what is left here; for a
  // read, RAX must say the same as `data`, because KVM takes the one or the other.
  IoRegisters* registers = nullptr;
};

// An access to a guest-physical address that is not RAM.
struct MmioExit {
  uint64_t address = 0;
  bool is_write = false;
  std::span<uint8_t> data;  // 1 to 8 bytes
};

// Run() was called off: a signal or Kick(). The guest is as it was.
struct InterruptedExit {};

// KVM_EXIT_SHUTDOWN: a triple fault.
struct ShutdownExit {};

// KVM_EXIT_INTERNAL_ERROR.
struct InternalErrorExit {
  uint32_t suberror = 0;             // KVM_INTERNAL_ERROR_*: 1 is "emulation"
  std::vector<uint8_t> instruction;  // its bytes, where KVM gave them
  std::vector<uint64_t> data;        // KVM's own words, where it gave none
};

// KVM_EXIT_FAIL_ENTRY: the processor refused to enter the guest.
struct FailEntryExit {
  uint64_t hardware_reason = 0;
  uint32_t cpu = 0;  // the host CPU
};

// KVM_EXIT_HLT; only without an in-kernel irqchip.
struct HaltExit {};

// KVM_EXIT_DEBUG: a hardware or software breakpoint, or a single step.
struct BreakpointExit {
  uint64_t pc = 0;
  uint64_t dr6 = 0;
};

// Anything else, by KVM's number.
struct UnhandledExit {
  uint32_t reason = 0;
};

using VcpuExit = std::variant<IoExit, MmioExit, InterruptedExit, ShutdownExit, InternalErrorExit, FailEntryExit,
                              HaltExit, BreakpointExit, UnhandledExit>;

}  // namespace vmm

#endif  // VMM_VCPU_VCPU_EXIT_H_
