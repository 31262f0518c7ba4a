#include "vmm/ktap/ktap_parser.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "vmm/ktap/trim.h"

namespace vmm {
namespace {

using Kind = KtapLine::Kind;

constexpr std::string_view kAfterTheLast = "(after the last test)";

// True if `line` begins like `prefix`, where digits and blanks may differ: a time of day, a process number.
bool HasPrefixLike(std::string_view line, std::string_view prefix) {
  const auto variable = [](char c) { return c == ' ' || absl::ascii_isdigit(c); };
  return line.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), line.begin(), [&](char a, char b) {
           return a == b || (variable(a) && variable(b));
         });
}

}  // namespace

KtapParser::KtapParser(KtapLimits limits, OnResult on_result)
    : limits_(limits), on_result_(std::move(on_result)), cutter_(limits.line), frames_(1) {}

void KtapParser::Feed(std::string_view bytes, std::optional<absl::Duration> at) {
  cutter_.Feed(bytes, [&](std::string_view line, bool cut) {
    if (!printk_times_) now_ = at;
    OnLine(line, cut);
  });
}

std::string KtapParser::Running() const {
  for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
    if (!frame->running.empty()) return frame->running;
    if (!frame->title.empty()) return frame->title;
  }
  return "";
}

void KtapParser::OnLine(std::string_view raw, bool cut) {
  ++line_number_;
  const std::string clean = CleanLine(raw);
  std::string_view text = WithoutForeignPrefix(clean);
  if (const auto time = TakePrintkPrefix(text); time.has_value()) {
    now_ = time;
    printk_times_ = true;
  }
  KtapLine line = ParseKtapLine(text);
  if (InYaml(line, text)) return;
  if (line.kind == Kind::kYamlStart) {
    if (after_result_ && line.column > frames_.back().column) yaml_column_ = line.column;
    line.kind = Kind::kText;
  }
  if (line.kind != Kind::kText && (cut || line.column > limits_.column)) {
    TellError(cut ? "a line of tests is too long, and is taken for text" : "a line of tests is indented too far");
    line.kind = Kind::kText;
  }
  if (line.kind != Kind::kText) {
    OnStructure(line);
  } else if (yaml_column_ < 0) {
    if (line.text.starts_with("kunit executor:")) TellError(std::string(line.text));
    AddText(line.text);
  }
  after_result_ = line.kind == Kind::kResult;
}

std::string_view KtapParser::WithoutForeignPrefix(std::string_view line) {
  // A version line that somebody logged shows what is in front of every line: "Dec  1 10:00:00 host kernel: ".
  const size_t version = line.rfind("TAP version ");
  if (version != std::string_view::npos && line.size() - version < 16) {
    constexpr size_t kLongest = 128;
    size_t end = version;
    while (end > 0 && (line[end - 1] == 'K' || line[end - 1] == ' ' || line[end - 1] == '#')) --end;
    std::string_view after_time = line;
    const bool ours = line.front() == ' ' || line.front() == '#' || ParseKtapLine(line).kind != Kind::kText;
    if (ours || end < 2 || end > kLongest || TakePrintkPrefix(after_time).has_value()) {
      foreign_prefix_.clear();
    } else if (line[end] == ' ' && (line[end - 1] == ':' || line[end - 1] == ']')) {
      foreign_prefix_ = std::string(line.substr(0, end + 1));  // with the blank after it
    }
  }
  if (!foreign_prefix_.empty() && HasPrefixLike(line, foreign_prefix_)) line.remove_prefix(foreign_prefix_.size());
  return line;
}

// Lines of a YAML block belong to the result before it.
bool KtapParser::InYaml(const KtapLine& line, std::string_view text) {
  if (yaml_column_ < 0) return false;
  const std::string_view word = TrimLeft(line.text);
  if (line.column < yaml_column_ && !text.empty()) {
    yaml_column_ = -1;  // never ended: the guest may have died in it
    return false;
  }
  if (word == "...") {
    yaml_column_ = -1;
    return true;
  }
  Frame& frame = frames_.back();
  if (frame.results.empty()) return true;
  TestResult& test = frame.results.back();
  std::string_view value = word;
  double milliseconds = 0;
  if (TakeFront(value, "duration_ms:") && ReadNumber(Trim(value), milliseconds) && milliseconds >= 0 &&
      milliseconds < 1e12) {
    test.duration = absl::Milliseconds(milliseconds);
  }
  AddTo(test.diagnostics, test.diagnostics_dropped, word);
  return true;
}

void KtapParser::OnStructure(KtapLine& line) {
  line.name = Short(std::move(line.name));
  line.message = Short(std::move(line.message));
  // KUnit names a suite inside it, right after its version line; TAP 14 names it before it, one level further out.
  if (line.kind == Kind::kSubtest) {
    Frame* const frame = Select(line.column);
    if (frame == nullptr) return AddText(line.text);
    const bool inside = frames_.size() > 1 && frame->seen == 0 && frame->title.empty() && frame->running.empty();
    (inside ? frame->title : frame->running) = line.name;
    frame->since = now_;
    return;
  }
  Frame* const frame = Select(line.column);
  if (frame == nullptr) {
    TellTooDeep();
    return AddText(line.text);
  }
  switch (line.kind) {
    case Kind::kVersion: OnVersion(*frame); break;
    case Kind::kPlan: OnPlan(*frame, line); break;
    case Kind::kResult: OnResultLine(*frame, line); break;
    case Kind::kBailOut: OnBailOut(*frame, line); break;
    default:  // kRun
      frame->running = line.name;
      frame->since = now_;
  }
}

