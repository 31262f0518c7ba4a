#include "vmm/witness/hang_monitor.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

// A guest at rest has its timer's ticks and our own looks to deal with.
constexpr double kAtRest = 0.3;

// It had something to run, and the host did not let it: because of others, of a quota, of a SIGSTOP.
bool IsStarved(const VcpuSample& vcpu, absl::Duration elapsed) {
  if (!vcpu.answered || !vcpu.started || vcpu.halted) return false;
  return vcpu.ran < elapsed * HangMonitor::kStarved;
}

std::string Places(const std::vector<uint64_t>& rips) {
  std::string text;
  for (size_t i = 0; i < rips.size() && i < 4; ++i) text += absl::StrFormat("%s%#x", i == 0 ? "" : ", ", rips[i]);
  if (rips.size() > 4) text += ", ...";
  return text;
}

}  // namespace

std::string_view HangKindName(HangKind kind) {
  switch (kind) {
    case HangKind::kInterruptsOff: return "interrupts-off";
    case HangKind::kLivelock: return "livelock";
    case HangKind::kIdle: return "idle";
  }
  return "unknown";
}

HangMonitor::Found HangMonitor::Find(const VcpuSample& sample, absl::Duration elapsed) {
  if (!sample.started) return {.state = State::kOff};
  if (!sample.answered || sample.user_mode) return {.state = State::kBusy};
  if (!sample.halted) return {.state = State::kKernel, .rip = sample.rip, .interrupts = sample.interrupts};
  return {.state = sample.ran > elapsed * kAtRest ? State::kBusy : State::kIdle, .rip = sample.rip};
}

std::optional<Hang> HangMonitor::Add(absl::Duration elapsed, const std::vector<VcpuSample>& vcpus,
                                     uint64_t console_bytes) {
  const bool moved = std::exchange(console_bytes_, console_bytes) != console_bytes;
  if (std::ranges::any_of(vcpus, [&](const VcpuSample& vcpu) { return IsStarved(vcpu, elapsed); })) {
    ++starved_;
    if (moved && !looks_.empty()) looks_.back().console_moved = true;
    return std::nullopt;
  }
  Look look{.console_moved = moved};
  for (const VcpuSample& vcpu : vcpus) look.vcpus.push_back(Find(vcpu, elapsed));
  looks_.push_back(std::move(look));
  if (looks_.size() > kSamples) looks_.pop_front();
  if (looks_.size() < kSamples) return std::nullopt;

  const bool silent = std::ranges::none_of(looks_, &Look::console_moved);
  for (size_t id = 0; id < vcpus.size(); ++id) {
    if (std::optional<Hang> hang = JudgeVcpu(id, silent); hang.has_value()) return hang;
  }
  return silent ? JudgeIdle() : std::nullopt;
}

std::optional<Hang> HangMonitor::JudgeVcpu(size_t id, bool console_silent) const {
  bool interrupts = false;
  std::set<uint64_t> places;
  for (const Look& look : looks_) {
    const Found& vcpu = look.vcpus[id];
    if (vcpu.state != State::kKernel) return std::nullopt;
    interrupts = interrupts || vcpu.interrupts;
    places.insert(vcpu.rip);
  }
  Hang hang{.vcpu = static_cast<int>(id), .rips = {places.begin(), places.end()}};
  if (!interrupts) {
    hang.kind = HangKind::kInterruptsOff;
    hang.detail = absl::StrFormat("vCPU %d runs with interrupts off, at %s", id, Places(hang.rips));
    return hang;
  }
  if (!console_silent || places.size() > kFewPlaces) return std::nullopt;
  hang.kind = HangKind::kLivelock;
  hang.detail = absl::StrFormat("vCPU %d runs in a loop of the kernel, at %s", id, Places(hang.rips));
  return hang;
}

std::optional<Hang> HangMonitor::JudgeIdle() const {
  std::set<uint64_t> places;
  for (const Look& look : looks_) {
    for (const Found& vcpu : look.vcpus) {
      if (vcpu.state == State::kOff) continue;
      if (vcpu.state != State::kIdle) return std::nullopt;
      places.insert(vcpu.rip);
    }
  }
  return Hang{.kind = HangKind::kIdle,
              .rips = {places.begin(), places.end()},
              .detail = "all vCPUs are idle and the console is silent"};
}

}  // namespace vmm
