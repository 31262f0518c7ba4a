#include "vmm/vcpu/backdoor_access.h"

#include <cstring>

namespace vmm {
namespace {

uint32_t Low(uint64_t value) { return static_cast<uint32_t>(value); }

void SetLow(uint64_t& value, uint32_t low) { value = (value & ~uint64_t{0xffffffff}) | low; }

}  // namespace

void AccessBackdoor(const IoExit& exit, Backdoor& backdoor) {
  IoRegisters& all = *exit.registers;
  BackdoorRegisters registers = {.eax = Low(all.rax),
                                 .ebx = Low(all.rbx),
                                 .ecx = Low(all.rcx),
                                 .edx = Low(all.rdx),
                                 .esi = Low(all.rsi),
                                 .edi = Low(all.rdi),
                                 .ebp = Low(all.rbp)};
  const uint64_t offset = exit.port - kBackdoorPort;
  if (exit.is_write) {
    backdoor.Out(offset, exit.size, registers);
  } else {
    backdoor.In(offset, exit.size, registers);
    std::memcpy(exit.data.data(), &registers.eax, exit.size);
    all.rax = exit.size == 4 ? registers.eax : (all.rax & ~uint64_t{0xffffffff}) | registers.eax;
  }
  SetLow(all.rbx, registers.ebx);
  SetLow(all.rcx, registers.ecx);
  SetLow(all.rdx, registers.edx);
  SetLow(all.rsi, registers.esi);
  SetLow(all.rdi, registers.edi);
}

}  // namespace vmm