void KtapParser::OnVersion(Frame& frame) {
  if (frame.begun) Settle(frame, {.message = "the next stream of results began"});
  StartSegment(frame);
  frame.begun = true;
  frame.since = now_;
}

void KtapParser::OnPlan(Frame& frame, const KtapLine& line) {
  if (frame.plan.has_value()) {
    if (frame.seen < *frame.plan) {
      return TellError(absl::StrFormat("a second plan, 1..%d, after 1..%d", line.number, *frame.plan));
    }
    Settle(frame, {.message = "the next stream of results began"});
    StartSegment(frame);
  }
  frame.begun = true;
  frame.plan = line.number;
  if (frame.seen > line.number) {
    TellError(absl::StrFormat("the plan is 1..%d, after %d results", line.number, frame.seen));
  }
  if (line.skips_all && frames_.size() == 1) tree_.skip_reason = line.message;
}

void KtapParser::OnResultLine(Frame& frame, KtapLine& line) {
  tree_.saw_results = true;
  // Another program's results without a version line.
  if (line.number == 1 && frame.seen > 0 && frame.plan == frame.seen) StartSegment(frame);
  ++frame.seen;
  frame.begun = true;
  if (line.number != frame.seen) {
    TellError(line.number == ~uint64_t{0} ? absl::StrFormat("test %d has a number that is too large", frame.seen)
                                          : absl::StrFormat("test %d calls itself %d", frame.seen, line.number));
  }
  if (frame.plan.has_value() && frame.seen == *frame.plan + 1) {
    TellError(absl::StrFormat("more results than the plan 1..%d", *frame.plan));
  }
  TestResult result{.name = std::move(line.name),
                    .verdict = line.verdict,
                    .message = std::move(line.message),
                    .diagnostics = std::move(frame.diagnostics),
                    .diagnostics_dropped = frame.diagnostics_dropped,
                    .subtests = std::move(frame.subtests)};
  if (result.name.empty()) result.name = !frame.running.empty() ? frame.running : frame.subtests_title;
  if (result.name.empty()) result.name = kUnnamedTest;
  if (result.verdict == Verdict::kOk && AnyFailed(result.subtests)) {
    TellError(absl::StrFormat("\"%s\" is ok, but subtests of it failed", result.name));
  }
  if (now_.has_value() && frame.since.has_value() && *now_ >= *frame.since) result.duration = *now_ - *frame.since;
  frame.diagnostics.clear();
  frame.diagnostics_dropped = 0;
  frame.subtests.clear();
  frame.subtests_title.clear();
  frame.running.clear();
  frame.since = now_;
  if (on_result_) on_result_(result, frames_.size() - 1);
  Keep(frame, std::move(result));
}

void KtapParser::OnBailOut(Frame& frame, const KtapLine& line) {
  const Ending ending{.message = Short("Bail out! " + line.message), .sudden = true};
  if (!Settle(frame, ending)) {
    frame.running = kAfterTheLast;
    Settle(frame, ending);
  }
  StartSegment(frame);
}

void KtapParser::AddText(std::string_view text) {
  if (text.empty()) return;
  Frame& frame = frames_.back();
  AddTo(frame.diagnostics, frame.diagnostics_dropped, text);
}

void KtapParser::AddTo(std::string& diagnostics, uint64_t& dropped, std::string_view line) {
  const size_t bytes = line.size() + 1;
  if (dropped > 0 || diagnostics.size() + bytes > limits_.diagnostics ||
      diagnostics_bytes_ + bytes > limits_.all_diagnostics) {
    dropped += bytes;
    return;
  }
  diagnostics_bytes_ += bytes;
  diagnostics.append(line);
  diagnostics += '\n';
}

void KtapParser::TellError(std::string text) {
  if (tree_.stream_errors_seen++ >= limits_.stream_errors) return;
  tree_.stream_errors.push_back(Short(absl::StrFormat("line %d: %s", line_number_, text)));
}

void KtapParser::TellTooDeep() { TellError(absl::StrFormat("tests are nested deeper than %d levels", limits_.depth)); }

std::string KtapParser::Short(std::string text) const {
  if (text.size() > limits_.name) text.resize(limits_.name);
  return text;
}

ResultTree KtapParser::Close(const std::optional<GuestDeath>& death) {
  const std::string rest = cutter_.TakeRest();
  Ending ending{.message = "the stream ended"};
  if (death.has_value()) {
    if (!rest.empty()) AddText(CleanLine(rest));
    ending = {.verdict = death->timeout ? Verdict::kTimeout : Verdict::kCrashed,
              .message = Short(CleanLine(absl::StrFormat("%s: %s", death->kind, death->message))),
              .details = death->details,
              .sudden = true};
  } else if (!rest.empty()) {
    OnLine(rest, /*cut=*/rest.size() >= limits_.line);
  }
  bool marked = false;
  while (frames_.size() > 1) {
    if (EndInnermost(ending)) {
      marked = true;
      ending.details.clear();  // once, at the innermost test
    }
    // The parent has no result line yet, so it was running too.
    Frame& parent = frames_.back();
    if (death.has_value() && parent.running.empty() && parent.subtests_title.empty()) parent.running = kUnnamedTest;
  }
  Frame& outermost = frames_.front();
  marked = Settle(outermost, ending) || marked;
  if (death.has_value() && !marked) {
    outermost.running = kAfterTheLast;
    Settle(outermost, ending);
  }
  tree_.tests = std::move(outermost.results);
  MakeNamesUnique(tree_.tests);
  return std::move(tree_);
}

}  // namespace vmm
