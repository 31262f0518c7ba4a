#include "dump/console/blame.h"

#include <algorithm>

#include "dump/console/function_name.h"
#include "dump/console/helper_functions.h"

namespace vmm {
namespace {

bool IsSampled(TroubleKind kind) {
  return kind == TroubleKind::kRcuStall || kind == TroubleKind::kSoftLockup || kind == TroubleKind::kHardLockup;
}

bool Counts(const ConsoleFrame& frame, bool guesses) {
  return !frame.inlined && (guesses || !frame.guess) && !IsHelperFunction(PlainFunctionName(frame.function));
}

std::optional<size_t> Innermost(std::span<const ConsoleFrame> frames, size_t from) {
  for (const bool guesses : {false, true}) {
    for (size_t i = from; i < frames.size(); ++i) {
      if (Counts(frames[i], guesses)) return i;
    }
  }
  // Only helpers: the innermost of those that did not just report the fault.
  for (size_t i = from; i < frames.size(); ++i) {
    if (!frames[i].guess && !frames[i].inlined && MayBeBlamed(PlainFunctionName(frames[i].function))) return i;
  }
  return std::nullopt;
}

std::optional<size_t> Sampled(std::span<const ConsoleFrame> frames) {
  // The tick or NMI that took the sample comes first.
  const auto hit = std::find_if(frames.begin(), frames.end(), [](const ConsoleFrame& f) { return f.interrupted; });
  const size_t from = hit == frames.end() ? 0 : static_cast<size_t>(hit - frames.begin());
  std::optional<size_t> last;  // the outermost one so far
  std::optional<size_t> work;
  for (size_t i = from; i < frames.size(); ++i) {
    const ConsoleFrame& frame = frames[i];
    if (frame.guess || frame.inlined) continue;
    const std::string name = PlainFunctionName(frame.function);
    const bool helper = IsHelperFunction(name);
    if (!helper && !frame.module.empty()) return i;
    if (work.has_value()) continue;
    if (StartsWork(name) && last.has_value()) {
      work = last;
    } else if (!helper && !StartsWork(name)) {
      last = i;
    }
  }
  return work.has_value() ? work : Innermost(frames, from);
}

}  // namespace

std::optional<size_t> BlamedFrame(TroubleKind kind, std::span<const ConsoleFrame> frames) {
  return IsSampled(kind) ? Sampled(frames) : Innermost(frames, 0);
}

std::vector<std::string> BlamedNames(std::span<const ConsoleFrame> frames, size_t blamed, size_t most) {
  std::vector<std::string> names;
  for (size_t i = blamed; i < frames.size() && names.size() < most; ++i) {
    if (i == blamed || Counts(frames[i], /*guesses=*/false)) names.push_back(PlainFunctionName(frames[i].function));
  }
  return names;
}

}  // namespace vmm
