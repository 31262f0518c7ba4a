#include "dump/console/console_reader.h"

#include <algorithm>
#include <utility>

#include "dump/console/line_format.h"
#include "dump/console/report_words.h"

namespace vmm {
namespace {

constexpr size_t kMaxStreams = 1024;
constexpr size_t kMaxRawLine = 4 * kMaxLogLine;  // terminal sequences are removed later

constexpr uint64_t kOpeningLines = 12;        // from a "cut here" line to the headline
constexpr uint64_t kUnrelatedLines = 100;     // a report without a line of its own for so long has ended
constexpr uint64_t kConsequenceLines = 5000;  // from a report to the panic that follows from it

bool Contains(std::string_view text, std::string_view words) { return text.find(words) != std::string_view::npos; }

// A tool that knows the source repeats the headline for each function that the compiler inlined. The last one counts.
bool RepeatsInlined(const ReportDraft& draft, const FoundHeadline& found) {
  return IsSanitizer(found.headline->kind) && draft.report.kind == found.headline->kind && draft.frame_count == 0 &&
         draft.report.headline.ends_with("[inline]");
}

void TakeHeadline(ReportDraft& draft, std::string_view text, const FoundHeadline& found) {
  draft.headline = found.headline;
  draft.report.kind = found.headline->kind;
  draft.report.headline = text;
  draft.parts.assign(found.parts.begin(), found.parts.end());
  if (found.headline->function >= 0) draft.function = draft.parts[static_cast<size_t>(found.headline->function)];
}

}  // namespace

void ConsoleReader::Add(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t end = std::min(bytes.find('\n'), bytes.size());
    const size_t room = kMaxRawLine - std::min(partial_.size(), kMaxRawLine);
    partial_.append(bytes.substr(0, std::min(end, room)));
    if (end == bytes.size()) return;
    AddLine(partial_);
    partial_.clear();
    bytes.remove_prefix(end + 1);
  }
}

ConsoleFindings ConsoleReader::Finish() {
  if (!partial_.empty()) AddLine(partial_);
  partial_.clear();
  ConsoleFindings findings;
  for (ReportDraft& draft : drafts_) findings.reports.push_back(FinishDraft(std::move(draft)));
  drafts_.clear();
  std::stable_sort(findings.reports.begin(), findings.reports.end(),
                   [](const ConsoleReport& a, const ConsoleReport& b) { return a.first_line < b.first_line; });
  findings.lines = number_;
  findings.left_out = left_out_;
  return findings;
}

ConsoleReader::Stream& ConsoleReader::StreamOf(std::string_view caller) {
  const auto found = streams_.find(caller);
  if (found != streams_.end()) return found->second;
  if (streams_.size() >= kMaxStreams) caller = "";
  return streams_[std::string(caller)];
}

ReportDraft* ConsoleReader::DraftOf(const Stream& stream) {
  return stream.draft == kNone ? nullptr : &drafts_[stream.draft];
}

void ConsoleReader::AddLine(std::string_view raw) {
  ++number_;
  const std::string clean = CleanLogLine(raw.substr(0, kMaxRawLine));
  const LogLine line = ReadLogLine(clean);
  if (line.foreign) return;
  std::string_view text = line.text;
  while (text.ends_with(' ')) text.remove_suffix(1);
  Stream& stream = StreamOf(line.caller);
  ++stream.lines;
  std::string_view trimmed = text;
  while (trimmed.starts_with(' ') || trimmed.starts_with('\t')) trimmed.remove_prefix(1);
  if (ReadRule(stream, trimmed)) return;
  ReadHint(stream, trimmed);
  const bool indented = text.size() - trimmed.size() > 1;
  if (line.marked || !indented) {
    if (const auto found = FindHeadline(trimmed, line.marked); found.has_value()) {
      Start(stream, line, trimmed, *found);
      return;
    }
  }
  JoinStall(stream, trimmed);
  ReadBody(stream, trimmed);
}

// The rows and "cut here" lines around reports.
bool ConsoleReader::ReadRule(Stream& stream, std::string_view text) {
  const bool row = IsRow(text, '=');
  if (!row && !text.starts_with("------------[ cut here ]")) return false;
  ReportDraft* const draft = DraftOf(stream);
  if (row && draft != nullptr && IsSanitizer(draft->report.kind) && draft->frame_count > 0) {
    draft->report.last_line = number_;
    stream.draft = kNone;
    return true;
  }
  stream.opening = number_;
  stream.opening_lines = stream.lines;
  return true;
}

