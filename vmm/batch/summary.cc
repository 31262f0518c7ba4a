#include "vmm/batch/summary.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "vmm/ktap/junit_xml.h"

namespace vmm {
namespace {

using State = RunRecord::State;

constexpr std::string_view kHead =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
    "<style>body{font:15px sans-serif;margin:2em;max-width:75em}table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;padding:.2em .6em;border-bottom:1px solid #ddd;vertical-align:top}"
    ".failed{color:#b00020}.passed{color:#1b6e20}.norun{color:#777}code{white-space:pre-wrap}</style>\n";

std::vector<const RunRecord*> RunsOfShard(const BatchResults& results) {
  std::vector<const RunRecord*> runs;
  for (const RunRecord& run : results.runs) {
    if (run.state != State::kNotRun || InShard(run.name, results.shard)) runs.push_back(&run);
  }
  return runs;
}

JunitCase CaseOf(const RunRecord& run, const std::string& suite) {
  JunitCase test{.class_name = suite, .name = run.name, .message = run.summary, .duration = absl::Seconds(run.seconds)};
  if (run.state == State::kNotRun) {
    test.verdict = Verdict::kNotRun;
    test.duration = std::nullopt;
    if (test.message.empty()) test.message = "not run";
    return test;
  }
  if (run.state == State::kPassed) return test;
  test.verdict = run.outcome == "timeout" ? Verdict::kTimeout : run.died() ? Verdict::kCrashed : Verdict::kNotOk;
  if (test.verdict != Verdict::kNotOk) test.type = run.outcome;
  if (!run.message.empty()) test.body += run.message + "\n";
  if (!run.signature.empty()) test.body += "signature: " + run.signature + "\n";
  if (!run.dump.empty()) test.body += "dump: " + run.dump + "\n";
  for (const std::string& earlier : run.earlier_tries) test.body += "an earlier try: " + earlier + "\n";
  return test;
}

// Folders of a merged batch have a path; others are beside the page.
std::string FolderLink(const RunRecord& run) {
  const std::string folder = run.folder.empty() ? "runs/" + run.name : run.folder;
  std::string path;
  for (const char c : folder) {  // '?' and the like would end the path
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                       std::string_view("._+-@/").find(c) != std::string_view::npos;
    path += plain ? std::string(1, c) : absl::StrFormat("%%%02X", static_cast<unsigned char>(c));
  }
  // A name with a colon in front would be a scheme.
  return absl::StrFormat("<a href=\"%s%s/\">%s</a> (<a href=\"%s%s/console.log\">console</a>)",
                         path.starts_with('/') ? "" : "./", path, XmlEscaped(run.name),
                         path.starts_with('/') ? "" : "./", path);
}

void AddGroups(const std::vector<const RunRecord*>& runs, std::string& html) {
  std::map<std::string, std::vector<const RunRecord*>> by_signature;
  for (const RunRecord* run : runs) {
    if (run->state != State::kFailed) continue;
    by_signature[run->signature.empty() ? run->outcome + ": " + run->summary : run->signature].push_back(run);
  }
  if (by_signature.empty()) return;
  std::vector<std::pair<std::string, std::vector<const RunRecord*>>> groups(by_signature.begin(), by_signature.end());
  std::stable_sort(groups.begin(), groups.end(),
                   [](const auto& a, const auto& b) { return a.second.size() > b.second.size(); });
  html += "<h2>Failures, by what they died of</h2>\n<table><tr><th>runs</th><th>signature</th><th>which</th></tr>\n";
  for (const auto& [signature, members] : groups) {
    html += absl::StrFormat("<tr><td>%d</td><td><b>%s</b><br><code>%s</code></td><td>", members.size(),
                            XmlEscaped(signature), XmlEscaped(members.front()->message));
    constexpr size_t kMostShown = 50;
    for (size_t i = 0; i < std::min(members.size(), kMostShown); ++i) html += FolderLink(*members[i]) + "<br>\n";
    if (members.size() > kMostShown) html += absl::StrFormat("and %d more", members.size() - kMostShown);
    html += "</td></tr>\n";
  }
  html += "</table>\n";
}

}  // namespace

std::string BatchLine(const BatchResults& results) {
  const std::vector<const RunRecord*> runs = RunsOfShard(results);
  int counts[3] = {};
  int retried = 0;
  for (const RunRecord* run : runs) {
    ++counts[static_cast<int>(run->state)];
    if (run->state == State::kPassed && !run->earlier_tries.empty()) ++retried;
  }
  std::string line =
      absl::StrFormat("%d passed, %d failed, %d not run of %d", counts[static_cast<int>(State::kPassed)],
                      counts[static_cast<int>(State::kFailed)], counts[static_cast<int>(State::kNotRun)], runs.size());
  if (retried > 0) line += absl::StrFormat("; %d passed only when tried again", retried);
  return line;
}

std::string BatchJunit(const BatchResults& results) {
  JunitSuite suite{.name = results.file.empty() ? "batch" : results.file, .duration = absl::Seconds(results.seconds)};
  for (const RunRecord* run : RunsOfShard(results)) suite.cases.push_back(CaseOf(*run, suite.name));
  return JunitXml(std::span(&suite, 1));
}

std::string BatchHtml(const BatchResults& results) {
  const std::vector<const RunRecord*> runs = RunsOfShard(results);
  std::string html(kHead);
  html += absl::StrFormat("<title>%s</title></head><body>\n<h1>%s</h1>\n<p>%s", XmlEscaped(results.file),
                          XmlEscaped(results.file), XmlEscaped(BatchLine(results)));
  if (results.shard.count > 1) html += absl::StrFormat(", shard %d of %d", results.shard.index, results.shard.count);
  if (results.interrupted) html += "; <b>the batch was interrupted</b>";
  html += absl::StrFormat("; %.1f s.</p>\n", results.seconds);
  AddGroups(runs, html);
  html += "<h2>All runs</h2>\n<table><tr><th>run</th><th>state</th><th>seconds</th><th>how it ended</th></tr>\n";
  for (const RunRecord* run : runs) {
    const std::string name = run->state == State::kNotRun ? XmlEscaped(run->name) : FolderLink(*run);
    const std::string_view style = run->state == State::kNotRun ? "norun" : StateName(run->state);
    html += absl::StrFormat("<tr><td>%s</td><td class=\"%s\">%s</td><td>%.2f</td><td>%s", name, style,
                            StateName(run->state), run->seconds, XmlEscaped(run->summary));
    for (const std::string& earlier : run->earlier_tries) {
      html += absl::StrFormat("<br><i>an earlier try: %s</i>", XmlEscaped(earlier));
    }
    html += "</td></tr>\n";
  }
  return html + "</table>\n</body></html>\n";
}

}  // namespace vmm
