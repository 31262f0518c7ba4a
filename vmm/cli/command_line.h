// Flags as a table: what there is, in groups, with help; and an argv read against it.
//
// Abseil's flags hold the values and the help texts; its own command line parser is not used,
// because it ends the process, with a status that our users take for a guest's.
#ifndef VMM_CLI_COMMAND_LINE_H_
#define VMM_CLI_COMMAND_LINE_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace vmm {

// The value of a flag that may be given more than once: each time adds one.
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

// Sets Abseil's flags from `args` (without the program's name): --name=value, --name value,
// --name or --noname for a flag that is a bool, --name or --name=value for an OptionalText. '-' and '_' in names are
// the same. Only flags in `groups` exist. InvalidArgument names the argument that was wrong and what would have been
// right.
absl::Status ParseFlags(std::span<const std::string> args, std::span<const FlagGroup> groups);

// The help text: a usage line, then each group's flags with their help and default.
std::string HelpText(std::string_view usage, std::span<const FlagGroup> groups);

// `args` as one line that a shell reads back as the same words.
std::string ShellQuote(std::span<const std::string> args);

// The word among `known` nearest to `word`, or an empty one where none is near.
std::string_view NearestWord(std::string_view word, std::span<const std::string_view> known);

}  // namespace vmm

#endif  // VMM_CLI_COMMAND_LINE_H_
