// The reason why a vCPU stopped running, as a plain value. vmm/kvm/ translates kvm_run into one of these once; a free
// function that never saw KVM decides what to do about it.
#ifndef VMM_VCPU_VCPU_EXIT_H_
#define VMM_VCPU_VCPU_EXIT_H_

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace vmm {

// Spans in an exit point into the vCPU's run page: valid until the next Run().

// The general registers, for a port that answers in them as well as in its data: VMware's backdoor.
struct IoRegisters {
  uint64_t rax = 0, rbx = 0, rcx = 0, rdx = 0, rsi = 0, rdi = 0, rbp = 0;

  bool operator==(const IoRegisters&) const = default;
};

// Port I/O. A string instruction may carry several elements of `size` bytes, one after the other in `data`. Each is a
// separate access to the same port.
struct IoExit {
  uint16_t port = 0;
  uint8_t size = 1;  // bytes in one element: 1, 2 or 4
  bool is_write = false;
  std::span<uint8_t> data;  // count * size bytes; the handler fills them for a read

  // The registers before the instruction, if this is a single element at a port in KvmVmConfig::register_ports; else
  // null. The guest continues with the values left here. For a read, RAX must agree with `data`, because KVM takes
  // either one.
  IoRegisters* registers = nullptr;
};

// An access to a guest-physical address that is not RAM.
struct MmioExit {
  uint64_t address = 0;
  bool is_write = false;
  std::span<uint8_t> data;  // 1 to 8 bytes
};

// A signal or Kick() interrupted Run(). The guest is unchanged.
struct InterruptedExit {};

// KVM_EXIT_SHUTDOWN: a triple fault.
struct ShutdownExit {};

// KVM_EXIT_INTERNAL_ERROR.
struct InternalErrorExit {
  uint32_t suberror = 0;             // KVM_INTERNAL_ERROR_*: 1 is "emulation"
  std::vector<uint8_t> instruction;  // its bytes, if KVM gave them
  std::vector<uint64_t> data;        // KVM's own words, if it gave no bytes
};

// KVM_EXIT_FAIL_ENTRY: the processor refused to enter the guest.
struct FailEntryExit {
  uint64_t hardware_reason = 0;
  uint32_t cpu = 0;  // the host CPU
};

// KVM_EXIT_HLT. Occurs only without an in-kernel irqchip.
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
