#include "vmm/outcome/explain_end.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/log.h"
#include "vmm/outcome/death_report.h"
#include "vmm/outcome/explanation.h"
#include "vmm/outcome/fault_site.h"

namespace vmm {
namespace {

// The first thing one wants to know about a guest that stands still.
void TellWhereVcpusStood(const VmSnapshot& snapshot) {
  for (size_t id = 0; id < snapshot.cpus.size(); ++id) {
    const CpuState& cpu = snapshot.cpus[id];
    if (!cpu.started) continue;
    LogInfo(absl::StrFormat("vCPU %d stood at %#x, interrupts %s", id, cpu.rip, InterruptsOn(cpu) ? "on" : "off"));
  }
}

// Returns the vCPU that is known to have died or to hang; -1: none.
int DeadVcpu(const RunOutcome& outcome) {
  if (outcome.hang.has_value()) return outcome.hang->vcpu;
  return outcome.panic.has_value() ? outcome.panic->vcpu : -1;
}

bool CouldNotGoOn(const RunOutcome& outcome) {
  return outcome.kind == RunOutcome::Kind::kPanic && outcome.panic.has_value() && CouldNotGoOn(outcome.panic->source);
}

// Null if there is no such vCPU or its registers could not be read: zeros would pass for the place of a fault.
const CpuState* RegistersOf(int vcpu, const VmSnapshot& snapshot) {
  if (vcpu < 0 || static_cast<size_t>(vcpu) >= snapshot.cpus.size()) return nullptr;
  const CpuState& cpu = snapshot.cpus[static_cast<size_t>(vcpu)];
  return cpu.started ? &cpu : nullptr;
}

// True if a better witness than the console sat in the kernel's code to watch for panics.
bool PanicWasToBeCaught(const RunOutcome& outcome) {
  return outcome.catching.has_value() && std::ranges::find(outcome.catching->points, CatchKind::kPanic,
                                                           &CatchPoint::kind) != outcome.catching->points.end();
}

// True if nobody has seen what the guest printed.
bool HidesConsole(const VmConfig& config) {
  if (config.console == "off") return true;
  return config.program.has_value() && config.console.empty() && !config.verbose;
}

}  // namespace

bool ConsoleShowedPanic(const RunOutcome& outcome) {
  return std::ranges::find(outcome.console, KernelSign::kPanic, &ConsoleWitness::sign) != outcome.console.end();
}

void PromoteConsolePanic(RunOutcome& outcome) {
  if (outcome.kind != RunOutcome::Kind::kReset && outcome.kind != RunOutcome::Kind::kTimeout) return;
  if (PanicWasToBeCaught(outcome)) return;
  const auto panic = std::ranges::find_if(outcome.console, [](const ConsoleWitness& witness) {
    return witness.sign == KernelSign::kPanic && !SaysEarlyException(witness.line);
  });
  if (panic == outcome.console.end()) return;
  outcome.kind = RunOutcome::Kind::kPanic;
  outcome.panic = PanicEvent{.source = PanicSource::kConsole, .detail = panic->line};
}

void NameXenVictim(bool multiboot, RunOutcome& outcome) {
  if (!multiboot || !outcome.panic.has_value()) return;
  for (const ConsoleWitness& witness : outcome.console) {
    std::optional<XenVictim> victim = FindXenDeath(witness.line);
    if (!victim.has_value() && witness.sign == KernelSign::kPanic) victim = XenVictim::kDom0;
    // Xen may die of dom0's death, for example while it resets the machine: the first of them counts.
    if (victim.has_value()) outcome.xen_victim = victim;
    if (victim.has_value()) return;
  }
}

bool IsBadEnd(const RunOutcome& outcome) {
  switch (outcome.kind) {
    case RunOutcome::Kind::kPanic:
    case RunOutcome::Kind::kHang:
    case RunOutcome::Kind::kTimeout: return true;
    case RunOutcome::Kind::kInterrupted: return outcome.signal == SIGTERM;
    default: return false;
  }
}

void ExplainEnd(const VmConfig& config, const VmSnapshot& snapshot, const FoundKernel& kernel, int stop_fd,
                RunOutcome& outcome) {
  if (outcome.kind != RunOutcome::Kind::kPanic) TellWhereVcpusStood(snapshot);
  const SymbolList* const symbols = config.catching.symbols.get();
  const int dead = DeadVcpu(outcome);
  const CpuState* const cpu = RegistersOf(dead, snapshot);
  if (CouldNotGoOn(outcome) && cpu != nullptr) outcome.fault = DescribeFault(dead, *cpu, *snapshot.memory);
  // Lost registers give no stack, and all such ends would have the same signature.
  const bool lost = outcome.fault.has_value() && outcome.fault->registers_lost;
  const HangRegistersNote* const before = outcome.hang_registers.has_value() ? &outcome.hang_registers->note : nullptr;
  Explanation explanation = ExplainByMemory(snapshot, kernel, lost ? -1 : dead, symbols, before, stop_fd);
  outcome.death = std::move(explanation.death);
  if (outcome.fault.has_value()) {
    if (!lost && !outcome.death->stack.empty()) outcome.fault->place = outcome.death->stack[0];
    TellFault(*outcome.fault);
  }
  if (before != nullptr) outcome.hang_registers->places = std::move(explanation.places);
  if (!ConsoleShowedPanic(outcome) || HidesConsole(config)) TellLog(*outcome.death);
}

}  // namespace vmm
