// Times vmm's own work between two KVM_RUNs, without KVM, in vmm's own loop with its flight recorder. The vCPU's Run()
// only reports that the guest has written a byte to a port without a device. `exit_path_main ROUNDS EXITS` prints the
// nanoseconds per exit of each round. They do not include the code around the ioctl in the Run() of KVM's vCPU.
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "devices/bus.h"
#include "vmm/run/vcpu_threads.h"
#include "vmm/vcpu/run_events.h"

namespace vmm {
namespace {

constexpr uint16_t kNobodysPort = 0xed;

class WritingVcpu final : public Vcpu {
 public:
  explicit WritingVcpu(uint64_t exits) : left_(exits) {}

  int id() const override { return 0; }
  absl::StatusOr<VcpuExit> Run() override {
    if (left_ == 0) {
      end_ = std::chrono::steady_clock::now();
      done_ = true;
      done_.notify_all();
      kicked_.wait(false);
      return InterruptedExit{};
    }
    if (start_.time_since_epoch().count() == 0) start_ = std::chrono::steady_clock::now();
    --left_;
    return IoExit{.port = kNobodysPort, .size = 1, .is_write = true, .data = byte_};
  }
  absl::Status CompletePendingIo() override { return absl::OkStatus(); }
  absl::StatusOr<CpuState> ReadState() override { return CpuState(); }
  absl::Status WriteState(const CpuState&) override { return absl::OkStatus(); }
  absl::Status SetRip(uint64_t) override { return absl::OkStatus(); }
  void Kick() override {
    kicked_ = true;
    kicked_.notify_all();
  }
  void Unkick() override { kicked_ = false; }

  void WaitUntilDone() const { done_.wait(false); }
  double Nanoseconds() const { return std::chrono::duration<double, std::nano>(end_ - start_).count(); }

 private:
  uint64_t left_;
  std::array<uint8_t, 1> byte_ = {};
  std::chrono::steady_clock::time_point start_, end_;
  std::atomic<bool> done_ = false, kicked_ = false;
};

int Main(int rounds, uint64_t exits) {
  for (int round = 0; round < rounds; ++round) {
    const auto events = RunEvents::Create(/*stop_at_panic=*/true);
    if (!events.ok()) return 125;
    Bus pio, mmio;
    WritingVcpu vcpu(exits);
    const std::array<Vcpu*, 1> vcpus = {&vcpu};
    VcpuThreads threads(vcpus, {pio, mmio}, **events);
    threads.Start();
    vcpu.WaitUntilDone();
    (void)threads.Stop();
    std::printf("%.1f\n", vcpu.Nanoseconds() / static_cast<double>(exits));
  }
  return 0;
}

}  // namespace
}  // namespace vmm

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s ROUNDS EXITS\n", argv[0]);
    return 2;
  }
  return vmm::Main(std::atoi(argv[1]), std::strtoull(argv[2], nullptr, 10));
}
