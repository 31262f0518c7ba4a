// Reads the guest's console along with whoever else does, for the lines by which a kernel says
// that something is wrong. It only bears witness: what follows from it is decided elsewhere.
#ifndef VMM_WITNESS_CONSOLE_SCANNER_H_
#define VMM_WITNESS_CONSOLE_SCANNER_H_

#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "vmm/witness/kernel_signs.h"

namespace vmm {

struct ConsoleWitness {
  KernelSign sign = KernelSign::kPanic;
  std::string line;   // as printed, without control characters and colours: valid UTF-8 (printable.h)
  absl::Duration at;  // since the scanner's clock began
};

// Any thread may call; one console's bytes must come in their order.
class ConsoleScanner {
 public:
  // A guest that warns in a loop is not written down without end: the first so many are kept.
  static constexpr size_t kMaxKept = 64;

  // A line is looked at whole up to this length, a longer one in overlapping parts.
  static constexpr size_t kMaxLine = 1024;

  // `now`: the time since the run began. `on_witness` is called for each, also those not kept, on
  // the thread that scans, with no lock held.
  ConsoleScanner(std::function<absl::Duration()> now, std::function<void(const ConsoleWitness&)> on_witness);

  void Scan(std::span<const uint8_t> bytes);

  // The console is at its end: a last line without a newline counts too.
  void Finish();

  std::vector<ConsoleWitness> witnesses() const;
  uint64_t seen() const;  // kept or not

  // How many bytes it was given so far.
  uint64_t bytes() const;

 private:
  // Looks at the line so far, and appends to `found`.
  void EndLine(std::vector<ConsoleWitness>& found);
  void Keep(std::vector<ConsoleWitness> found);

  const std::function<absl::Duration()> now_;
  const std::function<void(const ConsoleWitness&)> on_witness_;

  mutable std::mutex mutex_;  // guards all below
  std::string line_;
  bool whole_ = true;  // line_ begins where the console's line did
  bool told_ = false;  // a part of this long line was a witness already
  std::vector<ConsoleWitness> kept_;
  uint64_t seen_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace vmm

#endif  // VMM_WITNESS_CONSOLE_SCANNER_H_
