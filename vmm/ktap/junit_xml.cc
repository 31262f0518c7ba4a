#include "vmm/ktap/junit_xml.h"

#include <unordered_map>
#include <unordered_set>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

constexpr size_t kMostBody = 64u << 10;
constexpr std::string_view kReplacement = "\xef\xbf\xbd";

// The length of the well-formed UTF-8 sequence at the start of `text`, if XML 1.0 allows its character; else 0.
size_t CharacterLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return first >= 0x20 || first == '\t' || first == '\n' || first == '\r' ? 1 : 0;
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  uint32_t code = first & (0x7f >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3f);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool not_a_character = (code >= 0xd800 && code < 0xe000) || code == 0xfffe || code == 0xffff || code > 0x10ffff;
  return overlong || not_a_character ? 0 : length;
}

std::string TypeOf(const JunitCase& test) {
  if (!test.type.empty()) return test.type;
  return std::string(VerdictName(test.verdict));
}

// "panic: message" has its type in front.
std::string DeathType(const TestResult& test) {
  if (test.verdict != Verdict::kCrashed) return "";
  return test.message.substr(0, test.message.find(':'));
}

JunitCase CaseOf(const TestResult& test, std::string class_name) {
  return {.class_name = std::move(class_name),
          .name = test.name,
          .verdict = test.verdict,
          .type = DeathType(test),
          .message = test.message,
          .body = test.diagnostics,
          .duration = test.duration};
}

void AddCases(const TestResult& test, const std::string& class_name, JunitSuite& suite) {
  const std::string inside = class_name.empty() ? test.name : class_name + "." + test.name;
  for (const TestResult& subtest : test.subtests) AddCases(subtest, inside, suite);
  const bool told = !test.subtests.empty() && (!IsFailure(test.verdict) || AnyFailed(test.subtests));
  if (!told) suite.cases.push_back(CaseOf(test, class_name.empty() ? suite.name : class_name));
}

void AddElement(const JunitCase& test, std::string_view element, bool with_type, std::string& xml) {
  xml += absl::StrFormat("      <%s", element);
  if (with_type) xml += absl::StrFormat(" type=\"%s\"", XmlEscaped(TypeOf(test)));
  // GitLab shows bodies and no messages, so the message is in the body too.
  std::string body = test.message;
  if (!body.empty() && !test.body.empty()) body += '\n';
  body += test.body;
  if (body.size() > kMostBody) body.resize(kMostBody);
  xml += absl::StrFormat(" message=\"%s\">%s</%s>\n", XmlEscaped(test.message), XmlEscaped(body), element);
}

void AddCase(const JunitCase& test, const std::string& class_name, const std::string& name, std::string& xml) {
  xml += absl::StrFormat("    <testcase classname=\"%s\" name=\"%s\"", XmlEscaped(class_name), XmlEscaped(name));
  if (test.duration.has_value()) xml += absl::StrFormat(" time=\"%.6f\"", absl::ToDoubleSeconds(*test.duration));
  if (test.verdict == Verdict::kOk) {
    xml += "/>\n";
    return;
  }
  xml += ">\n";
  switch (test.verdict) {
    case Verdict::kNotOk: AddElement(test, "failure", true, xml); break;
    case Verdict::kTimeout:
    case Verdict::kError:
    case Verdict::kCrashed: AddElement(test, "error", true, xml); break;
    default: {
      JunitCase skipped = test;
      if (test.verdict != Verdict::kSkip && test.verdict != Verdict::kNotRun) {
        skipped.message = absl::StrFormat("%s: %s", VerdictName(test.verdict), test.message);
      }
      AddElement(skipped, "skipped", false, xml);
    }
  }
  xml += "    </testcase>\n";
}

std::string Attributes(const JunitSuite& suite) {
  uint64_t failures = 0, errors = 0, skipped = 0;
  for (const JunitCase& test : suite.cases) {
    if (test.verdict == Verdict::kNotOk)
      ++failures;
    else if (IsFailure(test.verdict))
      ++errors;
    else if (test.verdict != Verdict::kOk)
      ++skipped;
  }
  std::string text = absl::StrFormat("tests=\"%d\" failures=\"%d\" errors=\"%d\" skipped=\"%d\"", suite.cases.size(),
                                     failures, errors, skipped);
  if (suite.duration.has_value()) text += absl::StrFormat(" time=\"%.6f\"", absl::ToDoubleSeconds(*suite.duration));
  return text;
}

}  // namespace

std::string XmlEscaped(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    if (length == 0) {
      if (static_cast<unsigned char>(text.front()) >= 0x80) escaped += kReplacement;
      text.remove_prefix(1);
      continue;
    }
    switch (text.front()) {
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '&': escaped += "&amp;"; break;
      case '"': escaped += "&quot;"; break;
      case '\'': escaped += "&#39;"; break;
      default: escaped.append(text.substr(0, length));
    }
    text.remove_prefix(length);
  }
  return escaped;
}

std::vector<JunitSuite> JunitSuitesOf(const ResultTree& tree, std::string_view run_name, bool must_have_tests) {
  std::vector<JunitSuite> suites = {{.name = std::string(run_name)}};
  for (const TestResult& test : tree.tests) {
    if (test.subtests.empty()) {
      AddCases(test, "", suites.front());
      continue;
    }
    JunitSuite suite{.name = test.name, .duration = test.duration};
    AddCases(test, "", suite);
    suites.push_back(std::move(suite));
  }
  if (tree.failures_dropped > 0) {
    suites.front().cases.push_back({.class_name = std::string(run_name),
                                    .name = "(further tests)",
                                    .verdict = Verdict::kError,
                                    .message = absl::StrFormat("%d of %d results that were not kept are failures",
                                                               tree.failures_dropped, tree.results_dropped)});
  }
  if (suites.front().cases.empty() && suites.size() > 1) {
    suites.erase(suites.begin());
  } else if (suites.front().cases.empty()) {
    const bool skipped = tree.skip_reason.has_value();
    suites.front().cases.push_back({.class_name = std::string(run_name),
                                    .name = std::string(run_name),
                                    .verdict = skipped           ? Verdict::kSkip
                                               : must_have_tests ? Verdict::kError
                                                                 : Verdict::kOk,
                                    .message = skipped           ? *tree.skip_reason
                                               : must_have_tests ? "there are no results"
                                                                 : ""});
  }
  return suites;
}

std::string JunitXml(std::span<const JunitSuite> suites) {
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  std::unordered_set<std::string> taken;
  std::unordered_map<std::string, uint64_t> next;
  for (const JunitSuite& suite : suites) {
    xml += absl::StrFormat("  <testsuite name=\"%s\" %s>\n", XmlEscaped(suite.name), Attributes(suite));
    for (const JunitCase& test : suite.cases) {
      const std::string key = test.class_name + '\0' + test.name;
      std::string name = test.name;
      if (!taken.insert(key).second) {
        uint64_t& number = next.emplace(key, 2).first->second;
        do name = absl::StrFormat("%s (%d)", test.name, number++);
        while (!taken.insert(test.class_name + '\0' + name).second);
      }
      AddCase(test, test.class_name, name, xml);
    }
    xml += "  </testsuite>\n";
  }
  return xml + "</testsuites>\n";
}

}  // namespace vmm
