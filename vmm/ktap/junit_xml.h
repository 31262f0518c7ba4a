// JUnit's XML, as GitLab, Jenkins and GitHub's actions read it. docs/ktap.md says which form each of them needs.
#ifndef VMM_KTAP_JUNIT_XML_H_
#define VMM_KTAP_JUNIT_XML_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "vmm/ktap/test_result.h"

namespace vmm {

struct JunitCase {
  std::string class_name;  // "suite.program"
  std::string name;
  Verdict verdict = Verdict::kOk;
  std::string type;     // of an <error>: "panic", "hang"; empty: made from the verdict
  std::string message;  // one line
  std::string body;     // lines
  std::optional<absl::Duration> duration;
};

struct JunitSuite {
  std::string name;
  std::vector<JunitCase> cases;
  std::optional<absl::Duration> duration;
};

// One suite for each outermost test that has subtests, and one named `run_name` for those that have none. A parent has
// a case of its own only if it failed and none of its subtests did. Never empty: a tree without tests is one case,
// an error if `must_have_tests`.
std::vector<JunitSuite> JunitSuitesOf(const ResultTree& tree, std::string_view run_name, bool must_have_tests);

// The whole file. No two cases have the same class and name: some readers let a pass of that name hide a failure.
// Always well-formed XML 1.0: control characters are left out, wrong UTF-8 is replaced. A body keeps its first 64 KiB.
std::string JunitXml(std::span<const JunitSuite> suites);

// `text` as it may stand in XML or HTML, in an attribute or between tags.
std::string XmlEscaped(std::string_view text);

}  // namespace vmm

#endif  // VMM_KTAP_JUNIT_XML_H_
