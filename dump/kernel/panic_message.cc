#include "dump/kernel/panic_message.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/printable.h"
#include "dump/kernel/trouble_line.h"

namespace vmm {
namespace {

constexpr std::string_view kPanic = "Kernel panic - not syncing: ";
constexpr size_t kMaxMessage = 1024;  // the size of panic()'s own buffer
constexpr size_t kSignatureFrames = 5;

std::string FirstLine(std::string_view text) {
  std::string line(text.substr(0, std::min(text.find('\n'), kMaxMessage)));
  for (char& c : line) {
    if (!IsPrintable(c)) c = '?';
  }
  return line;
}

// Numbers and addresses differ from one death to the next.
std::string WithoutNumbers(std::string_view text) {
  std::string plain;
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    while (end < text.size() && std::isalnum(static_cast<unsigned char>(text[end])) != 0) ++end;
    const std::string_view word = text.substr(at, end - at);
    if (std::any_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      plain += '#';
    } else {
      plain += word;
    }
    if (end < text.size()) plain += text[end++];
    at = end;
  }
  return plain;
}

void Fnv1a(std::string_view text, uint64_t* hash) {
  for (const char c : text) *hash = (*hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  *hash = (*hash ^ 0xff) * 0x100000001b3;  // a byte that no name contains
}

}  // namespace

PanicMessage FindPanicMessage(std::span<const LogRecord> log) {
  PanicMessage message;
  std::string warning;
  for (const LogRecord& record : log) {
    if (record.facility != 0) continue;  // a program wrote it to /dev/kmsg
    const std::string_view text = record.text;
    if (const size_t at = text.find(kPanic); at != std::string_view::npos && !text.starts_with("---[ end ")) {
      message.panic = FirstLine(text.substr(at + kPanic.size()));
    }
    const std::optional<TroubleLine> line = FindTroubleLine(text);
    if (!line.has_value()) continue;
    std::string& first = line->trouble == Trouble::kFatal ? message.trouble : warning;
    if (first.empty()) first = FirstLine(line->text);
  }
  if (message.trouble.empty()) message.trouble = std::move(warning);
  return message;
}

std::string TaintLetters(uint64_t mask) {
  constexpr std::string_view kLetters = "PFSRMBUDAWCIOELKXTNJ";  // from bit 0 up, Linux kernel/panic.c
  if (mask == 0) return "";
  std::string letters;
  if ((mask & 1) == 0) letters = "G";  // no proprietary module
  for (size_t bit = 0; bit < kLetters.size(); ++bit) {
    if ((mask >> bit & 1) != 0) letters += kLetters[bit];
  }
  return letters;
}

std::string CrashSignature(const PanicMessage& message, std::span<const SignatureFrame> frames) {
  const auto panic = std::find_if(frames.begin(), frames.end(), [](const auto& f) { return f.function == "panic"; });
  auto first = panic == frames.end() ? frames.begin() : panic + 1;
  const auto fault = std::find_if(first, frames.end(), [](const SignatureFrame& f) { return f.interrupted; });
  if (fault != frames.end()) first = fault;
  uint64_t hash = 0xcbf29ce484222325;
  Fnv1a(WithoutNumbers(message.trouble), &hash);
  Fnv1a(WithoutNumbers(message.panic), &hash);
  for (size_t i = 0; first != frames.end() && i < kSignatureFrames; ++first, ++i) {
    const std::string_view function = first->function;
    Fnv1a(function.substr(0, function.find('.')), &hash);
  }
  return absl::StrFormat("%016x", hash);
}

}  // namespace vmm
