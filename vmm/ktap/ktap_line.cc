#include "vmm/ktap/ktap_line.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "vmm/ktap/trim.h"

namespace vmm {
namespace {

using Kind = KtapLine::Kind;

// Takes the digits in front of `text`. Nothing if there are none; ~0 if the number is too large.
std::optional<uint64_t> TakeNumber(std::string_view& text) {
  size_t digits = 0;
  while (digits < text.size() && absl::ascii_isdigit(text[digits])) ++digits;
  if (digits == 0) return std::nullopt;
  uint64_t number = 0;
  if (!ReadNumber(text.substr(0, digits), number)) number = ~uint64_t{0};
  text.remove_prefix(digits);
  return number;
}

// The '#' that begins a directive: at the start or after a blank, and not escaped as "\#".
size_t FindHash(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '#' && (i == 0 || text[i - 1] == ' ')) {
      return i;
    }
  }
  return std::string_view::npos;
}

std::string Unescaped(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '#' || text[i + 1] == '\\')) ++i;
    plain += text[i];
  }
  return plain;
}

struct Directive {
  std::optional<Verdict> verdict;  // none: the line's own ok or not ok stands
  bool known = false;
};

Directive DirectiveOf(std::string_view word, bool ok) {
  if (EqualIgnoringCase(word.substr(0, 4), "skip")) return {Verdict::kSkip, true};
  if (word.ends_with(':')) word.remove_suffix(1);
  if (EqualIgnoringCase(word, "todo")) return {Verdict::kTodo, true};
  if (EqualIgnoringCase(word, "xfail")) return {Verdict::kXfail, true};
  if (EqualIgnoringCase(word, "xpass")) return {std::nullopt, true};
  // In small letters after "ok" it is a comment: "ok 3 read # error path".
  if (word == "TIMEOUT" || (!ok && EqualIgnoringCase(word, "timeout"))) return {Verdict::kTimeout, true};
  if (word == "ERROR" || (!ok && EqualIgnoringCase(word, "error"))) return {Verdict::kError, true};
  return {};
}

// `text` begins after "ok" or "not ok". False if it is not a result: there is no number.
bool ParseResult(std::string_view text, bool ok, KtapLine& line) {
  if (!TakeFront(text, " ")) return false;
  text = TrimLeft(text);
  const std::optional<uint64_t> number = TakeNumber(text);
  if (!number.has_value() || (!text.empty() && text.front() != ' ')) return false;
  line.kind = Kind::kResult;
  line.number = *number;
  line.verdict = ok ? Verdict::kOk : Verdict::kNotOk;
  text = TrimLeft(text);
  if (text == "-" || text.starts_with("- ")) text.remove_prefix(1);
  const size_t hash = FindHash(text);
  line.name = Unescaped(Trim(text.substr(0, hash)));
  if (hash == std::string_view::npos) return true;
  std::string_view data = Trim(text.substr(hash + 1));
  const std::string_view word = data.substr(0, data.find(' '));
  const Directive directive = DirectiveOf(word, ok);
  if (directive.known) data = TrimLeft(data.substr(word.size()));
  if (directive.verdict.has_value()) line.verdict = *directive.verdict;
  // kselftest.h writes the directive in front of the name.
  (line.name.empty() ? line.name : line.message) = std::string(data);
  return true;
}

bool ParsePlan(std::string_view text, KtapLine& line) {
  if (!TakeFront(text, "1..")) return false;
  const std::optional<uint64_t> number = TakeNumber(text);
  text = TrimLeft(text);
  if (!number.has_value() || (!text.empty() && text.front() != '#')) return false;
  line.kind = Kind::kPlan;
  line.number = *number;
  line.skips_all = *number == 0;
  TakeFront(text, "#");
  text = Trim(text);
  const std::string_view word = text.substr(0, text.find(' '));
  if (EqualIgnoringCase(word.substr(0, 4), "skip")) text.remove_prefix(word.size());
  line.message = std::string(Trim(text));
  return true;
}

bool IsVersion(std::string_view text) {
  if (!TakeFront(text, "KTAP version ") && !TakeFront(text, "TAP version ")) return false;
  return TakeNumber(text).has_value() && text.empty();
}

// A comment that says which test begins.
bool ParseComment(std::string_view text, KtapLine& line) {
  if (text.size() > 8 && text.starts_with("RUN ") && text.ends_with(" ...")) {
    line.kind = Kind::kRun;
    line.name = std::string(Trim(text.substr(4, text.size() - 8)));
  } else if (text.starts_with("selftests: ")) {
    line.kind = Kind::kRun;
    line.name = std::string(text);
  } else if (TakeFront(text, "Subtest: ")) {
    line.kind = Kind::kSubtest;
    line.name = std::string(Trim(text));
  } else {
    return false;
  }
  return !line.name.empty();
}

}  // namespace

KtapLine ParseKtapLine(std::string_view whole) {
  KtapLine line{.text = whole};
  std::string_view text = whole;
  int hash_column = -1;
  for (;;) {
    if (text.starts_with("# ") || text == "#") {
      hash_column = line.column;
      const size_t taken = std::min<size_t>(2, text.size());
      text.remove_prefix(taken);
      line.column += 2;
      line.text = text;
    } else if (text.starts_with(' ')) {
      text.remove_prefix(1);
      ++line.column;
    } else {
      break;
    }
  }
  if (text.empty()) return line;
  std::string_view rest = text;
  if (TakeFront(rest, "ok")) {
    ParseResult(rest, true, line);
  } else if (TakeFront(rest, "not ok")) {
    ParseResult(rest, false, line);
  } else if (ParsePlan(rest, line)) {
  } else if (TakeFront(rest, "Bail out!")) {
    line.kind = Kind::kBailOut;
    line.message = std::string(Trim(rest));
  } else if (rest == "---") {
    line.kind = Kind::kYamlStart;
  } else if (IsVersion(rest)) {
    line.kind = Kind::kVersion;
  } else if (hash_column >= 0 && ParseComment(rest, line)) {
    line.column = hash_column;
  }
  return line;
}

}  // namespace vmm
