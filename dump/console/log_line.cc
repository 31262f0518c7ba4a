#include "dump/console/log_line.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "dump/console/line_format.h"

namespace vmm {
namespace {

size_t TakeDigits(std::string_view& text) {
  size_t count = 0;
  while (count < text.size() && absl::ascii_isdigit(text[count])) ++count;
  text.remove_prefix(count);
  return count;
}

size_t TakeSpaces(std::string_view& text) {
  const size_t count = std::min(text.find_first_not_of(' '), text.size());
  text.remove_prefix(count);
  return count;
}

// "12:34:56", perhaps with a fraction after a point or comma.
bool TakeClock(std::string_view& text) {
  std::string_view rest = text;
  if (TakeDigits(rest) != 2 || !SkipPrefix(rest, ":") || TakeDigits(rest) != 2 || !SkipPrefix(rest, ":") ||
      TakeDigits(rest) != 2) {
    return false;
  }
  if (rest.starts_with('.') || rest.starts_with(',')) {
    rest.remove_prefix(1);
    TakeDigits(rest);
  }
  text = rest;
  return true;
}

bool TakeName(std::string_view& text, std::string_view names) {
  if (text.size() < 4 || text[3] != ' ' || names.find(text.substr(0, 3)) == std::string_view::npos) return false;
  text.remove_prefix(4);
  return true;
}

constexpr std::string_view kDays = "Mon Tue Wed Thu Fri Sat Sun";
constexpr std::string_view kMonths = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec";

// "2026-01-02T03:04:05.678901+00:00" or "2026-01-02 03:04:05": also "Z" and "+0000".
bool TakeIsoDate(std::string_view& text) {
  std::string_view rest = text;
  if (TakeDigits(rest) != 4 || !SkipPrefix(rest, "-") || TakeDigits(rest) != 2 || !SkipPrefix(rest, "-") ||
      TakeDigits(rest) != 2) {
    return false;
  }
  if (!SkipPrefix(rest, "T") && !SkipPrefix(rest, " ")) return false;
  if (!TakeClock(rest)) return false;
  if (!SkipPrefix(rest, "Z") && (rest.starts_with('+') || rest.starts_with('-'))) {
    rest.remove_prefix(1);
    TakeDigits(rest);
    if (SkipPrefix(rest, ":")) TakeDigits(rest);
  }
  text = rest;
  return true;
}

// "Jan  2 03:04:05", as syslog and journald write it.
bool TakeSyslogDate(std::string_view& text) {
  std::string_view rest = text;
  TakeName(rest, kDays);
  if (!TakeName(rest, kMonths)) return false;
  TakeSpaces(rest);
  if (TakeDigits(rest) == 0 || !SkipPrefix(rest, " ") || !TakeClock(rest)) return false;
  text = rest;
  return true;
}

// "<4>" of printk, or "<0>Jan  2 ..." of a network console.
bool TakeLevel(std::string_view& text) {
  std::string_view rest = text;
  if (!SkipPrefix(rest, "<")) return false;
  const size_t digits = TakeDigits(rest);
  if (digits == 0 || digits > 3 || !SkipPrefix(rest, ">")) return false;
  text = rest;
  return true;
}

// "kern  :warn  : ", from `dmesg --decode`.
bool TakeDecoded(std::string_view& text) {
  if (!text.starts_with("kern ") && !text.starts_with("user ") && !text.starts_with("daemon")) return false;
  const size_t first = text.find(':');
  if (first == std::string_view::npos || first > 8) return false;
  const size_t second = text.find(':', first + 1);
  if (second == std::string_view::npos || second - first > 8) return false;
  text.remove_prefix(second + 1);
  TakeSpaces(text);
  return true;
}

// "[   12.345678]", "[Fri Jan  2 03:04:05 2026]", "[  +0.000123]", "[Jan 2 03:04]".
bool TakeStamp(std::string_view& text) {
  std::string_view rest = text;
  if (!SkipPrefix(rest, "[")) return false;
  TakeSpaces(rest);
  if (std::string_view date = rest; TakeSyslogDate(date)) {
    TakeSpaces(date);
    TakeDigits(date);
    if (!SkipPrefix(date, "]")) return false;
    text = date;
    return true;
  }
  if (std::string_view date = rest; TakeName(date, kMonths)) {
    TakeSpaces(date);
    if (TakeDigits(date) == 0 || !SkipPrefix(date, " ") || TakeDigits(date) != 2 || !SkipPrefix(date, ":"))
      return false;
    if (TakeDigits(date) != 2 || !SkipPrefix(date, "]")) return false;
    text = date;
    return true;
  }
  const bool delta = SkipPrefix(rest, "+");
  if ((TakeDigits(rest) == 0 && !delta) || !SkipPrefix(rest, ".") || TakeDigits(rest) == 0 || !SkipPrefix(rest, "]"))
    return false;
  text = rest;
  return true;
}

// "[    T1]", "[   C0]": returns what is between the brackets, without blanks.
std::string_view TakeCaller(std::string_view& text) {
  constexpr size_t kLongest = 48;  // newer kernels may add the CPU and the task's name
  std::string_view rest = text;
  TakeSpaces(rest);
  if (!SkipPrefix(rest, "[")) return "";
  TakeSpaces(rest);
  std::string_view digits = rest;
  if ((!SkipPrefix(digits, "T") && !SkipPrefix(digits, "C")) || TakeDigits(digits) == 0) return "";
  const size_t end = rest.find(']');
  if (end == std::string_view::npos || end > kLongest) return "";
  std::string_view caller = rest.substr(0, rest.size() - digits.size());
  text = rest.substr(end + 1);
  return caller;
}

// Takes "host kernel: " or "kernel: ". Sets `foreign` if a program's name stands there.
bool TakeSource(std::string_view& text, LogLine& line) {
  std::string_view rest = text;
  for (int words = 0; words < 2; ++words) {
    const size_t end = rest.find(' ');
    if (end == std::string_view::npos || end == 0) return false;
    const std::string_view word = rest.substr(0, end);
    if (word == "kernel:") {
      text = rest.substr(end + 1);
      return true;
    }
    if (words == 1 && word.ends_with(':')) line.foreign = true;
    rest.remove_prefix(end + 1);
  }
  return false;
}

// The place of printk's stamp in a line that begins with something else, or npos.
size_t LaterStamp(std::string_view text) {
  constexpr int kTries = 16;  // bounds the work on a line of brackets
  size_t at = text.find('[', 1);
  for (int i = 0; i < kTries && at != std::string_view::npos; ++i, at = text.find('[', at + 1)) {
    std::string_view rest = text.substr(at);
    const std::string_view before = rest;
    if (!TakeStamp(rest)) continue;
    const std::string_view stamp = before.substr(0, before.size() - rest.size());
    const size_t point = stamp.find('.');
    constexpr size_t kDecimals = 6;
    if (point != std::string_view::npos && stamp.size() - point == kDecimals + 2) return at;
  }
  return std::string_view::npos;
}

}  // namespace

std::string CleanLogLine(std::string_view raw) {
  constexpr char kEscape = '\x1b';
  std::string clean;
  clean.reserve(std::min(raw.size(), kMaxLogLine));
  for (size_t i = 0; i < raw.size() && clean.size() < kMaxLogLine; ++i) {
    const char c = raw[i];
    if (c == kEscape && i + 1 < raw.size() && raw[i + 1] == '[') {  // a control sequence ends with '@' to '~'
      i += 2;
      while (i < raw.size() && (raw[i] < '@' || raw[i] > '~')) ++i;
    } else if ((c >= 0 && c < ' ' && c != '\t') || c == '\x7f') {
      continue;
    } else {
      clean += c;
    }
  }
  return clean;
}

LogLine ReadLogLine(std::string_view text) {
  LogLine line;
  line.marked = TakeLevel(text);
  if (TakeDecoded(text)) line.marked = true;
  const std::string_view whole = text;
  const bool dated = TakeIsoDate(text) || TakeSyslogDate(text);
  // `dmesg --time-format iso` has a comma before the fraction of the second, and no host. No other program writes that.
  const bool by_dmesg = dated && whole.substr(0, whole.size() - text.size()).find(',') != std::string_view::npos;
  if (by_dmesg) {
    SkipPrefix(text, " ");
    line.marked = true;
  } else if (dated) {
    TakeSpaces(text);
    if (TakeSource(text, line)) line.marked = true;
  } else if (SkipPrefix(text, "kernel: ")) {
    line.marked = true;
  }
  if (TakeLevel(text)) line.marked = true;
  if (!dated && !text.starts_with('[')) {
    const size_t later = LaterStamp(whole);
    if (later != std::string_view::npos && later < whole.size()) text = whole.substr(later);
  }
  bool stamped = TakeStamp(text);
  std::string_view source = text;
  LogLine ignored;
  if (stamped && !dated && TakeSpaces(source) == 1 && TakeSource(source, ignored)) {  // journalctl -o short-monotonic
    text = source;
    TakeStamp(text);
  }
  line.caller = TakeCaller(text);
  stamped = stamped || !line.caller.empty();
  line.marked = line.marked || stamped;
  if (stamped) SkipPrefix(text, " ");
  line.text = text;
  return line;
}

}  // namespace vmm
