#include "dump/console/report_draft.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "dump/console/blame.h"
#include "dump/console/function_name.h"
#include "dump/console/helper_functions.h"

namespace vmm {
namespace {

constexpr size_t kMaxSections = 32;
constexpr size_t kMaxTitlePart = 120;
constexpr size_t kSignatureFrames = 3;

// Checkers whose own name or file tells what a WARN() in them means.
struct Checker {
  std::string_view function;  // as in IsHelperFunction()'s table
  Hint hint;
};
constexpr Checker kCheckers[] = {
    {"refcount_", Hint::kRefcount},     {"debug_print_object", Hint::kObject},
    {"__list_add_valid", Hint::kList},  {"__list_del_entry_valid", Hint::kList},
    {"__list_del_entry", Hint::kList},  {"__list_add", Hint::kList},
    {"list_del", Hint::kList},          {"usercopy_abort", Hint::kUsercopy},
    {"usercopy_warn", Hint::kUsercopy},
};

Hint HintOf(const ReportDraft& draft) {
  if (draft.hint != Hint::kNone) return draft.hint;
  std::string function = PlainFunctionName(draft.function);
  if (function.empty() && !draft.sections.empty() && !draft.sections[0].frames.empty()) {
    function = PlainFunctionName(draft.sections[0].frames[0].function);
  }
  for (const Checker& checker : kCheckers) {
    if (function.starts_with(checker.function)) return checker.hint;
  }
  return Hint::kNone;
}

std::string_view TitleFormat(const ReportDraft& draft) {
  const std::string_view title = draft.headline->title;
  const bool bug = title == "kernel BUG{in}";
  const bool warning = title == "WARNING{in}";
  if (!bug && !warning) return title;
  switch (HintOf(draft)) {
    case Hint::kList: return "BUG: corrupted list{in}";
    case Hint::kUsercopy: return "BUG: bad usercopy{in}";
    case Hint::kRefcount: return "WARNING: refcount bug{in}";
    case Hint::kObject: return "WARNING: ODEBUG bug{in}";
    case Hint::kNone: break;
  }
  if (warning && draft.report.headline.find("kernel/locking/lockdep.c") != std::string::npos) {
    return "WARNING: locking bug{in}";
  }
  return title;
}

// KASAN of Linux 4.0 to 4.9 writes the kinds of faults with blanks.
std::string PlainPart(const ReportDraft& draft, size_t number) {
  if (number >= draft.parts.size()) return "";
  std::string part = draft.parts[number];
  if (draft.report.kind == TroubleKind::kKasan) {
    if (part == "use after free") return "use-after-free";
    if (part.starts_with("out of bounds")) return "out-of-bounds";
  }
  if (draft.report.kind == TroubleKind::kKcsan && number > 0) return PlainFunctionName(part);
  part = WithoutAddresses(part);
  if (part.size() > kMaxTitlePart) part.resize(kMaxTitlePart);
  while (part.ends_with(' ') || part.ends_with('.')) part.pop_back();
  return part;
}

std::string MakeTitle(const ReportDraft& draft) {
  std::string title(TitleFormat(draft));
  std::vector<std::pair<std::string, std::string>> values;
  for (size_t i = 0; i < draft.parts.size(); ++i) values.emplace_back(absl::StrFormat("{%d}", i), PlainPart(draft, i));
  values.emplace_back("{access}", draft.access);
  values.emplace_back("{in}", draft.report.function.empty() ? "" : " in " + draft.report.function);
  return absl::StrReplaceAll(title, values);
}

bool IsIdle(const std::vector<ConsoleFrame>& frames) {
  return std::any_of(frames.begin(), frames.end(), [](const ConsoleFrame& frame) {
    return !frame.guess && (frame.function == "do_idle" || frame.function == "cpu_idle_loop");
  });
}

// The section and the frame to blame.
std::optional<std::pair<size_t, size_t>> Blame(const ReportDraft& draft) {
  std::optional<std::pair<size_t, size_t>> idle;
  for (size_t i = 0; i < draft.sections.size(); ++i) {
    const StackSection& section = draft.sections[i];
    if (section.aside) continue;
    const std::optional<size_t> frame = BlamedFrame(draft.report.kind, section.frames);
    if (!frame.has_value()) continue;
    const bool stalled = draft.report.kind == TroubleKind::kRcuStall;
    if (!stalled || !IsIdle(section.frames)) return std::pair(i, *frame);
    if (!idle.has_value()) idle = std::pair(i, *frame);
  }
  return idle;
}

void Fnv1a(std::string_view text, uint64_t* hash) {
  for (const char c : text) *hash = (*hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  *hash = (*hash ^ 0xff) * 0x100000001b3;  // a byte that no name contains
}

// The title without words that have digits, except names of functions: those are hashed by themselves.
std::string WithoutNumbers(std::string_view text) {
  std::string plain;
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    while (end < text.size() && (absl::ascii_isalnum(text[end]) || text[end] == '_')) ++end;
    const std::string_view word = text.substr(at, end - at);
    const bool number = !word.empty() && absl::ascii_isdigit(word[0]);
    plain += number ? "#" : word;
    if (end < text.size()) plain += text[end++];
    at = end;
  }
  return plain;
}

}  // namespace

StackSection& BeginSection(ReportDraft& draft, bool aside) {
  if (draft.sections.empty() || (!draft.sections.back().frames.empty() && draft.sections.size() < kMaxSections)) {
    draft.sections.emplace_back();
  }
  StackSection& section = draft.sections.back();
  section.aside = aside;
  section.traced = false;
  return section;
}

void AddFrame(ReportDraft& draft, ConsoleFrame frame) {
  if (draft.frame_count >= kMaxReportFrames) return;
  const bool lock_history = draft.headline->kind == TroubleKind::kLockdep && !draft.own_stack;
  if (draft.sections.empty()) BeginSection(draft, lock_history);
  std::vector<ConsoleFrame>& frames = draft.sections.back().frames;
  // An oops of Linux up to 4.9 prints the place twice: "IP: ..." and "RIP: ...".
  const bool twice = !frames.empty() && frame.interrupted && frames.back().interrupted &&
                     frames.back().function == frame.function && frames.back().offset == frame.offset;
  if (twice) return;
  frames.push_back(std::move(frame));
  ++draft.frame_count;
}

ConsoleReport FinishDraft(ReportDraft draft) {
  ConsoleReport& report = draft.report;
  const std::string named = PlainFunctionName(draft.function);
  const auto blamed = Blame(draft);
  if (!named.empty() && !IsHelperFunction(named)) {
    report.function = named;
  } else if (blamed.has_value()) {
    report.function = PlainFunctionName(draft.sections[blamed->first].frames[blamed->second].function);
  }
  std::vector<std::string> names;
  if (blamed.has_value()) {
    const std::vector<ConsoleFrame>& frames = draft.sections[blamed->first].frames;
    // The innermost function of a sampled stall is chance.
    const bool sampled = report.kind == TroubleKind::kRcuStall || report.kind == TroubleKind::kSoftLockup ||
                         report.kind == TroubleKind::kHardLockup || report.kind == TroubleKind::kKcsan;
    if (!sampled) names = BlamedNames(frames, blamed->second, kSignatureFrames);
  }
  report.title = MakeTitle(draft);
  report.signature = TroubleSignature(report.title, names);
  if (blamed.has_value()) {
    report.frames = std::move(draft.sections[blamed->first].frames);
  } else {
    const auto any = std::find_if(draft.sections.begin(), draft.sections.end(),
                                  [](const StackSection& s) { return !s.aside && !s.frames.empty(); });
    if (any != draft.sections.end()) report.frames = std::move(any->frames);
  }
  return std::move(report);
}

std::string TroubleSignature(std::string_view title, const std::vector<std::string>& functions) {
  uint64_t hash = 0xcbf29ce484222325;
  Fnv1a(WithoutNumbers(title), &hash);
  for (const std::string& function : functions) Fnv1a(function, &hash);
  return absl::StrFormat("%016x", hash);
}

std::string WithoutAddresses(std::string_view text) {
  constexpr size_t kAddress = 8;
  constexpr size_t kNumber = 5;
  std::string plain;
  for (size_t at = 0; at < text.size();) {
    if (text.substr(at).starts_with("+0x") && !plain.empty() && absl::ascii_isalnum(plain.back())) {
      size_t end = at + 3;
      while (end < text.size() && (absl::ascii_isxdigit(text[end]) || text.substr(end).starts_with("/0x"))) {
        end += text[end] == '/' ? 3 : 1;
      }
      at = end;
      continue;
    }
    size_t end = at;
    while (end < text.size() && (absl::ascii_isalnum(text[end]) || text[end] == '_')) ++end;
    const std::string_view word = text.substr(at, end - at);
    const bool hex = std::all_of(word.begin(), word.end(), [](char c) { return absl::ascii_isxdigit(c); });
    const auto is_digit = [](char c) { return absl::ascii_isdigit(c); };
    if (word.starts_with("0x") || (word.size() >= kAddress && hex && std::any_of(word.begin(), word.end(), is_digit))) {
      plain += "ADDR";
    } else if (word.size() >= kNumber && std::all_of(word.begin(), word.end(), is_digit)) {
      plain += "NUM";
    } else {
      plain += word;
    }
    if (end < text.size() && !(end > at && text.substr(end).starts_with("+0x"))) {
      const char c = text[end++];
      plain += c >= ' ' && c <= '~' ? c : '?';
    }
    at = end;
  }
  return plain;
}

}  // namespace vmm
