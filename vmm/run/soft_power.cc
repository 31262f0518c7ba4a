#include "vmm/run/soft_power.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/log.h"

namespace vmm {
namespace {

constexpr absl::Duration kLookEvery = absl::Milliseconds(100);

// What became of request `id`, once it is known.
std::optional<TcloResult> TakeResult(Backdoor& backdoor, uint64_t id) {
  for (TcloResult& result : backdoor.TakeResults()) {
    if (result.id == id) return std::move(result);
  }
  return std::nullopt;
}

// Why a request that is over will not halt the guest; empty where it will.
std::string Refusal(const TcloResult& result) {
  switch (result.outcome) {
    case TcloResult::Outcome::kOk: return "";
    case TcloResult::Outcome::kError: return "they refuse: " + result.text;
    case TcloResult::Outcome::kBadAnswer: return "they answer without sense: " + result.text;
    case TcloResult::Outcome::kTimedOut: return "they do not answer";
    // A guest on its way down ends its tools.
    case TcloResult::Outcome::kClosed: return "";
  }
  return "";
}

}  // namespace

RunEnd SoftPowerOff(Backdoor& backdoor, EventLoop& loop, absl::Duration patience, absl::Time deadline,
                    absl::Duration grace) {
  const absl::StatusOr<uint64_t> id = backdoor.Send(std::string(kTcloHalt));
  if (!id.ok()) {
    LogWarning(absl::StrFormat("SIGTERM ends the guest hard: %s", std::string(id.status().message())));
    return RunEnd::kSignal;
  }
  LogInfo(absl::StrFormat("SIGTERM: the guest's tools are asked to halt it; a second signal, or %s, ends it hard",
                          absl::FormatDuration(patience)));
  const absl::Time give_up = absl::Now() + patience;
  while (absl::Now() < give_up) {
    const RunEnd end = loop.Wait(std::min({deadline, give_up, absl::Now() + kLookEvery}), grace);
    if (end != RunEnd::kTimeout || absl::Now() >= deadline) return end;
    const std::optional<TcloResult> result = TakeResult(backdoor, *id);
    if (!result.has_value()) continue;
    if (const std::string refusal = Refusal(*result); !refusal.empty()) {
      LogWarning(absl::StrFormat("the guest's tools do not halt it, SIGTERM ends it hard: %s", refusal));
      return RunEnd::kSignal;
    }
    LogInfo("the guest's tools halt it");
  }
  LogWarning(
      absl::StrFormat("the guest has not powered off in %s, SIGTERM ends it hard", absl::FormatDuration(patience)));
  return RunEnd::kSignal;
}

}  // namespace vmm
