#include "vmm/ktap/test_stream.h"

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/log.h"

namespace vmm {
namespace {

void Tell(const TestResult& result, size_t depth) {
  if (depth > 1) return;
  LogInfo(absl::StrFormat("%s%s: %s", depth == 0 ? "" : "  ", result.name, VerdictName(result.verdict)));
}

}  // namespace

TestStream::TestStream(bool tell) : start_(absl::Now()), parser_({}, tell ? Tell : KtapParser::OnResult()) {}

void TestStream::Take(std::span<const uint8_t> bytes) {
  const std::lock_guard lock(mutex_);
  parser_.Feed({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, absl::Now() - start_);
}

ResultTree TestStream::Close(const std::optional<GuestDeath>& death) {
  const std::lock_guard lock(mutex_);
  return parser_.Close(death);
}

}  // namespace vmm
