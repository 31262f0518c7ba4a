#include "vmm/batch/batch_file.h"

#include <algorithm>
#include <unordered_map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "base/status.h"
#include "vmm/cli/flag_values.h"
#include "vmm/ktap/trim.h"

namespace vmm {
namespace {

constexpr size_t kMostRuns = 100'000;
constexpr size_t kMostWords = 10'000;

absl::Status Bad(std::string message) { return absl::InvalidArgumentError(message); }

// What ends a word of a line, and whether a backslash takes the next character as it is.
absl::StatusOr<std::vector<std::string>> SplitWords(std::string_view text) {
  std::vector<std::string> words;
  bool in_word = false;
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == 0 && (c == ' ' || c == '\t' || c == '\r')) {
      in_word = false;
      continue;
    }
    if (quote == 0 && !in_word && c == '#') break;
    if (!in_word) {
      if (words.size() == kMostWords) return Bad(absl::StrFormat("more than %d words", kMostWords));
      words.emplace_back();
      in_word = true;
    }
    if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == quote && quote != 0) {
      quote = 0;
    } else if (c == '\\' && quote != '\'') {
      if (i + 1 == text.size()) return Bad("a backslash at the end; a run is one line");
      const char next = text[++i];
      if (quote == '"' && next != '"' && next != '\\') words.back() += '\\';
      words.back() += next;
    } else {
      words.back() += c;
    }
  }
  if (quote != 0) return Bad(absl::StrFormat("a %c without its second", quote));
  return words;
}

std::string Dashed(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

// Fills in what the budget must know of a run.
absl::Status ReadNeeds(BatchRun& run) {
  for (const std::string& arg : run.args) {
    if (arg == "--") break;
    if (!arg.starts_with("--")) continue;
    const std::string name = Dashed(arg.substr(2, arg.find('=') - 2));
    if (name == "result") return Bad("--result: each run's record is DIR/runs/NAME/result.json; leave the flag out");
    if (name == "help" || name == "version") return Bad(absl::StrFormat("--%s runs no guest", name));
  }
  if (const auto memory = FlagIn(run.args, "memory"); memory.has_value()) {
    ASSIGN_OR_RETURN(run.memory_bytes, Annotate(ParseSize(*memory), "--memory=" + *memory));
  }
  if (const auto cpus = FlagIn(run.args, "cpus"); cpus.has_value()) {
    if (!ReadNumber(*cpus, run.cpus) || run.cpus < 1 || run.cpus > 255) {
      return Bad(absl::StrFormat("--cpus=%s: must be 1 to 255", *cpus));
    }
  }
  run.timeout = FlagIn(run.args, "timeout");
  return absl::OkStatus();
}

class Reader {
 public:
  absl::Status AddLine(std::string_view line, int number) {
    line = Trim(line);
    if (line.empty() || line.front() == '#') return absl::OkStatus();
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return Bad("must be NAME: FLAGS...");
    const std::string_view name = Trim(line.substr(0, colon));
    ASSIGN_OR_RETURN(std::vector<std::string> words, SplitWords(line.substr(colon + 1)));
    if (name == "*") {
      if (std::find(words.begin(), words.end(), "--") != words.end()) return Bad("-- is not for every run");
      common_ = std::move(words);
      return absl::OkStatus();
    }
    if (!IsRunName(name)) {
      return Bad(absl::StrFormat(
          "\"%s\" cannot be a run's name: 1 to 100 of a-z A-Z 0-9 . _ + - @, and not . or - first", name));
    }
    const auto [first, is_new] = lines_.emplace(std::string(name), number);
    if (!is_new) return Bad(absl::StrFormat("\"%s\" is the name of line %d too", name, first->second));
    if (runs_.size() == kMostRuns) return Bad(absl::StrFormat("more than %d runs", kMostRuns));
    BatchRun run{.name = std::string(name), .args = common_};
    run.args.insert(run.args.end(), words.begin(), words.end());
    RETURN_IF_ERROR(ReadNeeds(run));
    runs_.push_back(std::move(run));
    return absl::OkStatus();
  }

  std::vector<BatchRun> TakeRuns() { return std::move(runs_); }

 private:
  std::vector<std::string> common_;
  std::vector<BatchRun> runs_;
  std::unordered_map<std::string, int> lines_;
};

}  // namespace

bool IsRunName(std::string_view name) {
  constexpr std::string_view kOthers = "._+-@";
  return !name.empty() && name.size() <= 100 && name.front() != '.' && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), [&](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || kOthers.find(c) != std::string_view::npos;
         });
}

absl::StatusOr<std::vector<BatchRun>> ParseBatchFile(std::string_view text) {
  Reader reader;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    RETURN_IF_ERROR(Annotate(reader.AddLine(text.substr(0, end), number), absl::StrFormat("line %d", number)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  std::vector<BatchRun> runs = reader.TakeRuns();
  if (runs.empty()) return Bad("no runs: a run is a line NAME: FLAGS...");
  return runs;
}

std::optional<std::string> FlagIn(const std::vector<std::string>& args, std::string_view name) {
  std::optional<std::string> value;
  for (size_t i = 0; i < args.size() && args[i] != "--"; ++i) {
    if (!args[i].starts_with("--")) continue;
    const size_t equals = args[i].find('=');
    if (Dashed(args[i].substr(2, equals == std::string::npos ? equals : equals - 2)) != name) continue;
    if (equals != std::string::npos)
      value = args[i].substr(equals + 1);
    else if (i + 1 < args.size())
      value = args[i + 1];
  }
  return value;
}

}  // namespace vmm
