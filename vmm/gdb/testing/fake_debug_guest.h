// A debugged guest without a machine: what was asked of it is in `asked`.
#ifndef VMM_GDB_TESTING_FAKE_DEBUG_GUEST_H_
#define VMM_GDB_TESTING_FAKE_DEBUG_GUEST_H_

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "vmm/gdb/debug_guest.h"
#include "vmm/live/testing/fake_guest.h"

namespace vmm {

class FakeDebugGuest final : public DebugGuest {
 public:
  FakeDebugGuest() {
    for (GdbCpu& one : cpus) {
      one.cpu.cr0 = 1;  // no paging: addresses are physical
      one.cpu.cs.selector = 0x10;
    }
  }

  FakeGuest guest;
  DebugAbilities can{.step = true, .execute = true, .watch = true, .block_interrupts = true};
  std::array<GdbCpu, 2> cpus;
  int died_on = 0;
  std::vector<GuestAddr> planted;
  std::vector<HardwareBreak> hardware;
  std::optional<DebugStop> stop;
  std::vector<std::string> asked;  // "go", "go only 1 step 1", "write 0"

  LiveGuest& live() override { return guest; }
  GuestMemory& memory() override { return guest.ram(); }
  const DebugAbilities& abilities() const override { return can; }
  LoadedImage image() const override { return {}; }
  int died_vcpu() const override { return died_on; }
  absl::StatusOr<GdbCpu> ReadCpu(int vcpu) override { return cpus.at(static_cast<size_t>(vcpu)); }
  absl::Status WriteCpu(int vcpu, const GdbCpu& cpu, bool fpu_too) override {
    asked.push_back(absl::StrFormat("write %d%s", vcpu, fpu_too ? " fpu" : ""));
    cpus.at(static_cast<size_t>(vcpu)) = cpu;
    return absl::OkStatus();
  }
  absl::Status AddBreak(GuestAddr phys) override {
    planted.push_back(phys);
    return absl::OkStatus();
  }
  bool RemoveBreak(GuestAddr phys) override { return std::erase(planted, phys) > 0; }
  void SetHardware(std::vector<HardwareBreak> breaks) override { hardware = std::move(breaks); }
  void ForgetBreaks() override {
    planted.clear();
    hardware.clear();
  }
  absl::Status Go(const Going& going) override {
    asked.push_back("go" + (going.only.has_value() ? absl::StrFormat(" only %d", *going.only) : "") +
                    (going.step.has_value() ? absl::StrFormat(" step %d", *going.step) : ""));
    return guest.Resume();
  }
  std::optional<DebugStop> TakeStop() override {
    if (stop.has_value()) (void)guest.Pause().ok();
    return std::exchange(stop, std::nullopt);
  }
};

}  // namespace vmm

#endif  // VMM_GDB_TESTING_FAKE_DEBUG_GUEST_H_
