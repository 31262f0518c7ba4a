// A vCPU without KVM: it plays a list of exits and records what was done to it.
//
//   ScriptedVcpu vcpu;
//   vcpu.AddOut(0x505, {1}).AddIn(0x60, 1).Add(ShutdownExit{});
//   ... run it as any Vcpu ...
//   EXPECT_EQ(vcpu.answers()[0], (std::vector<uint8_t>{0xff}));
#ifndef VMM_VCPU_TESTING_SCRIPTED_VCPU_H_
#define VMM_VCPU_TESTING_SCRIPTED_VCPU_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vmm/vcpu/vcpu.h"

namespace vmm {

// Write the script before the first Run(), and read the records after the last. At the end of the script, Run() waits
// for a Kick(), as a halted guest would.
class ScriptedVcpu final : public Vcpu {
 public:
  explicit ScriptedVcpu(int id = 0) : id_(id) {}

  ScriptedVcpu& Add(absl::StatusOr<VcpuExit> exit) {
    script_.push_back({std::move(exit), {}});
    return *this;
  }
  // `bytes` are elements of `size` bytes each, as in REP OUTS.
  ScriptedVcpu& AddOut(uint16_t port, std::vector<uint8_t> bytes, uint8_t size) {
    return AddAccess(IoExit{.port = port, .size = size, .is_write = true}, std::move(bytes));
  }
  // A single element of 1, 2 or 4 bytes.
  ScriptedVcpu& AddOut(uint16_t port, std::vector<uint8_t> bytes) {
    const uint8_t size = static_cast<uint8_t>(bytes.size());
    return AddOut(port, std::move(bytes), size);
  }
  ScriptedVcpu& AddIn(uint16_t port, uint8_t size, size_t count = 1) {
    return AddAccess(IoExit{.port = port, .size = size}, std::vector<uint8_t>(size * count));
  }
  ScriptedVcpu& AddMmioWrite(uint64_t address, std::vector<uint8_t> bytes) {
    return AddAccess(MmioExit{.address = address, .is_write = true}, std::move(bytes));
  }
  ScriptedVcpu& AddMmioRead(uint64_t address, size_t size) {
    return AddAccess(MmioExit{.address = address}, std::vector<uint8_t>(size));
  }

  // ReadState() returns this until WriteState() changes it.
  void set_state(const CpuState& state) { state_ = state; }
  const CpuState& state() const { return state_; }
  void set_read_state_error(absl::Status error) { read_state_error_ = std::move(error); }

  int runs() const { return runs_; }                // exits played
  int pauses() const { return pauses_; }            // calls of WasPaused()
  int completions() const { return completions_; }  // calls of CompletePendingIo()
  int kicks() const {
    const std::lock_guard lock(mutex_);
    return kicks_;
  }
  // True if neither a Run() nor CompletePendingIo() has completed the last I/O.
  bool io_pending() const { return pending_.has_value(); }
  // The answers to reads, in the order in which the guest took them.
  const std::vector<std::vector<uint8_t>>& answers() const { return answers_; }

  // Vcpu
  int id() const override { return id_; }

  absl::StatusOr<VcpuExit> Run() override {
    TakeAnswer();
    std::unique_lock lock(mutex_);
    if (script_.empty()) kicked_changed_.wait(lock, [this] { return kicked_; });
    if (kicked_) return InterruptedExit{};
    pending_ = std::move(script_.front());
    script_.pop_front();
    ++runs_;
    absl::StatusOr<VcpuExit> exit = pending_->exit;
    if (exit.ok() && !PointAtBytes(*exit)) pending_.reset();
    return exit;
  }

  absl::Status CompletePendingIo() override {
    ++completions_;
    TakeAnswer();
    return absl::OkStatus();
  }

  absl::StatusOr<CpuState> ReadState() override {
    if (!read_state_error_.ok()) return read_state_error_;
    return state_;
  }

  absl::Status WriteState(const CpuState& state) override {
    state_ = state;
    return absl::OkStatus();
  }

  absl::Status SetRip(uint64_t rip) override {
    state_.rip = rip;
    return absl::OkStatus();
  }

  void WasPaused() override { ++pauses_; }

  void Kick() override {
    const std::lock_guard lock(mutex_);
    kicked_ = true;
    ++kicks_;
    kicked_changed_.notify_all();
  }

  void Unkick() override {
    const std::lock_guard lock(mutex_);
    kicked_ = false;
  }

 private:
  struct Step {
    absl::StatusOr<VcpuExit> exit;
    std::vector<uint8_t> bytes;  // of an access
  };

  ScriptedVcpu& AddAccess(VcpuExit exit, std::vector<uint8_t> bytes) {
    script_.push_back({std::move(exit), std::move(bytes)});
    return *this;
  }

  // Points an access at its bytes. False if `exit` is not an access.
  bool PointAtBytes(VcpuExit& exit) {
    if (auto* io = std::get_if<IoExit>(&exit)) return io->data = pending_->bytes, true;
    if (auto* mmio = std::get_if<MmioExit>(&exit)) return mmio->data = pending_->bytes, true;
    return false;
  }

  // The guest takes the bytes left in the span of the last access, if that was a read.
  void TakeAnswer() {
    if (!pending_.has_value()) return;
    if (pending_->exit.ok() && IsRead(*pending_->exit)) answers_.push_back(std::move(pending_->bytes));
    pending_.reset();
  }

  static bool IsRead(const VcpuExit& exit) {
    if (const auto* io = std::get_if<IoExit>(&exit)) return !io->is_write;
    if (const auto* mmio = std::get_if<MmioExit>(&exit)) return !mmio->is_write;
    return false;
  }

  const int id_;
  std::deque<Step> script_;
  std::optional<Step> pending_;
  std::vector<std::vector<uint8_t>> answers_;
  CpuState state_;
  absl::Status read_state_error_;
  int runs_ = 0;
  int pauses_ = 0;
  int completions_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable kicked_changed_;
  bool kicked_ = false;  // guarded by mutex_
  int kicks_ = 0;        // guarded by mutex_
};

}  // namespace vmm

#endif  // VMM_VCPU_TESTING_SCRIPTED_VCPU_H_