void ConsoleReader::ReadHint(Stream& stream, std::string_view text) {
  const Hint hint = HintOfLine(text);
  if (hint == Hint::kNone) return;
  stream.hint = hint;
  stream.hint_lines = stream.lines;
  // Linux up to 4.x prints a WARN()'s words after its first line.
  ReportDraft* const draft = DraftOf(stream);
  if (draft != nullptr && draft->frame_count == 0) draft->hint = hint;
}

void ConsoleReader::Start(Stream& stream, const LogLine& line, std::string_view text, const FoundHeadline& found) {
  stream.unrelated = 0;
  if (const size_t absorber = Absorber(stream, found, text); absorber != kNone) {
    ReportDraft& draft = drafts_[absorber];
    draft.report.last_line = std::max(draft.report.last_line, number_);
    draft.faulted = draft.faulted || Contains(text, "[#");
    if (RepeatsInlined(draft, found)) TakeHeadline(draft, text, found);
    if (text.starts_with(kPanicLine)) {
      if (draft.report.panic.empty()) draft.report.panic = PanicWords(text);
      if (draft.frame_count > 0) BeginSection(draft, /*aside=*/false);
    }
    stream.draft = absorber;
    return;
  }
  if (drafts_.size() >= kMaxReports) {
    ++left_out_;
    stream.draft = kNone;
    return;
  }
  ReportDraft draft;
  TakeHeadline(draft, text, found);
  draft.report.caller = line.caller;
  const bool opened = stream.opening != 0 && stream.lines - stream.opening_lines <= kOpeningLines;
  draft.report.first_line = opened ? stream.opening : number_;
  draft.report.last_line = number_;
  if (text.starts_with(kPanicLine)) draft.report.panic = PanicWords(text);
  draft.faulted = Contains(text, "[#");
  const bool hinted = stream.hint != Hint::kNone && stream.lines - stream.hint_lines <= kOpeningLines;
  if (hinted) draft.hint = stream.hint;
  stream.hint = Hint::kNone;
  stream.opening = 0;
  stream.lock_lines = 0;
  stream.draft = drafts_.size();
  drafts_.push_back(std::move(draft));
}

// The report to which this headline belongs, because it tells of the same event again; kNone: it starts a report.
size_t ConsoleReader::Absorber(const Stream& stream, const FoundHeadline& found, std::string_view text) {
  const TroubleKind kind = found.headline->kind;
  const ReportDraft* const current = DraftOf(stream);
  if (text.starts_with(kPanicLine)) {
    if (current != nullptr && (IsFatal(current->report.kind) || current->report.kind == TroubleKind::kPanic)) {
      return stream.draft;
    }
    if (drafts_.empty() || number_ - drafts_.back().report.last_line > kConsequenceLines) return kNone;
    const std::string_view words = PanicWords(text);
    if (current != nullptr && FollowsFrom(words, current->report.kind)) return stream.draft;
    if (FollowsFrom(words, drafts_.back().report.kind)) return drafts_.size() - 1;
    return kNone;
  }
  if (current == nullptr) return kNone;
  const TroubleKind before = current->report.kind;
  const bool bare = current->frame_count == 0;
  const bool same = current->headline->title == found.headline->title;
  if (RepeatsInlined(*current, found)) return stream.draft;
  switch (kind) {
    case TroubleKind::kOops: {
      const bool exception = Contains(text, "[#");
      if ((before == TroubleKind::kOops || before == TroubleKind::kUbsan) && exception && !current->faulted) {
        return stream.draft;
      }
      // The same fault in other words: "Missing ENDBR", and the BUG() that follows.
      const bool other_words = found.headline != current->headline;
      return before == TroubleKind::kOops && bare && !current->faulted && other_words ? stream.draft : kNone;
    }
    case TroubleKind::kRcuStall: return before == kind && (bare || Contains(text, "kthread")) ? stream.draft : kNone;
    case TroubleKind::kMemoryLeak: return same && bare && current->headline != found.headline ? stream.draft : kNone;
    case TroubleKind::kWorkqueueLockup:
    case TroubleKind::kHardLockup: return before == kind ? stream.draft : kNone;
    case TroubleKind::kBug: {
      const bool repeats = text.starts_with("BUG: Bad rss") || text.starts_with("unregister_netdevice");
      return same && repeats ? stream.draft : kNone;
    }
    // What the unwinder says of a stack that is being printed.
    case TroubleKind::kWarning:
      if (bare && current->headline->format.starts_with("BUG: Dentry")) return stream.draft;
      return found.headline->title.starts_with("WARNING: ") ? stream.draft : kNone;
    default: return kNone;
  }
}

// The CPUs that a stall's report asks for their stacks answer by themselves.
void ConsoleReader::JoinStall(Stream& stream, std::string_view text) {
  if (stream.draft != kNone || drafts_.empty() || !text.starts_with("NMI backtrace for cpu")) return;
  const ConsoleReport& last = drafts_.back().report;
  if (IsStall(last.kind) && number_ - last.last_line <= kConsequenceLines) stream.draft = drafts_.size() - 1;
}

