#include "vmm/batch/run_record.h"

#include <sys/wait.h>

#include <cstring>

#include "absl/strings/str_format.h"
#include "vmm/batch/batch_file.h"
#include "vmm/ktap/clean_line.h"

namespace vmm {
namespace {

using nlohmann::ordered_json;
using State = RunRecord::State;

constexpr size_t kMostText = 1000;

// A string member of `json`, fit for one line; empty if it is not there.
std::string Text(const ordered_json& json, const char* name) {
  if (!json.is_object()) return "";
  const auto member = json.find(name);
  if (member == json.end() || !member->is_string()) return "";
  return CleanLine(std::string_view(member->get_ref<const std::string&>()).substr(0, kMostText));
}

const ordered_json& Member(const ordered_json& json, const char* name) {
  static const ordered_json null;
  if (!json.is_object()) return null;
  const auto member = json.find(name);
  return member == json.end() ? null : *member;
}

// Groups runs that died alike where the guest's memory gave no signature.
std::string OtherSignature(const ordered_json& json, const std::string& outcome) {
  if (outcome == "hang") return "hang-" + Text(Member(json, "hang"), "kind");
  if (outcome == "panic" || outcome == "triple-fault") return outcome + "-" + Text(Member(json, "panic"), "source");
  return "";
}

std::string SubtestsFailed(const ordered_json& json) {
  const ordered_json& tests = Member(json, "tests");
  const ordered_json& passed = Member(tests, "passed");
  if (!passed.is_boolean() || passed.get<bool>()) return "";
  const ordered_json& failures = Member(tests, "failures");
  if (!failures.is_array() || failures.empty()) return "tests that were planned were not run";
  return absl::StrFormat("%d tests failed, the first is \"%s\"", failures.size(), Text(failures[0], "name"));
}

}  // namespace

bool RunRecord::died() const {
  return state == State::kFailed && outcome != "guest-exit" && outcome != "timeout" && outcome != "power-off";
}

std::string_view StateName(State state) {
  switch (state) {
    case State::kNotRun: return "not run";
    case State::kPassed: return "passed";
    case State::kFailed: return "failed";
  }
  return "?";
}

RunRecord RecordOf(const std::string& name, const std::vector<std::string>& args, int wait_status,
                   std::string_view result_json) {
  RunRecord record{.name = name, .args = args, .state = State::kFailed, .outcome = "vmm-error"};
  const bool exited = WIFEXITED(wait_status);
  record.exit_code = exited ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
  if (!exited) {
    record.summary =
        absl::StrFormat("vmm was killed by signal %d (%s)", WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
    return record;
  }
  const ordered_json json = ordered_json::parse(result_json, nullptr, /*allow_exceptions=*/false);
  const ordered_json& said = Member(json, "exit_code");
  if (!said.is_number_integer() || said != record.exit_code) {
    record.summary =
        absl::StrFormat("vmm ended with %d and left no record that agrees: see stderr.log", record.exit_code);
    return record;
  }
  record.outcome = Text(json, "outcome");
  record.summary = Text(json, "summary");
  record.message = Text(Member(json, "death"), "message");
  record.signature = Text(Member(json, "death"), "signature");
  record.dump = Text(Member(json, "dump"), "path");
  if (record.signature.empty()) record.signature = OtherSignature(json, record.outcome);
  if (record.exit_code != 0) return record;
  const std::string failed = SubtestsFailed(json);
  record.state = failed.empty() ? State::kPassed : State::kFailed;
  if (!failed.empty()) record.summary = failed;
  return record;
}

ordered_json RecordJson(const RunRecord& record) {
  return {{"name", record.name},       {"state", std::string(StateName(record.state))},
          {"outcome", record.outcome}, {"exit_code", record.exit_code},
          {"summary", record.summary}, {"signature", record.signature},
          {"message", record.message}, {"dump", record.dump},
          {"seconds", record.seconds}, {"earlier_tries", record.earlier_tries},
          {"folder", record.folder},   {"args", record.args}};
}

absl::StatusOr<RunRecord> RecordFromJson(const ordered_json& json) {
  RunRecord record{.name = Text(json, "name"),
                   .outcome = Text(json, "outcome"),
                   .summary = Text(json, "summary"),
                   .signature = Text(json, "signature"),
                   .message = Text(json, "message"),
                   .dump = Text(json, "dump"),
                   .folder = Text(json, "folder")};
  if (!IsRunName(record.name)) return absl::InvalidArgumentError("an entry without the name of a run");
  const std::string state = Text(json, "state");
  for (const State known : {State::kNotRun, State::kPassed, State::kFailed}) {
    if (state == StateName(known)) record.state = known;
  }
  if (const ordered_json& code = Member(json, "exit_code"); code.is_number_integer()) record.exit_code = code;
  if (const ordered_json& seconds = Member(json, "seconds"); seconds.is_number()) record.seconds = seconds;
  const auto strings = [&](const char* name) {
    std::vector<std::string> list;
    for (const ordered_json& item : Member(json, name)) {
      if (item.is_string()) list.push_back(item);
    }
    return list;
  };
  record.earlier_tries = strings("earlier_tries");
  record.args = strings("args");
  return record;
}

const RunRecord& Worse(const RunRecord& a, const RunRecord& b) {
  const auto rank = [](const RunRecord& record) { return static_cast<int>(record.state) + (record.died() ? 1 : 0); };
  return rank(b) > rank(a) ? b : a;
}

}  // namespace vmm
