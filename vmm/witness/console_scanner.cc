#include "vmm/witness/console_scanner.h"

#include <utility>

namespace vmm {
namespace {

// What stays of a long line when its first part has been looked at: more than any sign's words.
constexpr size_t kOverlap = 128;

// Without control characters and terminal escapes (ESC [ ... letter).
std::string Printable(std::string_view line) {
  std::string text;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\x1b' && i + 1 < line.size() && line[i + 1] == '[') {
      i += 2;
      while (i < line.size() && (line[i] < '@' || line[i] > '~')) ++i;
      continue;
    }
    if (static_cast<unsigned char>(line[i]) >= ' ' && line[i] != '\x7f') text += line[i];
  }
  return text;
}

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
      if (byte == '\n') {
        EndLine(found);
        line_.clear();
        told_ = false;
        continue;
      }
      line_ += static_cast<char>(byte);
      if (line_.size() < kMaxLine) continue;
      EndLine(found);
      line_.erase(0, line_.size() - kOverlap);
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
  std::string text = Printable(line_);
  const std::optional<KernelSign> sign = FindKernelSign(text);
  if (!sign.has_value()) return;
  told_ = true;
  found.push_back({*sign, std::move(text), now_()});
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
