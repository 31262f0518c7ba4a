// A guest without a machine, for tests of those who look into one.
#ifndef VMM_LIVE_TESTING_FAKE_GUEST_H_
#define VMM_LIVE_TESTING_FAKE_GUEST_H_

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vmm/live/live_guest.h"

namespace vmm {

// Two blocks of RAM around the hole, and two vCPUs. What it was asked for is in `asked`.
class FakeGuest final : public LiveGuest {
 public:
  FakeGuest() {
    const std::array ranges = {GuestRange{GuestAddr{0}, 1 << 20}, GuestRange{GuestAddr{1ull << 32}, 1 << 20}};
    memory_ = *GuestMemory::Create(ranges);
    cpus_[0].rip = 0xffffffff81000000;
    cpus_[0].cr3 = 0x1000;
  }

  std::function<void(std::string_view)> tell;  // of STOP and RESUME
  std::vector<std::string> asked;
  absl::Status dump_status;
  std::array<CpuState, 2> cpus_;

  GuestMemory& ram() { return *memory_; }

  GuestState state() const override { return state_; }
  absl::Status Pause() override {
    if (std::exchange(state_, GuestState::kPaused) == GuestState::kRunning && tell) tell("STOP");
    return absl::OkStatus();
  }
  absl::Status Resume() override {
    if (std::exchange(state_, GuestState::kRunning) != GuestState::kRunning && tell) tell("RESUME");
    return absl::OkStatus();
  }
  int vcpus() const override { return static_cast<int>(cpus_.size()); }
  pid_t ThreadId(int vcpu) const override { return 1000 + vcpu; }
  std::vector<absl::StatusOr<CpuState>> Registers() override { return {cpus_[0], cpus_[1]}; }
  const GuestMemory& memory() const override { return *memory_; }
  absl::Status InjectNmi() override {
    asked.emplace_back("nmi");
    return absl::OkStatus();
  }
  absl::Status Dump(DumpOrder order) override {
    asked.push_back("dump " + std::string(order.fd.valid() ? "fd" : order.path.c_str()) +
                    (order.part.has_value() ? " part" : ""));
    return dump_status;
  }
  void Quit() override { asked.emplace_back("quit"); }

 private:
  std::unique_ptr<GuestMemory> memory_;
  GuestState state_ = GuestState::kRunning;
};

}  // namespace vmm

#endif  // VMM_LIVE_TESTING_FAKE_GUEST_H_
