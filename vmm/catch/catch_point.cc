#include "vmm/catch/catch_point.h"

#include <algorithm>

namespace vmm {
namespace {

// panic() calls these after it has printed its message and before it does anything else. reboot() calls them, too,
// without a panic.
constexpr std::string_view kPanicFunctions[] = {kStopOtherCpus, kCrashStopOtherCpus, kCrashShutdown};
constexpr std::string_view kOopsFunctions[] = {"oops_exit"};
constexpr std::string_view kWarnFunctions[] = {"__warn"};
constexpr std::string_view kKasanFunctions[] = {"kasan_report"};

constexpr uint8_t kEndbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
constexpr uint8_t kNop5[] = {0x0f, 0x1f, 0x44, 0x00, 0x00};
constexpr uint8_t kCall = 0xe8;

bool StartsWith(std::span<const uint8_t> code, std::span<const uint8_t> bytes) {
  return code.size() >= bytes.size() && std::ranges::equal(code.first(bytes.size()), bytes);
}

}  // namespace

std::string_view CatchKindName(CatchKind kind) {
  switch (kind) {
    case CatchKind::kPanic: return "panic";
    case CatchKind::kOops: return "oops";
    case CatchKind::kWarn: return "warn";
    case CatchKind::kKasan: return "kasan";
  }
  return "unknown";
}

std::optional<CatchKind> ParseCatchKind(std::string_view name) {
  if (name == "panic") return CatchKind::kPanic;
  if (name == "oops" || name == "bug") return CatchKind::kOops;
  if (name == "warn") return CatchKind::kWarn;
  if (name == "kasan") return CatchKind::kKasan;
  return std::nullopt;
}

std::span<const std::string_view> CatchFunctions(CatchKind kind) {
  switch (kind) {
    case CatchKind::kPanic: return kPanicFunctions;
    case CatchKind::kOops: return kOopsFunctions;
    case CatchKind::kWarn: return kWarnFunctions;
    case CatchKind::kKasan: return kKasanFunctions;
  }
  return {};
}

std::string_view LastCatchFunction(CatchKind kind) {
  return kind == CatchKind::kPanic ? "console_flush_on_panic" : std::string_view();
}

bool EveryEndEnters(std::string_view function) { return function != kCrashStopOtherCpus && function != kCrashShutdown; }

size_t UntouchableBytes(std::span<const uint8_t> code) {
  const size_t start = StartsWith(code, kEndbr64) ? sizeof(kEndbr64) : 0;
  const std::span<const uint8_t> rest = code.subspan(start);
  const bool traced = StartsWith(rest, kNop5) || (!rest.empty() && rest[0] == kCall);
  return start + (traced ? sizeof(kNop5) : 0);
}

}  // namespace vmm
