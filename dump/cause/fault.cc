#include "dump/cause/fault.h"

#include <algorithm>
#include <cstddef>

namespace vmm {
namespace {

constexpr uint64_t kUserMode = 3;  // bits of CS
constexpr size_t kMaxFramesLooked = kMaxFrames;

FaultKind KindOf(std::string_view handler) {
  const auto has = [&](std::string_view words) { return handler.find(words) != std::string_view::npos; };
  if (has("page_fault")) return FaultKind::kPageFault;
  if (has("double_fault")) return FaultKind::kDoubleFault;
  if (has("general_protection") || has("stack_segment")) return FaultKind::kProtection;
  if (has("invalid_op")) return FaultKind::kInvalidOpcode;
  if (has("sysvec") || has("interrupt") || has("_irq") || has("nmi") || has("machine_check") || has("_mce")) {
    return FaultKind::kInterrupt;
  }
  return FaultKind::kOtherException;
}

PtRegs RegistersOf(const CpuState& cpu) {
  return {.r15 = cpu.r15,
          .r14 = cpu.r14,
          .r13 = cpu.r13,
          .r12 = cpu.r12,
          .bp = cpu.rbp,
          .bx = cpu.rbx,
          .r11 = cpu.r11,
          .r10 = cpu.r10,
          .r9 = cpu.r9,
          .r8 = cpu.r8,
          .ax = cpu.rax,
          .cx = cpu.rcx,
          .dx = cpu.rdx,
          .si = cpu.rsi,
          .di = cpu.rdi,
          .orig_ax = 0,
          .ip = cpu.rip,
          .cs = cpu.cs.selector,
          .flags = cpu.rflags,
          .sp = cpu.rsp,
          .ss = cpu.ss.selector};
}

}  // namespace

std::string_view FaultKindName(FaultKind kind) {
  switch (kind) {
    case FaultKind::kPageFault: return "page fault";
    case FaultKind::kDoubleFault: return "double fault";
    case FaultKind::kProtection: return "general protection fault";
    case FaultKind::kInvalidOpcode: return "invalid opcode";
    case FaultKind::kOtherException: return "exception";
    case FaultKind::kInterrupt: return "interrupt";
    case FaultKind::kStopped: return "stopped";
  }
  return "";
}

std::optional<Fault> FindFault(const KernelReport& report, const KernelMemory& memory) {
  if (!report.panic_cpu.has_value()) return std::nullopt;
  const CpuReport& cpu = report.cpus[static_cast<size_t>(*report.panic_cpu)];
  if (!cpu.state.started || (cpu.state.cs.selector & kUserMode) != 0) return std::nullopt;
  Fault fault;
  fault.cpu = cpu.cpu;
  fault.gs_base = cpu.state.gs.base;
  fault.paging_levels = memory.map().levels;
  bool panicked = false;
  for (size_t i = 0; i < std::min(cpu.frames.size(), kMaxFramesLooked); ++i) {
    const ReportFrame& frame = cpu.frames[i];
    if (frame.place.has_value() && frame.place->function == "panic") panicked = true;
    if (i == 0 || !frame.frame.interrupted || frame.frame.guess || frame.frame.at == 0) continue;
    // If the entry code itself is innermost, it may not yet have saved all registers.
    if (i == 1) return std::nullopt;
    fault.saved_at = frame.frame.at - offsetof(PtRegs, ip);
    const absl::StatusOr<PtRegs> registers = memory.ReadObject<PtRegs>(fault.saved_at);
    if (!registers.ok() || registers->ip != frame.frame.ip || (registers->cs & kUserMode) != 0) return std::nullopt;
    fault.registers = *registers;
    if (cpu.frames[i - 1].place.has_value()) fault.handler = cpu.frames[i - 1].place->function;
    fault.kind = KindOf(fault.handler);
    const bool sets_cr2 = fault.kind == FaultKind::kPageFault || fault.kind == FaultKind::kDoubleFault;
    if (sets_cr2) fault.cr2 = cpu.state.cr2;
    return fault;
  }
  if (panicked || cpu.frames.empty()) return std::nullopt;
  fault.registers = RegistersOf(cpu.state);
  return fault;
}

std::array<std::pair<std::string_view, uint64_t>, 18> NamedRegisters(const PtRegs& r) {
  return {{{"rip", r.ip},
           {"rsp", r.sp},
           {"rflags", r.flags},
           {"rax", r.ax},
           {"rbx", r.bx},
           {"rcx", r.cx},
           {"rdx", r.dx},
           {"rsi", r.si},
           {"rdi", r.di},
           {"rbp", r.bp},
           {"r8", r.r8},
           {"r9", r.r9},
           {"r10", r.r10},
           {"r11", r.r11},
           {"r12", r.r12},
           {"r13", r.r13},
           {"r14", r.r14},
           {"r15", r.r15}}};
}

}  // namespace vmm
