#include "vmm/run/hang_watch.h"

#include <cstring>
#include <utility>

#include "absl/time/clock.h"
#include "dump/nested/abi/nested_state_abi.h"

namespace vmm {
namespace {

// Where the guest's own guest (L2) runs, RFLAGS.IF is L2's: its hypervisor is interrupted whatever that says.
bool RunsL2(const CpuState& cpu) {
  KvmNestedHeader header;
  if (cpu.nested.bytes.size() < sizeof(header)) return false;
  std::memcpy(&header, cpu.nested.bytes.data(), sizeof(header));
  return (header.flags & kNestedGuestMode) != 0;
}

}  // namespace

HangWatch::HangWatch(VcpuThreads& threads, absl::Duration hang_after, std::function<uint64_t()> console_bytes)
    : threads_(threads),
      console_bytes_(std::move(console_bytes)),
      monitor_(hang_after),
      last_look_(absl::Now()),
      accounts_(threads.recorders().size()) {}

bool HangWatch::Look() {
  if (hang_.has_value()) return true;
  // A vCPU that does not answer is in a device, at most waiting for the console's reader.
  constexpr absl::Duration kPatience = absl::Milliseconds(100);
  const std::vector<std::optional<CpuState>> states = threads_.Look(kPatience);
  std::vector<VcpuSample> samples;
  for (size_t id = 0; id < states.size(); ++id) samples.push_back(Sample(id, states[id]));
  const absl::Time now = absl::Now();
  hang_ = monitor_.Add(now - std::exchange(last_look_, now), samples, console_bytes_());
  return hang_.has_value();
}

VcpuSample HangWatch::Sample(size_t id, const std::optional<CpuState>& state) {
  const ThreadAccount now = ReadThreadAccount(threads_.recorders()[id]->tid());
  const ThreadAccount last = std::exchange(accounts_[id], now);
  VcpuSample sample{.started = true, .ran = now.ran - last.ran};
  if (!state.has_value()) return sample;
  sample.started = state->started;
  sample.answered = true;
  sample.halted = state->halted;
  sample.interrupts = InterruptsOn(*state) || RunsL2(*state);
  sample.user_mode = state->ss.dpl == 3;
  sample.rip = state->rip;
  sample.rsp = state->rsp;
  sample.rcx = state->rcx;
  sample.rdi = state->rdi;
  return sample;
}

}  // namespace vmm
