#include "devices/vmport/rpci.h"

#include <charconv>
#include <optional>

namespace vmm {
namespace {

constexpr std::string_view kNamespace = "guestinfo.";
constexpr std::string_view kDone = "1 ";
constexpr std::string_view kUnknownCommand = "0 Unknown command";
constexpr std::string_view kNotANumber = "0 Invalid argument";

std::string Text(std::string_view text) { return std::string(text); }

// Removes the word before the first space, and that space, from `rest`. Returns the word.
std::string_view TakeWord(std::string_view& rest) {
  const size_t end = rest.find(' ');
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return word;
}

// Parses all of `text` as a decimal number.
std::optional<uint32_t> ToNumber(std::string_view text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Parses the decimal digits at the front of `text`.
std::optional<uint32_t> LeadingNumber(std::string_view text) {
  return ToNumber(text.substr(0, text.find_first_not_of("0123456789")));
}

std::string InfoGet(std::string_view arguments, const GuestInfoStore& info) {
  std::string_view key = TakeWord(arguments);
  if (!key.starts_with(kNamespace)) return "0 No value found";  // the host keeps no other names
  key.remove_prefix(kNamespace.size());
  if (key.size() > GuestInfoStore::kMaxKeySize) return "0 Key is too long";
  const std::string* const value = info.Get(key);
  if (value == nullptr) return "0 No value found";
  std::string answer;
  answer.reserve(kDone.size() + value->size());
  answer += kDone;
  answer += *value;
  return answer;
}

// The value is everything after the space that follows the key, including spaces. It may be empty.
std::string InfoSet(std::string_view arguments, GuestInfoStore& info) {
  const bool has_value = arguments.find(' ') != std::string_view::npos;
  std::string_view key = TakeWord(arguments);
  if (!has_value) return "0 Two and exactly two arguments expected";
  if (!key.starts_with(kNamespace)) return "0 Permission denied";
  key.remove_prefix(kNamespace.size());
  using Verdict = GuestInfoStore::Verdict;
  switch (info.Set(key, arguments, GuestInfoStore::By::kGuest)) {
    case Verdict::kOk: return Text(kDone);
    case Verdict::kBadKey: return "0 Invalid key";
    case Verdict::kKeyTooLong: return "0 Key is too long";
    case Verdict::kValueTooLong: return "0 Value too long";
    case Verdict::kTooManyKeys: return "0 Too many keys";
    case Verdict::kOutOfMemory: return "0 Out of memory";
  }
  return Text(kUnknownCommand);
}

// Old tools report their build as "toolbox: Version: build-N".
std::string Log(std::string_view line, GuestRecords& records) {
  constexpr std::string_view kBuild = "Version: build-";
  records.log.Add(line);
  if (const size_t at = line.find(kBuild); at != std::string_view::npos) {
    if (const auto build = LeadingNumber(line.substr(at + kBuild.size()))) records.tools.build = *build;
  }
  return Text(kDone);
}

// "N", or "N TYPE" from newer tools.
std::string SetVersion(std::string_view arguments, ToolsInfo& tools) {
  const auto version = ToNumber(TakeWord(arguments));
  if (!version) return Text(kNotANumber);
  tools.version = *version;
  return Text(kDone);
}

// "SetGuestInfo  TYPE VALUE", with two spaces. Only type 4, the build, is kept.
std::string SetGuestInfo(std::string_view arguments, ToolsInfo& tools) {
  constexpr std::string_view kBuildType = "4";
  constexpr std::string_view kBuild = "build-";
  if (arguments.starts_with(' ')) arguments.remove_prefix(1);
  if (TakeWord(arguments) == kBuildType && arguments.starts_with(kBuild)) {
    if (const auto build = LeadingNumber(arguments.substr(kBuild.size()))) tools.build = *build;
  }
  return Text(kDone);
}

// "OK ID": whether the guest agrees, and to which change. The guest sends it before it makes the change.
std::string StateChangeStatus(std::string_view arguments, ToolsInfo& tools) {
  const auto ok = ToNumber(TakeWord(arguments));
  const auto id = ToNumber(TakeWord(arguments));
  if (!ok || !id || *id > static_cast<uint32_t>(StateChange::kSuspend)) return Text(kNotANumber);
  tools.last_change = static_cast<StateChange>(*id);
  tools.last_change_ok = *ok != 0;
  return Text(kDone);
}

}  // namespace

std::string AnswerRpci(std::string_view request, std::string_view machine_id, GuestRecords& records) {
  if (request.ends_with('\0')) request.remove_suffix(1);
  std::string_view arguments = request;
  const std::string_view command = TakeWord(arguments);

  if (command == "info-get") return InfoGet(arguments, records.info);
  if (command == "info-set") return InfoSet(arguments, records.info);
  if (command == "log") return Log(arguments, records);
  if (command == "tools.set.version") return SetVersion(arguments, records.tools);
  if (command == "tools.set.versiontype") return SetVersion(arguments, records.tools);
  if (command == "SetGuestInfo") return SetGuestInfo(arguments, records.tools);
  if (command == "tools.os.statechange.status") return StateChangeStatus(arguments, records.tools);
  if (command == "machine.id.get") {
    return machine_id.empty() ? "0 No machine id" : Text(kDone) + Text(machine_id);
  }
  if (command == "tools.capability.statechange") {
    records.tools.statechange = ToNumber(arguments).value_or(1) != 0;
    return Text(kDone);
  }
  if (command.starts_with("tools.capability.")) return Text(kDone);
  if (command == "vmx.capability.unified_loop" || command == "vmx.set_option") return Text(kDone);
  return Text(kUnknownCommand);
}

}  // namespace vmm
