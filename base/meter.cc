#include "base/meter.h"

#include <ctime>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;

// A look at the clock is a system call, so it happens once in so many payments. Each costs microseconds at most.
constexpr uint64_t kLookEvery = 1024;

int64_t ThreadCpuTime() {
  timespec now = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * kNsPerSecond + now.tv_nsec;
}

}  // namespace

Meter::Meter(const Budget& budget) : budget_(budget), start_ns_(ThreadCpuTime()) {}

bool Meter::Step(uint64_t steps) {
  if (spent()) return false;
  if (steps > budget_.steps - steps_) {
    spent_ = Spent::kSteps;
    return false;
  }
  steps_ += steps;
  return InTime();
}

bool Meter::Bytes(uint64_t bytes) {
  if (spent()) return false;
  if (bytes > budget_.bytes - bytes_) {
    spent_ = Spent::kBytes;
    return false;
  }
  bytes_ += bytes;
  return InTime();
}

bool Meter::InTime() {
  if (budget_.seconds == 0 || ++looked_ < kLookEvery) return true;
  looked_ = 0;
  if (ThreadCpuTime() - start_ns_ <= budget_.seconds * kNsPerSecond) return true;
  spent_ = Spent::kTime;
  return false;
}

absl::Status Meter::status() const {
  switch (spent_) {
    case Spent::kNothing: return absl::OkStatus();
    case Spent::kSteps:
      return absl::ResourceExhaustedError(
          absl::StrFormat("%s: stopped after %d %s, the limit", budget_.parser, budget_.steps, budget_.step));
    case Spent::kBytes:
      return absl::ResourceExhaustedError(
          absl::StrFormat("%s: stopped after %d bytes, the limit", budget_.parser, budget_.bytes));
    case Spent::kTime:
      return absl::ResourceExhaustedError(
          absl::StrFormat("%s: stopped after %d s, the limit", budget_.parser, budget_.seconds));
  }
  return absl::OkStatus();
}

}  // namespace vmm
