#include "vmm/outcome/hang_registers.h"

#include "absl/strings/str_format.h"
#include "base/log.h"
#include "dump/kernel/kernel_report.h"
#include "dump/kernel/kernel_view.h"
#include "vmm/outcome/death_report.h"
#include "vmm/outcome/fault_site.h"

namespace vmm {

void TellWhereVcpusStand(const HangRegistersNote& note) {
  for (size_t id = 0; id < note.before.size(); ++id) {
    const std::optional<CpuState>& cpu = note.before[id];
    if (!cpu.has_value()) {
      LogInfo(absl::StrFormat("vCPU %d does not answer: a device has it", id));
    } else if (cpu->started) {
      LogInfo(absl::StrFormat("vCPU %d stands at %#x, interrupts %s%s", id, cpu->rip, InterruptsOn(*cpu) ? "on" : "off",
                              cpu->halted ? ", halted" : ""));
    }
  }
}

void PutBackDestroyedRegisters(const std::optional<PanicEvent>& panic, bool console_panicked, HangRegistersNote& note,
                               std::vector<absl::StatusOr<CpuState>>& states) {
  if (note.nmi_vcpu < 0 || !panic.has_value() || !CouldNotGoOn(panic->source)) return;
  if (panic->vcpu < 0 || static_cast<size_t>(panic->vcpu) >= states.size()) return;
  const size_t id = static_cast<size_t>(panic->vcpu);
  const bool lost = !states[id].ok() || IsAtReset(*states[id]);
  if (console_panicked && !lost) return;
  note.destroyed = panic->vcpu;
  if (id < note.before.size() && note.before[id].has_value()) states[id] = *note.before[id];
}

void NamePlaces(const VmSnapshot& snapshot, const FoundKernel& kernel, const SymbolList* symbols,
                HangRegisters& registers) {
  registers.places.assign(registers.note.before.size(), "");
  const auto view = OpenKernelView(snapshot, kernel, symbols);
  if (!view.ok()) return;
  for (size_t id = 0; id < registers.places.size(); ++id) {
    const std::optional<CpuState>& cpu = registers.note.before[id];
    if (!cpu.has_value() || !cpu->started) continue;
    ReportFrame frame;
    frame.frame.ip = cpu->rip;
    frame.place = (*view)->Describe(cpu->rip);
    if (frame.place.has_value()) registers.places[id] = frame.Name();
  }
}

}  // namespace vmm