void ConsoleReader::ReadBody(Stream& stream, std::string_view text) {
  ReportDraft* const draft = DraftOf(stream);
  if (draft == nullptr) return;
  if (ReadHeading(stream, *draft, text) || ReadFact(stream, *draft, text) || IsReportLine(text)) {
    stream.unrelated = 0;
    draft->report.last_line = std::max(draft->report.last_line, number_);
  } else if (++stream.unrelated > kUnrelatedLines) {
    stream.draft = kNone;
  }
  if (text.starts_with("---[ end Kernel panic")) stream.draft = kNone;
}

// Lines after which a stack, or another stack, begins.
bool ConsoleReader::ReadHeading(Stream& stream, ReportDraft& draft, std::string_view text) {
  SkipPrefix(text, "rcu: ");
  SkipPrefix(text, "workqueue: ");
  const bool lockdep = draft.report.kind == TroubleKind::kLockdep;
  if (OpensOtherStack(text)) {
    // After a hung task, the kernel shows the stacks of all CPUs.
    BeginSection(draft, /*aside=*/true);
    return true;
  }
  if (text.starts_with("Showing all locks held")) {
    stream.draft = kNone;
    return true;
  }
  if (OpensOwnStack(text)) {
    if (draft.report.kind == TroubleKind::kHungTask && text.starts_with("NMI")) {
      BeginSection(draft, /*aside=*/true);
      return true;
    }
    draft.own_stack = true;
    BeginSection(draft, /*aside=*/false);
    return true;
  }
  if (text.starts_with("CPU: ") || text.starts_with("---[ end trace")) {
    const bool kept = !draft.sections.empty() && draft.sections.back().frames.empty() && lockdep && draft.own_stack;
    // The registers of a fault may stand before its "CPU: " line.
    const bool of_fault = !draft.sections.empty() && !draft.sections.back().aside && !draft.sections.back().traced &&
                          text.starts_with("CPU: ");
    if (lockdep && text.starts_with("CPU: ")) draft.own_stack = true;
    if (!kept && !of_fault && !(draft.report.kind == TroubleKind::kHungTask && draft.frame_count > 0)) {
      BeginSection(draft, /*aside=*/false);
    }
    return true;
  }
  if (text.starts_with("Call Trace:") || text.starts_with("Call trace:") || text.starts_with("Backtrace:")) {
    const bool aside = lockdep && !draft.own_stack;
    if (draft.sections.empty() || (draft.sections.back().traced && !draft.sections.back().frames.empty())) {
      BeginSection(draft, aside);
    }
    draft.sections.back().traced = true;
    return true;
  }
  return false;
}

// Frames and single facts of a report.
bool ConsoleReader::ReadFact(Stream& stream, ReportDraft& draft, std::string_view text) {
  const TroubleKind kind = draft.report.kind;
  if (kind == TroubleKind::kLockdep && stream.lock_lines > 0 && draft.function.empty()) {
    --stream.lock_lines;
    const size_t at = text.rfind("at: ");
    std::string_view place = at == std::string_view::npos ? text : text.substr(at + 4);
    const std::string_view function = TakeFunction(place, /*offset=*/at == std::string_view::npos);
    if (!function.empty()) {
      draft.function = function;
      return true;
    }
  }
  bool again = false;
  if (std::optional<ConsoleFrame> frame = ReadRegisterLine(text, &again); frame.has_value()) {
    if (!again || draft.frame_count == 0) AddFrame(draft, *std::move(frame));
    return true;
  }
  if (std::optional<ConsoleFrame> frame = ReadStackLine(text); frame.has_value()) {
    AddFrame(draft, *std::move(frame));
    return true;
  }
  if (kind == TroubleKind::kKasan && draft.access.empty()) {
    if (text.starts_with("Read of size")) draft.access = " Read";
    if (text.starts_with("Write of size")) draft.access = " Write";
  }
  if (kind == TroubleKind::kLockdep) {
    for (const std::string_view words :
         {"trying to acquire lock", "trying to acquire:", "takes:", "changed the state of lock",
          "trying to release lock", "trying to contend", "is leaving the kernel with locks"}) {
      if (Contains(text, words)) stream.lock_lines = 3;
    }
  }
  for (const std::string_view words : {"last function: ", "caller is "}) {
    std::string_view rest = text;
    if (kind != TroubleKind::kBug || !SkipPrefix(rest, words)) continue;
    if (const std::string_view function = TakeFunction(rest, /*offset=*/false); !function.empty()) {
      draft.function = function;
      return true;
    }
  }
  return false;
}

}  // namespace vmm
