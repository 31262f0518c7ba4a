// Flags as a table: all flags, in groups, with help; and a parser that reads an argv against it.
//
// Abseil's flags hold the values and the help texts. Its own command line parser is not used, because it ends the
// process with a status that our users would take for a guest's.
#ifndef VMM_CLI_COMMAND_LINE_H_
#define VMM_CLI_COMMAND_LINE_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace vmm {

// The value of a flag that may be given more than once. Each occurrence adds a value.
struct RepeatedText {
  std::vector<std::string> values;
};
bool AbslParseFlag(absl::string_view text, RepeatedText* flag, std::string* error);
std::string AbslUnparseFlag(const RepeatedText& flag);

// The value of a flag that may be given with a value or without: --name, --name=value.
struct OptionalText {
  bool given = false;
  std::string text;
};
bool AbslParseFlag(absl::string_view text, OptionalText* flag, std::string* error);
std::string AbslUnparseFlag(const OptionalText& flag);

struct FlagGroup {
  std::string_view title;
  std::vector<std::string_view> names;  // as Abseil knows them: with underscores
};

// Sets Abseil's flags from `args` (without the program's name): --name=value, --name value, --name or --noname for a
// bool flag, --name or --name=value for an OptionalText. '-' and '_' in names are equal. Only flags in `groups` exist.
// InvalidArgument names the wrong argument and says what would have been right.
//
// With `rest`, the flags end at the first word that is none, or at "--": that word and all after it go there, without
// the
// "--". Null: there may be no such word.
absl::Status ParseFlags(std::span<const std::string> args, std::span<const FlagGroup> groups,
                        std::vector<std::string>* rest = nullptr);

// The help text: a usage line, then each group's flags with their help and default.
std::string HelpText(std::string_view usage, std::span<const FlagGroup> groups);

// Returns `args` as one line that a shell splits into the same words.
std::string ShellQuote(std::span<const std::string> args);

// Returns the word in `known` that is nearest to `word`; empty if none is near.
std::string_view NearestWord(std::string_view word, std::span<const std::string_view> known);

}  // namespace vmm

#endif  // VMM_CLI_COMMAND_LINE_H_
