#include "vmm/live/print_registers.h"

#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"
#include "vmm/live/print_nested.h"

namespace vmm {
namespace {

std::string PrintSegment(std::string_view name, const SegmentState& segment) {
  const uint32_t flags = segment.type | (segment.s ? 1u << 4 : 0) | static_cast<uint32_t>(segment.dpl) << 5 |
                         (segment.present ? 1u << 7 : 0) | (segment.avl ? 1u << 12 : 0) | (segment.l ? 1u << 13 : 0) |
                         (segment.db ? 1u << 14 : 0) | (segment.g ? 1u << 15 : 0);
  return absl::StrFormat("%-3s=%04x %016x %08x %08x DPL=%d%s\r\n", name, segment.selector, segment.base, segment.limit,
                         flags << 8, segment.dpl, segment.unusable ? " unusable" : "");
}

}  // namespace

std::string PrintRegisters(const CpuState& cpu) {
  std::string text = absl::StrFormat(
      "RAX=%016x RBX=%016x RCX=%016x RDX=%016x\r\n"
      "RSI=%016x RDI=%016x RBP=%016x RSP=%016x\r\n"
      "R8 =%016x R9 =%016x R10=%016x R11=%016x\r\n"
      "R12=%016x R13=%016x R14=%016x R15=%016x\r\n"
      "RIP=%016x RFL=%08x CPL=%d HLT=%d\r\n",
      cpu.rax, cpu.rbx, cpu.rcx, cpu.rdx, cpu.rsi, cpu.rdi, cpu.rbp, cpu.rsp, cpu.r8, cpu.r9, cpu.r10, cpu.r11, cpu.r12,
      cpu.r13, cpu.r14, cpu.r15, cpu.rip, cpu.rflags, cpu.cs.selector & 3, cpu.halted ? 1 : 0);
  const std::pair<std::string_view, const SegmentState*> segments[] = {
      {"ES", &cpu.es}, {"CS", &cpu.cs}, {"SS", &cpu.ss},   {"DS", &cpu.ds},
      {"FS", &cpu.fs}, {"GS", &cpu.gs}, {"LDT", &cpu.ldt}, {"TR", &cpu.tr}};
  for (const auto& [name, segment] : segments) text += PrintSegment(name, *segment);
  absl::StrAppendFormat(&text, "GDT=     %016x %08x\r\nIDT=     %016x %08x\r\n", cpu.gdt.base, cpu.gdt.limit,
                        cpu.idt.base, cpu.idt.limit);
  absl::StrAppendFormat(&text, "CR0=%08x CR2=%016x CR3=%016x CR4=%08x\r\n", cpu.cr0, cpu.cr2, cpu.cr3, cpu.cr4);
  absl::StrAppendFormat(&text, "EFER=%016x KERNEL_GS=%016x TSC=%016x\r\n", cpu.efer, cpu.kernel_gs_base, cpu.tsc);
  return text + PrintVmptr(cpu.nested);
}

}  // namespace vmm
