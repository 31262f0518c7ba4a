// A clock that is passed in, so that a test can step the time.
#ifndef BASE_CLOCK_H_
#define BASE_CLOCK_H_

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace vmm {

// Any thread may call.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() const = 0;  // wall-clock time
};

class SystemClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }
};

}  // namespace vmm

#endif  // BASE_CLOCK_H_
