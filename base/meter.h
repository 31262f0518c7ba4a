// Counts what a parser spends of its budget.
#ifndef BASE_METER_H_
#define BASE_METER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "base/budget.h"

namespace vmm {

// One thread at a time. Time runs from the construction, as CPU time of the thread that calls, so that a busy host does
// not shorten a report.
class Meter {
 public:
  explicit Meter(const Budget& budget);

  // Each pays. False from the first payment on that the budget does not cover: the parser then stops, and keeps what it
  // has.
  bool Step(uint64_t steps = 1);
  bool Bytes(uint64_t bytes);

  bool spent() const { return spent_ != Spent::kNothing; }
  uint64_t steps() const { return steps_; }
  uint64_t bytes() const { return bytes_; }

  // ResourceExhausted once the budget is spent: "BTF: stopped after 2097152 types, the limit".
  absl::Status status() const;

 private:
  enum class Spent { kNothing, kSteps, kBytes, kTime };

  bool InTime();

  const Budget budget_;
  const int64_t start_ns_;
  uint64_t steps_ = 0;
  uint64_t bytes_ = 0;
  uint64_t looked_ = 0;  // payments since the last look at the clock
  Spent spent_ = Spent::kNothing;
};

}  // namespace vmm

#endif  // BASE_METER_H_
