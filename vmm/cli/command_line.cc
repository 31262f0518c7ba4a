#include "vmm/cli/command_line.h"

#include <algorithm>
#include <optional>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/status.h"

namespace vmm {
namespace {

std::string Dashed(std::string_view name) { return absl::StrReplaceAll(std::string(name), {{"_", "-"}}); }
std::string Underscored(std::string_view name) { return absl::StrReplaceAll(std::string(name), {{"-", "_"}}); }

std::vector<std::string_view> AllNames(std::span<const FlagGroup> groups) {
  std::vector<std::string_view> names;
  for (const FlagGroup& group : groups) names.insert(names.end(), group.names.begin(), group.names.end());
  return names;
}

// Returns our flag of that name, or null.
absl::CommandLineFlag* Find(const std::string& name, std::span<const std::string_view> names) {
  if (std::find(names.begin(), names.end(), name) == names.end()) return nullptr;
  return absl::FindCommandLineFlag(name);
}

absl::Status Unknown(std::string_view argument, const std::string& name, std::span<const std::string_view> names) {
  const std::string_view nearest = NearestWord(name, names);
  if (nearest.empty()) return absl::InvalidArgumentError(absl::StrFormat("%s: no such flag; see --help", argument));
  return absl::InvalidArgumentError(absl::StrFormat("%s: no such flag; did you mean --%s?", argument, Dashed(nearest)));
}

// The number of single-character edits from `a` to `b`.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

// Precedes each value of a RepeatedText. No word of a command line contains it.
constexpr char kNext = '\0';

}  // namespace

bool AbslParseFlag(absl::string_view text, RepeatedText* flag, std::string*) {
  flag->values.clear();
  if (text.empty()) return true;
  flag->values = absl::StrSplit(text.substr(1), kNext);
  return true;
}

std::string AbslUnparseFlag(const RepeatedText& flag) {
  std::string text;
  for (const std::string& value : flag.values) text += kNext + value;
  return text;
}

bool AbslParseFlag(absl::string_view text, OptionalText* flag, std::string*) {
  *flag = {.given = true, .text = std::string(text)};
  return true;
}

std::string AbslUnparseFlag(const OptionalText& flag) { return flag.text; }

std::string_view NearestWord(std::string_view word, std::span<const std::string_view> known) {
  std::string_view best;
  size_t best_distance = std::max<size_t>(2, word.size() / 3) + 1;  // words further apart than this are not alike
  for (std::string_view candidate : known) {
    const size_t distance = EditDistance(word.substr(0, 64), candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

absl::Status ParseFlags(std::span<const std::string> args, std::span<const FlagGroup> groups,
                        std::vector<std::string>* rest) {
  const std::vector<std::string_view> names = AllNames(groups);
  for (size_t i = 0; i < args.size(); ++i) {
    const std::string& argument = args[i];
    if (rest != nullptr && (argument == "--" || (!argument.empty() && !argument.starts_with('-')))) {
      const auto words = args.subspan(argument == "--" ? i + 1 : i);
      rest->assign(words.begin(), words.end());
      if (rest->empty()) return absl::InvalidArgumentError("--: no program is named after it");
      return absl::OkStatus();
    }
    if (!argument.starts_with("--") || argument.size() == 2) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "%s: not a flag; this program takes only --name=value, and the kernel is --kernel=FILE", argument));
    }
    const size_t equals = argument.find('=');
    std::string name =
        Underscored(std::string_view(argument).substr(2, equals == std::string::npos ? equals : equals - 2));
    std::optional<std::string> value;
    if (equals != std::string::npos) value = argument.substr(equals + 1);

    absl::CommandLineFlag* flag = Find(name, names);
    if (flag == nullptr && !value.has_value() && name.starts_with("no")) {
      flag = Find(name.substr(2), names);
      if (flag != nullptr && !flag->IsOfType<bool>()) flag = nullptr;
      value = "false";
    }
    if (flag == nullptr) return Unknown(argument, name, names);
    if (!value.has_value() && flag->IsOfType<bool>()) value = "true";
    if (!value.has_value() && flag->IsOfType<OptionalText>()) value = "";
    if (!value.has_value()) {
      if (i + 1 == args.size()) return absl::InvalidArgumentError(absl::StrFormat("%s: a value must follow", argument));
      value = args[++i];
    }
    std::string text = *value;
    // Abseil sets a flag anew each time, so pass its earlier values again.
    if (flag->IsOfType<RepeatedText>()) text = flag->CurrentValue() + kNext + text;
    std::string error;
    if (!flag->ParseFrom(text, &error)) {
      return absl::InvalidArgumentError(absl::StrFormat("--%s=%s: %s", Dashed(name), *value, error));
    }
  }
  return absl::OkStatus();
}

std::string HelpText(std::string_view usage, std::span<const FlagGroup> groups) {
  std::string text(usage);
  for (const FlagGroup& group : groups) {
    text += absl::StrFormat("\n%s\n", group.title);
    for (std::string_view name : group.names) {
      const absl::CommandLineFlag* flag = absl::FindCommandLineFlag(std::string(name));
      // The help text's first line is "VALUE: what it does"; further lines are indented.
      const std::vector<std::string> lines = absl::StrSplit(flag->Help(), '\n');
      const std::pair<std::string, std::string> head = absl::StrSplit(lines[0], absl::MaxSplits(": ", 1));
      std::string spelled = "--" + Dashed(name);
      if (flag->IsOfType<OptionalText>()) spelled += "[=" + head.first + "]";
      if (!flag->IsOfType<OptionalText>() && !flag->IsOfType<bool>()) spelled += "=" + head.first;
      const std::string what = flag->IsOfType<bool>() ? lines[0] : head.second;
      text += spelled.size() < 27 ? absl::StrFormat("  %-27s %s\n", spelled, what)
                                  : absl::StrFormat("  %s\n  %-27s %s\n", spelled, "", what);
      for (size_t i = 1; i < lines.size(); ++i) text += absl::StrFormat("  %-27s %s\n", "", lines[i]);
    }
  }
  return text;
}

std::string ShellQuote(std::span<const std::string> args) {
  std::string line;
  for (const std::string& arg : args) {
    constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./,:+@%";
    const bool plain = !arg.empty() && arg.find_first_not_of(kPlain) == std::string::npos;
    if (!line.empty()) line += ' ';
    line += plain ? arg : "'" + absl::StrReplaceAll(arg, {{"'", "'\\''"}}) + "'";
  }
  return line;
}

}  // namespace vmm
