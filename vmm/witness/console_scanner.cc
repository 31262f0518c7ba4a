#include "vmm/witness/console_scanner.h"

#include <utility>

#include "base/printable.h"

namespace vmm {
namespace {

// Bytes of a long line that are kept after its first part was examined: more than a time stamp and the words of any
// sign.
constexpr size_t kOverlap = 256;

}  // namespace

ConsoleScanner::ConsoleScanner(std::function<absl::Duration()> now,
                               std::function<void(const ConsoleWitness&)> on_witness)
    : now_(std::move(now)), on_witness_(std::move(on_witness)) {}

void ConsoleScanner::Scan(std::span<const uint8_t> bytes) {
  std::vector<ConsoleWitness> found;
  {
    std::lock_guard lock(mutex_);
    bytes_ += bytes.size();
    for (const uint8_t byte : bytes) {
      if (byte == '\n' || byte == '\r') {
        EndLine(found);
        line_.clear();
        whole_ = true;
        told_ = false;
        continue;
      }
      line_ += static_cast<char>(byte);
      if (line_.size() < kMaxLine) continue;
      EndLine(found);
      line_.erase(0, line_.size() - kOverlap);
      whole_ = false;
    }
  }
  Keep(std::move(found));
}

void ConsoleScanner::Finish() {
  std::vector<ConsoleWitness> found;
  {
    std::lock_guard lock(mutex_);
    EndLine(found);
    line_.clear();
  }
  Keep(std::move(found));
}

void ConsoleScanner::EndLine(std::vector<ConsoleWitness>& found) {
  if (told_ || line_.empty()) return;
  // Most lines contain no sequence, and give the same text either way.
  const bool plain = line_.find('\x1b') == std::string::npos;
  for (const ControlSequences sequences : {ControlSequences::kDrop, ControlSequences::kKeepLetters}) {
    std::string text = Printable(line_, sequences);
    const std::optional<KernelSign> sign = FindKernelSign(text, whole_);
    if (!sign.has_value() && plain) return;
    if (!sign.has_value()) continue;
    told_ = true;
    found.push_back({*sign, CutText(std::move(text), kMaxLine), now_()});
    return;
  }
}

void ConsoleScanner::Keep(std::vector<ConsoleWitness> found) {
  for (ConsoleWitness& witness : found) {
    if (on_witness_) on_witness_(witness);
    std::lock_guard lock(mutex_);
    ++seen_;
    if (kept_.size() < kMaxKept) kept_.push_back(std::move(witness));
  }
}

std::vector<ConsoleWitness> ConsoleScanner::witnesses() const {
  std::lock_guard lock(mutex_);
  return kept_;
}

uint64_t ConsoleScanner::seen() const {
  std::lock_guard lock(mutex_);
  return seen_;
}

uint64_t ConsoleScanner::bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace vmm
