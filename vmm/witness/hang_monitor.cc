#include "vmm/witness/hang_monitor.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

// The fraction of the time that a guest at rest may run: it has timer ticks and our own samples to handle.
constexpr double kAtRest = 0.3;

// True if the vCPU had something to run and the host did not let it: because of other load, a quota or a SIGSTOP.
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
    case HangKind::kHalted: return "halted";
    case HangKind::kWatchdog: return "watchdog";
  }
  return "unknown";
}

Hang WatchdogHang(absl::Duration timeout) {
  return {.kind = HangKind::kWatchdog,
          .detail = absl::StrFormat("the guest did not feed its watchdog for %s", absl::FormatDuration(timeout))};
}

HangMonitor::Found HangMonitor::Find(const VcpuSample& sample, absl::Duration elapsed) {
  if (!sample.started) return {.state = State::kOff};
  if (!sample.answered || sample.user_mode) return {.state = State::kBusy};
  const Place place{sample.rip, sample.rsp, sample.rcx, sample.rdi};
  // The time that its thread ran says nothing here: no interrupt can have woken it, so all of that was the host's own
  // work.
  if (sample.halted && !sample.interrupts) return {.state = State::kHaltedForGood, .place = place, .interrupts = false};
  if (!sample.halted) return {.state = State::kKernel, .place = place, .interrupts = sample.interrupts};
  return {.state = sample.ran > elapsed * kAtRest ? State::kBusy : State::kIdle, .place = place};
}

std::optional<Hang> HangMonitor::Add(absl::Duration elapsed, const std::vector<VcpuSample>& vcpus,
                                     uint64_t console_bytes) {
  const bool moved = std::exchange(console_bytes_, console_bytes) != console_bytes;
  for (size_t id = 0; id < vcpus.size(); ++id) {
    if (vcpus[id].answered && (vcpus[id].interrupts || vcpus[id].user_mode)) has_come_up_.insert(id);
  }
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
  // A moving console does not matter here, because it also counts what a person types.
  if (std::optional<Hang> hang = JudgeHalted(); hang.has_value()) return hang;
  return silent ? JudgeIdle() : std::nullopt;
}

std::optional<Hang> HangMonitor::JudgeVcpu(size_t id, bool console_silent) const {
  bool interrupts = false;
  std::map<Place, size_t> times;
  std::set<uint64_t> rips;
  for (const Look& look : looks_) {
    const Found& vcpu = look.vcpus[id];
    if (vcpu.state != State::kKernel) return std::nullopt;
    interrupts = interrupts || vcpu.interrupts;
    ++times[vcpu.place];
    rips.insert(vcpu.place[0]);
  }
  const std::set<uint64_t> loop = RipsOfLoop(times);
  Hang hang{.vcpu = static_cast<int>(id)};
  if (!interrupts && (!loop.empty() || has_come_up_.contains(id))) {
    hang.kind = HangKind::kInterruptsOff;
    hang.rips.assign(rips.begin(), rips.end());
    hang.detail = absl::StrFormat("vCPU %d runs with interrupts off, at %s", id, Places(hang.rips));
    return hang;
  }
  if (!console_silent || loop.empty()) return std::nullopt;
  hang.kind = HangKind::kLivelock;
  hang.rips.assign(loop.begin(), loop.end());
  hang.detail = absl::StrFormat("vCPU %d runs in a loop of the kernel, at %s", id, Places(hang.rips));
  return hang;
}

// Returns where the vCPU was found most often; empty if it moved about.
std::set<uint64_t> HangMonitor::RipsOfLoop(const std::map<Place, size_t>& times) {
  std::vector<std::pair<size_t, uint64_t>> often;
  for (const auto& [place, count] : times) often.emplace_back(count, place[0]);
  std::ranges::sort(often, std::greater());
  if (often.size() > kFewPlaces) often.resize(kFewPlaces);
  size_t found = 0;
  std::set<uint64_t> rips;
  for (const auto& [count, rip] : often) {
    found += count;
    rips.insert(rip);
  }
  return found >= kMost ? rips : std::set<uint64_t>();
}

std::optional<Hang> HangMonitor::JudgeIdle() const {
  std::set<uint64_t> places;
  for (const Look& look : looks_) {
    for (const Found& vcpu : look.vcpus) {
      if (vcpu.state == State::kOff) continue;
      if (vcpu.state != State::kIdle && vcpu.state != State::kHaltedForGood) return std::nullopt;
      places.insert(vcpu.place[0]);
    }
  }
  Hang hang{.kind = HangKind::kIdle,
            .rips = {places.begin(), places.end()},
            .detail = "all vCPUs are idle and the console is silent"};
  const std::vector<Found>& last = looks_.back().vcpus;
  for (size_t id = 0; id < last.size(); ++id) {
    if (last[id].state != State::kHaltedForGood) continue;
    hang.detail += absl::StrFormat("; vCPU %d is halted with interrupts off, at %#x", id, last[id].place[0]);
  }
  return hang;
}

std::optional<Hang> HangMonitor::JudgeHalted() const {
  std::set<uint64_t> places;
  std::set<size_t> halted;
  for (size_t id = 0; id < looks_.back().vcpus.size(); ++id) {
    if (std::ranges::all_of(looks_, [id](const Look& look) { return look.vcpus[id].state == State::kOff; })) continue;
    const std::set<uint64_t> rips = RipsOfHalt(id);
    if (rips.empty()) return std::nullopt;
    places.insert(rips.begin(), rips.end());
    halted.insert(id);
  }
  if (halted.empty()) return std::nullopt;
  Hang hang{.kind = HangKind::kHalted, .rips = {places.begin(), places.end()}};
  if (halted.size() == 1) hang.vcpu = static_cast<int>(*halted.begin());
  const std::string who = halted.size() == 1 ? absl::StrFormat("vCPU %d is", hang.vcpu) : "all vCPUs are";
  hang.detail = absl::StrFormat("%s halted with interrupts off, at %s", who, Places(hang.rips));
  return hang;
}

// A sample may find the vCPU on its way round the loop: an NMI or the host woke it, and it halts again.
std::set<uint64_t> HangMonitor::RipsOfHalt(size_t id) const {
  bool halted = false;
  std::map<Place, size_t> times;
  for (const Look& look : looks_) {
    const Found& vcpu = look.vcpus[id];
    const bool is_halted = vcpu.state == State::kHaltedForGood;
    if (!is_halted && (vcpu.state != State::kKernel || vcpu.interrupts)) return {};
    halted = halted || is_halted;
    ++times[vcpu.place];
  }
  return halted ? RipsOfLoop(times) : std::set<uint64_t>();
}

}  // namespace vmm
