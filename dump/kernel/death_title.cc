#include "dump/kernel/death_title.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_format.h"
#include "dump/console/console_reader.h"

namespace vmm {
namespace {

constexpr uint32_t kIsCpu = uint32_t{1} << 31;  // in LogRecord::caller

std::string Caller(const LogRecord& record) {
  if (!record.caller.has_value()) return "";
  const uint32_t number = *record.caller & ~kIsCpu;
  return absl::StrFormat("%c%d", (*record.caller & kIsCpu) != 0 ? 'C' : 'T', number);
}

// `caller` before the text as a console shows it. The stamp marks the line as the kernel's.
std::string Line(std::string_view caller, std::string_view text) {
  return absl::StrFormat("[    0.000000]%s %s", caller.empty() ? "" : absl::StrFormat("[%5s]", caller), text);
}

void AddRecords(std::span<const LogRecord> log, ConsoleReader& reader) {
  for (const LogRecord& record : log) {
    if (record.facility != 0) continue;  // a program wrote it to /dev/kmsg
    const std::string caller = Caller(record);
    for (std::string_view rest = record.text;;) {
      const size_t end = rest.find('\n');
      reader.AddLine(Line(caller, rest.substr(0, end)));
      if (end == std::string_view::npos) break;
      rest.remove_prefix(end + 1);
    }
  }
}

// The frames after panic(), or from the fault on if one led to it.
std::span<const DeathFrame> AfterPanic(std::span<const DeathFrame> stack) {
  const auto panic = std::find_if(stack.begin(), stack.end(),
                                  [](const DeathFrame& f) { return f.function == "panic" || f.function == "vpanic"; });
  auto first = panic == stack.end() ? stack.begin() : panic + 1;
  const auto fault = std::find_if(first, stack.end(), [](const DeathFrame& f) { return f.interrupted; });
  if (fault != stack.end()) first = fault;
  return {first, stack.end()};
}

void AddStack(std::string_view caller, std::span<const DeathFrame> stack, ConsoleReader& reader) {
  reader.AddLine(Line(caller, "Call Trace:"));
  for (const DeathFrame& frame : AfterPanic(stack)) {
    const std::string module = frame.module.empty() ? "" : absl::StrFormat(" [%s]", frame.module);
    const uint64_t size = std::max<uint64_t>(frame.size, frame.offset + 1);  // a module's symbols have none
    reader.AddLine(Line(caller, absl::StrFormat("%s%s+%#x/%#x%s", frame.interrupted ? "RIP: 0010:" : " ",
                                                frame.function, frame.offset, size, module)));
  }
}

std::optional<size_t> Choose(const std::vector<ConsoleReport>& reports) {
  if (reports.empty()) return std::nullopt;
  for (size_t i = reports.size(); i > 0; --i) {
    if (!reports[i - 1].panic.empty()) return i - 1;
  }
  const auto bad = std::find_if(reports.begin(), reports.end(), [](const ConsoleReport& report) {
    return report.kind != TroubleKind::kWarning && report.kind != TroubleKind::kLockdep;
  });
  return bad == reports.end() ? 0 : static_cast<size_t>(bad - reports.begin());
}

}  // namespace

std::optional<ConsoleReport> FindDeathTitle(std::span<const LogRecord> log, std::span<const DeathFrame> stack) {
  std::optional<ConsoleReport> found;
  for (const bool with_stack : {false, true}) {
    ConsoleReader reader;
    AddRecords(log, reader);
    // The stack belongs to the report of its caller, or to the last one if the kernel does not tell who prints.
    if (with_stack) AddStack(found->caller, stack, reader);
    std::vector<ConsoleReport> reports = reader.Finish().reports;
    const std::optional<size_t> chosen = Choose(reports);
    if (!chosen.has_value()) return found;
    found = std::move(reports[*chosen]);
    if (!found->function.empty() || !found->frames.empty() || stack.empty()) break;
  }
  return found;
}

}  // namespace vmm
