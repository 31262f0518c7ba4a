#include "vmm/ktap/ktap_text.h"

#include <string_view>

#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "vmm/ktap/ktap_line.h"

namespace vmm {
namespace {

// A description ends at the first '#'.
std::string Escaped(const std::string& text) { return absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"#", "\\#"}}); }

bool SaysOk(Verdict verdict) {
  return verdict == Verdict::kOk || verdict == Verdict::kSkip || verdict == Verdict::kXfail ||
         verdict == Verdict::kNotRun;
}

std::string_view DirectiveOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kSkip:
    case Verdict::kNotRun: return "SKIP";
    case Verdict::kTodo: return "TODO";
    case Verdict::kXfail: return "XFAIL";
    case Verdict::kTimeout: return "TIMEOUT";
    case Verdict::kError: return "ERROR";
    default: return "";
  }
}

void AddDiagnostics(const std::string& lines, const std::string& indent, std::string& text) {
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(lines, '\n', absl::SkipEmpty()))) {
    const bool misleading = ParseKtapLine(absl::StrFormat("# %s", line)).kind != KtapLine::Kind::kText;
    text += absl::StrFormat("%s# %s%s\n", indent, misleading ? "| " : "", line);
  }
}

void AddLevel(const std::vector<TestResult>& tests, const std::string& indent, std::string& text) {
  text += absl::StrFormat("%sKTAP version 1\n%s1..%d\n", indent, indent, tests.size());
  for (size_t i = 0; i < tests.size(); ++i) {
    const TestResult& test = tests[i];
    if (!test.subtests.empty()) AddLevel(test.subtests, indent + "  ", text);
    AddDiagnostics(test.diagnostics, indent, text);
    if (test.diagnostics_dropped > 0) {
      text += absl::StrFormat("%s# (%d more bytes)\n", indent, test.diagnostics_dropped);
    }
    text += absl::StrFormat("%s%s %d %s", indent, SaysOk(test.verdict) ? "ok" : "not ok", i + 1, Escaped(test.name));
    const std::string_view directive = DirectiveOf(test.verdict);
    if (!directive.empty() || !test.message.empty()) text += " #";
    if (!directive.empty()) text += absl::StrFormat(" %s", directive);
    // The message of a plain result must not begin like a directive.
    KtapLine reread =
        ParseKtapLine(absl::StrFormat("%s 1 x # %s", SaysOk(test.verdict) ? "ok" : "not ok", test.message));
    const bool misleading = directive.empty() && reread.message != test.message;
    if (!test.message.empty()) text += absl::StrFormat(" %s%s", misleading ? "| " : "", test.message);
    text += '\n';
  }
}

}  // namespace

std::string KtapText(const ResultTree& tree) {
  if (tree.tests.empty() && tree.skip_reason.has_value()) {
    return absl::StrFormat("KTAP version 1\n1..0 # SKIP %s\n", *tree.skip_reason);
  }
  std::string text;
  AddLevel(tree.tests, "", text);
  for (const std::string& error : tree.stream_errors) AddDiagnostics(error, "", text);
  const TestTotals totals = CountTests(tree);
  text += absl::StrFormat("# Totals: pass:%d fail:%d xfail:%d xpass:0 skip:%d error:%d\n", totals.ok,
                          totals.not_ok + totals.crashed, totals.xfail + totals.todo, totals.skip + totals.not_run,
                          totals.error + totals.timeout);
  return text;
}

}  // namespace vmm
