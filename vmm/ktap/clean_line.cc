#include "vmm/ktap/clean_line.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "vmm/ktap/trim.h"

namespace vmm {
namespace {

// The index after the escape sequence that begins at `at`, where ESC is.
size_t AfterEscape(std::string_view line, size_t at) {
  ++at;
  if (at == line.size()) return at;
  if (line[at] == '[') {  // CSI: parameters, then one final byte
    ++at;
    while (at < line.size() && line[at] >= 0x20 && line[at] < 0x40) ++at;
    return std::min(at + 1, line.size());
  }
  if (line[at] == ']') {  // OSC: up to BEL or ESC
    while (at < line.size() && line[at] != '\a' && line[at] != '\x1b') ++at;
    return at == line.size() || line[at] == '\x1b' ? at : at + 1;
  }
  return at + 1;
}

// Removes "[...]" or the like from the front and returns what stands in it, without blanks in front.
std::optional<std::string_view> TakeBrackets(std::string_view& text, char open, char close) {
  constexpr size_t kLongest = 32;
  if (text.empty() || text.front() != open) return std::nullopt;
  const size_t end = text.substr(0, kLongest).find(close);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view inside = TrimLeft(text.substr(1, end - 1));
  text.remove_prefix(end + 1);
  return inside;
}

bool IsNumber(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

}  // namespace

void LineCutter::Feed(std::string_view bytes, absl::FunctionRef<void(std::string_view, bool)> line) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    const size_t room = most_ - line_.size();
    if (part.size() > room) cut_ = true;
    line_.append(part.substr(0, room));
    if (end == std::string_view::npos) return;
    line(line_, cut_);
    line_.clear();
    cut_ = false;
    bytes.remove_prefix(end + 1);
  }
}

std::string LineCutter::TakeRest() {
  std::string rest = std::move(line_);
  line_.clear();
  cut_ = false;
  return rest;
}

std::string CleanLine(std::string_view line) {
  std::string clean;
  clean.reserve(line.size());
  for (size_t i = 0; i < line.size();) {
    const char c = line[i];
    if (c == '\x1b') {
      i = AfterEscape(line, i);
      continue;
    }
    if (c == '\t')
      clean += "    ";
    else if (!absl::ascii_iscntrl(c))
      clean += c;
    ++i;
  }
  clean.resize(TrimRight(clean).size());
  return clean;
}

std::optional<absl::Duration> TakePrintkPrefix(std::string_view& line) {
  std::string_view rest = line;
  if (const auto level = TakeBrackets(rest, '<', '>'); level.has_value() && !IsNumber(*level)) return std::nullopt;
  const auto time = TakeBrackets(rest, '[', ']');
  if (!time.has_value()) return std::nullopt;
  const size_t dot = time->find('.');
  if (dot == std::string_view::npos || !IsNumber(time->substr(0, dot)) || !IsNumber(time->substr(dot + 1))) {
    return std::nullopt;
  }
  double seconds = 0;
  if (!ReadNumber(*time, seconds) || seconds > 1e9) return std::nullopt;
  std::string_view after_caller = rest;
  const auto caller = TakeBrackets(after_caller, '[', ']');
  if (caller.has_value() && caller->size() > 1 && (caller->front() == 'T' || caller->front() == 'C') &&
      IsNumber(caller->substr(1))) {
    rest = after_caller;
  }
  if (!rest.empty() && rest.front() != ' ') return std::nullopt;
  if (!rest.empty()) rest.remove_prefix(1);
  line = rest;
  return absl::Seconds(seconds);
}

}  // namespace vmm
