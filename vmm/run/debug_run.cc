#include "vmm/run/debug_run.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/log.h"
#include "base/status.h"

namespace vmm {

absl::StatusOr<std::unique_ptr<DebugRun>> DebugRun::Create(Wiring wiring) {
  UniqueFd fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd.valid()) return ErrnoStatus(errno, "eventfd");
  return std::unique_ptr<DebugRun>(new DebugRun(std::move(wiring), std::move(fd)));
}

DebugRun::DebugRun(Wiring wiring, UniqueFd stop_fd)
    : wiring_(std::move(wiring)), stop_fd_(std::move(stop_fd)), vcpus_(wiring_.machine.vcpus()), set_(vcpus_.size()) {
  // On the vCPU's thread: the others must not run on until the run's thread gets its turn.
  wiring_.breaks.SetOnStop([&threads = wiring_.threads, fd = stop_fd_.get()] {
    threads.BeginPause();
    eventfd_write(fd, 1);
  });
}

LoadedImage DebugRun::image() const {
  const LoadedKernel& kernel = wiring_.machine.kernel();
  if (kernel.virtual_base == 0) return {};
  return {.vaddr = kernel.virtual_base, .phys = GuestAddr{kernel.physical_base}, .size = kernel.image_size};
}

// The floating-point registers of a vCPU that runs cannot be had without waiting for it.
absl::StatusOr<GdbCpu> DebugRun::ReadCpu(int id) {
  const std::vector<absl::StatusOr<CpuState>> states = wiring_.live.Registers();
  if (static_cast<size_t>(id) >= states.size()) return absl::NotFoundError(absl::StrFormat("there is no vCPU %d", id));
  RETURN_IF_ERROR(states[static_cast<size_t>(id)].status());
  GdbCpu cpu{.cpu = *states[static_cast<size_t>(id)]};
  if (wiring_.live.state() == GuestState::kRunning) return cpu;
  absl::StatusOr<FpuState> fpu = vcpu(id).ReadFpu();
  if (fpu.ok()) {
    cpu.fpu = *std::move(fpu);
  } else {
    LogDebug(absl::StrFormat("gdb: no floating-point registers: %s", std::string(fpu.status().message())));
  }
  return cpu;
}

absl::Status DebugRun::WriteCpu(int id, const GdbCpu& cpu, bool fpu_too) {
  if (wiring_.live.state() != GuestState::kPaused) {
    return absl::FailedPreconditionError("the guest does not stand still, or has died");
  }
  RETURN_IF_ERROR(vcpu(id).WriteRegisters(cpu.cpu));
  wiring_.live.RegistersWritten(id, cpu.cpu);
  return fpu_too ? vcpu(id).WriteFpu(cpu.fpu) : absl::OkStatus();
}

absl::Status DebugRun::AddBreak(GuestAddr phys) {
  if (wiring_.traps != nullptr) {
    for (const CatchPoint& point : wiring_.traps->report().points) {
      if (point.phys.value + 1 == phys.value || phys.value + 1 == point.phys.value) {
        return absl::AlreadyExistsError(absl::StrFormat("--catch has an instruction at %#x", point.address));
      }
    }
  }
  return wiring_.breaks.Add(phys);
}

absl::Status DebugRun::Go(const Going& going) {
  RETURN_IF_ERROR(wiring_.live.Pause());
  wiring_.breaks.SetStep(going.step, wiring_.abilities.block_interrupts);
  for (size_t id = 0; id < vcpus_.size(); ++id) {
    const GuestDebug debug = wiring_.breaks.DebugOf(static_cast<int>(id));
    if (debug == set_[id]) continue;
    RETURN_IF_ERROR(vcpus_[id]->SetDebug(debug));
    set_[id] = debug;
  }
  if (wiring_.breaks.has_stop()) {  // a watchpoint of another vCPU, at the same time as the stop that gdb knows
    eventfd_write(stop_fd_.get(), 1);
    return absl::OkStatus();
  }
  return wiring_.live.ResumeVcpus(going.only);
}

// If the pause fails, the vCPUs have been let go, and come to the breakpoint again.
std::optional<DebugStop> DebugRun::TakeStop() {
  if (!wiring_.breaks.has_stop()) return std::nullopt;
  if (const absl::Status paused = wiring_.live.Pause(); !paused.ok()) {
    LogWarning(absl::StrFormat("gdb: a breakpoint was met, but: %s", std::string(paused.message())));
    return std::nullopt;
  }
  return wiring_.breaks.TakeStop();
}

std::string DescribeAbilities(const DebugAbilities& abilities) {
  std::vector<std::string> has = {"software breakpoints in the kernel"}, lacks;
  (abilities.execute ? has : lacks).emplace_back("hardware breakpoints");
  (abilities.watch ? has : lacks).emplace_back("watchpoints");
  (abilities.step ? has : lacks).emplace_back("single steps");
  (abilities.block_interrupts ? has : lacks).emplace_back("steps without interrupts");
  return absl::StrJoin(has, ", ") + (lacks.empty() ? "" : "; a trial showed no " + absl::StrJoin(lacks, ", no "));
}

}  // namespace vmm
