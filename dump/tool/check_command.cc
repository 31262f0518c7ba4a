#include "dump/tool/check_command.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/json_text.h"
#include "dump/check/check_vmcore.h"
#include "dump/tool/open_core.h"
#include "dump/tool/printable.h"

namespace vmm {
namespace {

using Json = nlohmann::ordered_json;

// The word before a finding: its worst harm, or "odd" if no reader minds.
std::string Weight(const Finding& finding) {
  return finding.harm().has_value() ? std::string(NameOf(*finding.harm())) : "odd";
}

std::string FormatName(const CheckResult& result) { return result.opened ? NameOf(result.format) : "not readable"; }

void PrintText(const std::string& path, const CheckResult& result, std::ostream& out) {
  out << absl::StrFormat(
      "%s: %s, %s\n", Printable(path), FormatName(result),
      result.findings.empty() ? "nothing is wrong with it" : absl::StrFormat("%d findings", result.findings.size()));
  for (const Finding& finding : result.findings) {
    out << absl::StrFormat("\n%-8s %s  [%s]\n", Weight(finding), Printable(finding.what), finding.rule);
    for (const Breakage& breakage : finding.breaks) {
      out << absl::StrFormat("           %s (%s): %s\n", NameOf(breakage.reader), NameOf(breakage.harm), breakage.how);
    }
  }
  out << "\nRead as it should be by\n";
  for (const Reader reader : kAllReaders) {
    const std::optional<std::string> why_not = WhyNot(reader, result.format, result.findings);
    out << absl::StrFormat("  %-13s %s\n", NameOf(reader), why_not.has_value() ? "no: " + Printable(*why_not) : "yes");
  }
}

std::string ToJson(const std::string& path, const CheckResult& result, const std::vector<std::string>& cut_short) {
  Json json;
  json["path"] = Printable(path);
  json["format"] = FormatName(result);
  if (!cut_short.empty()) json["cut_short"] = cut_short;
  for (const Reader reader : kAllReaders) {
    const std::optional<std::string> why_not = WhyNot(reader, result.format, result.findings);
    Json& entry = json["readable_by"][std::string(NameOf(reader))];
    entry["readable"] = !why_not.has_value();
    if (why_not.has_value()) entry["why_not"] = Printable(*why_not);
  }
  json["findings"] = Json::array();
  for (const Finding& finding : result.findings) {
    Json breaks = Json::array();
    for (const Breakage& breakage : finding.breaks) {
      breaks.push_back({{"reader", NameOf(breakage.reader)}, {"harm", NameOf(breakage.harm)}, {"how", breakage.how}});
    }
    json["findings"].push_back(
        {{"rule", finding.rule}, {"what", Printable(finding.what)}, {"weight", Weight(finding)}, {"breaks", breaks}});
  }
  return JsonText(std::move(json), /*indent=*/2, JsonCharset::kAscii);
}

int RunCheck(const Invocation& call) {
  const std::string& path = call.operands()[0];
  const auto core = OpenCore(call, path);
  if (!core.ok()) call.Fail(core.status());
  if (!core.ok() && !IsCutShort(core.status())) return kExitBadFile;
  const CheckResult result = core.ok() ? CheckVmcore(**core) : CheckUnreadable(core.status());
  if (call.json()) {
    call.out() << ToJson(path, result, call.cut_short()) << "\n";
  } else {
    PrintText(path, result, call.out());
  }
  const bool breaks_any = std::any_of(result.findings.begin(), result.findings.end(),
                                      [](const Finding& finding) { return finding.harm().has_value(); });
  return breaks_any ? kExitBadFile : kExitFine;
}

}  // namespace

Command CheckCommand() {
  Command command;
  command.name = "check";
  command.operands = "FILE";
  command.summary = "which readers the dump breaks, and how: crash, drgn, gdb, makedumpfile, libkdumpfile";
  command.details =
      "Each finding says what stands in the file and which reader minds it:\n"
      "  refused  it does not open the file\n"
      "  wrong    it opens it, and shows something wrong\n"
      "  less     it opens it, and shows less than it could\n"
      "  odd      a deviation that no reader is known to mind\n"
      "The exit code is 1 where a reader is broken, and 0 where there is nothing or only what is odd.\n";
  command.run = RunCheck;
  return command;
}

}  // namespace vmm
