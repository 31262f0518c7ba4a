// Scans the guest's console for the lines by which a kernel says that something is wrong. It only bears witness: others
// decide what follows from it.
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
  absl::Duration at;  // time since the scanner's clock began
};

// Any thread may call; the bytes of one console must arrive in order.
class ConsoleScanner {
 public:
  // Keeps at most this many witnesses, the first ones, so that a guest that warns in a loop does not fill memory.
  static constexpr size_t kMaxKept = 64;

  // A line up to this length is examined whole, a longer one in overlapping parts.
  static constexpr size_t kMaxLine = 1024;

  // `now`: the time since the run began. `on_witness` is called for each witness, kept or not, on the thread that
  // scans, with no lock held.
  ConsoleScanner(std::function<absl::Duration()> now, std::function<void(const ConsoleWitness&)> on_witness);

  void Scan(std::span<const uint8_t> bytes);

  // The console has ended: a last line without a newline counts too.
  void Finish();

  std::vector<ConsoleWitness> witnesses() const;
  uint64_t seen() const;  // includes witnesses that were not kept

  // Bytes scanned so far.
  uint64_t bytes() const;

 private:
  // Examines the line so far, and appends to `found`.
  void EndLine(std::vector<ConsoleWitness>& found);
  void Keep(std::vector<ConsoleWitness> found);

  const std::function<absl::Duration()> now_;
  const std::function<void(const ConsoleWitness&)> on_witness_;

  mutable std::mutex mutex_;  // guards all below
  std::string line_;
  bool whole_ = true;  // line_ begins where the console's line did
  bool told_ = false;  // a part of this long line was already a witness
  std::vector<ConsoleWitness> kept_;
  uint64_t seen_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace vmm

#endif  // VMM_WITNESS_CONSOLE_SCANNER_H_
