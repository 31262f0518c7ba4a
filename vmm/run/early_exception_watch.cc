#include "vmm/run/early_exception_watch.h"

#include "absl/time/clock.h"

namespace vmm {

bool RunsBeforeTraps(const CpuState& cpu) {
  constexpr uint64_t kKernelHalf = 1ull << 63;
  const bool own_tss = cpu.tr.selector != 0 && (cpu.tr.base & kKernelHalf) != 0;
  return cpu.started && cpu.ss.dpl == 0 && !InterruptsOn(cpu) && !own_tss;
}

bool EarlyExceptionWatch::Add(const ConsoleWitness& witness) {
  if (witness.sign != KernelSign::kPanic || !SaysEarlyException(witness.line)) return false;
  std::lock_guard lock(mutex_);
  line_ = witness.line;
  return true;
}

absl::Time EarlyExceptionWatch::Check(const std::function<std::vector<std::optional<CpuState>>()>& look) {
  constexpr absl::Duration kPause = absl::Milliseconds(100);
  constexpr int kMostTries = 50;  // a vCPU that prints may wait for the console's reader
  std::string line;
  {
    std::lock_guard lock(mutex_);
    line = line_;
  }
  if (line.empty()) return absl::InfiniteFuture();
  const std::vector<std::optional<CpuState>> states = look();
  const bool answered = !states.empty() && states[0].has_value();
  if (!answered && ++tries_ < kMostTries) return absl::Now() + kPause;
  tries_ = 0;
  {
    std::lock_guard lock(mutex_);
    line_.clear();
  }
  if (answered && RunsBeforeTraps(*states[0])) {
    panics_.OnPanic({.source = PanicSource::kConsole, .vcpu = 0, .detail = line});
  }
  return absl::InfiniteFuture();
}

}  // namespace vmm
