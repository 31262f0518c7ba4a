#include "vmm/cli/flag_values.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

// Parses all of `text` as an unsigned number, decimal or 0x-hexadecimal.
bool ParseNumber(std::string_view text, uint64_t* number) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    text.remove_prefix(2);
    base = 16;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number, base);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

// Parses "off", or some of `names`, each with `parse`.
template <typename T>
absl::StatusOr<std::vector<T>> ParseList(std::string_view text, std::optional<T> (*parse)(std::string_view),
                                         std::string_view names) {
  std::vector<T> values;
  if (text == "off") return values;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view name = text.substr(begin, end - begin);
    const std::optional<T> value = parse(name);
    if (!value.has_value()) {
      return absl::InvalidArgumentError(absl::StrFormat("\"%s\": must be off, or some of %s", name, names));
    }
    if (std::ranges::find(values, *value) == values.end()) values.push_back(*value);
    begin = end + 1;
  }
  return values;
}

}  // namespace

absl::StatusOr<uint64_t> ParseSize(std::string_view text) {
  constexpr std::string_view kUnits = "KMGT";
  std::string_view digits = text;
  int shift = 0;
  if (!digits.empty()) {
    const size_t unit = kUnits.find(static_cast<char>(digits.back() & ~0x20));
    if (unit != std::string_view::npos) {
      shift = 10 * static_cast<int>(unit + 1);
      digits.remove_suffix(1);
    }
  }
  uint64_t number = 0;
  if (!ParseNumber(digits, &number)) {
    return absl::InvalidArgumentError("not a size: write a number and K, M, G or T, as in 512M");
  }
  if (number > (std::numeric_limits<uint64_t>::max() >> shift)) {
    return absl::InvalidArgumentError("more bytes than 64 bits can count");
  }
  return number << shift;
}

absl::StatusOr<absl::Duration> ParseDuration(std::string_view text, bool allow_off) {
  if (allow_off && text == "off") return absl::InfiniteDuration();
  absl::Duration duration;
  const std::string off = allow_off ? ", or off" : "";
  if (!absl::ParseDuration(std::string(text), &duration)) {
    return absl::InvalidArgumentError("not a time: write a number and ms, s, m or h, as in 30s" + off);
  }
  if (duration < absl::ZeroDuration()) return absl::InvalidArgumentError("a time before now");
  if (duration == absl::InfiniteDuration() && !allow_off) return absl::InvalidArgumentError("a time without end");
  return duration;
}

absl::StatusOr<BootMode> ParseBootMode(std::string_view text) {
  if (text == "auto") return BootMode::kAuto;
  if (text == "direct") return BootMode::kDirect;
  if (text == "classic") return BootMode::kClassic;
  return absl::InvalidArgumentError("must be auto, direct or classic");
}

absl::StatusOr<Kaslr> ParseKaslr(std::string_view text) {
  if (text == "on") return Kaslr{.mode = Kaslr::Mode::kOn};
  if (text == "off") return Kaslr{.mode = Kaslr::Mode::kOff};
  Kaslr kaslr{.mode = Kaslr::Mode::kSeed};
  if (ParseNumber(text, &kaslr.seed)) return kaslr;
  return absl::InvalidArgumentError("must be on, off, or a number to choose the place by, the same each time");
}

absl::StatusOr<CatchConfig> ParseCatch(std::string_view text) {
  if (text == "auto") return CatchConfig();
  CatchConfig config{.automatic = false};
  ASSIGN_OR_RETURN(config.kinds, ParseList<CatchKind>(text, ParseCatchKind, "panic, oops, bug, warn, kasan, or auto"));
  return config;
}

absl::StatusOr<std::vector<KernelSign>> ParseKernelSigns(std::string_view text) {
  return ParseList<KernelSign>(
      text, ParseKernelSign,
      "panic, oops, bug, kasan, warning, soft-lockup, hard-lockup, rcu-stall, hung-task, lockdep, "
      "memory-leak");
}

absl::StatusOr<HypervisorLeaf> ParseHypervisorLeaf(std::string_view text) {
  if (text.empty() || text == "first") return HypervisorLeaf::kVmwareThenKvm;
  if (text == "only") return HypervisorLeaf::kVmwareOnly;
  return absl::InvalidArgumentError("must be first or only");
}

absl::StatusOr<absl::Duration> ParseSoftPower(std::string_view text) {
  return text.empty() ? absl::Seconds(60) : ParseDuration(text, /*allow_off=*/false);
}

absl::StatusOr<bool> ParseWatchdog(std::string_view text) {
  if (text == "ib700") return true;
  if (text == "off") return false;
  return absl::InvalidArgumentError("must be ib700 or off");
}

absl::StatusOr<bool> ParseOnOff(std::string_view text) {
  if (text == "on") return true;
  if (text == "off") return false;
  return absl::InvalidArgumentError("must be on or off");
}

absl::StatusOr<OnPanic> ParseOnPanic(std::string_view text) {
  if (text == "dump") return OnPanic::kDump;
  if (text == "exit") return OnPanic::kExit;
  if (text == "pause") return OnPanic::kPause;
  return absl::InvalidArgumentError("must be dump, exit or pause");
}

absl::StatusOr<SandboxMode> ParseSandbox(std::string_view text) {
  if (text == "on") return SandboxMode::kOn;
  if (text == "log") return SandboxMode::kLog;
  if (text == "off") return SandboxMode::kOff;
  return absl::InvalidArgumentError("must be on, log or off");
}

absl::StatusOr<CoreMappings> ParseCoreMappings(std::string_view text) {
  if (text == "needed") return CoreMappings::kNeeded;
  if (text == "all") return CoreMappings::kAll;
  return absl::InvalidArgumentError("must be needed or all");
}

}  // namespace vmm
