// One line of KTAP or TAP, taken apart: its kind, its depth and its words. Says nothing of the lines around it.
#ifndef VMM_KTAP_KTAP_LINE_H_
#define VMM_KTAP_KTAP_LINE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "vmm/ktap/test_result.h"

namespace vmm {

struct KtapLine {
  enum class Kind {
    kText,     // a diagnostic, or the program's own words
    kVersion,  // KTAP version 1, TAP version 13
    kPlan,     // 1..N
    kResult,   // ok 1 name, not ok 2 name # SKIP why
    kBailOut,  // Bail out! why
    kRun,      // a test begins: "#  RUN  suite.test ..." of kselftest_harness.h, "# selftests: DIR: PROG" of the runner
    kSubtest,  // "# Subtest: name" of KUnit and TAP 14
    kYamlStart,  // ---
  };
  Kind kind = Kind::kText;

  // The depth, in columns. Each blank and each "# " that is in front counts, because the two ways to nest are blanks
  // (KTAP: 2, KUnit and TAP 14: 4) and "# " (kselftest's runner). Comments (kRun, kSubtest) have the column of
  // their own "#".
  int column = 0;

  uint64_t number = 0;             // kPlan: N; kResult: the test's number as written; ~0 if it does not fit
  Verdict verdict = Verdict::kOk;  // kResult
  std::string name;                // kResult, kRun, kSubtest; may be empty
  std::string message;             // kResult: after the directive; kBailOut: why; kPlan: why it is skipped
  bool skips_all = false;          // kPlan: 1..0
  std::string_view text;           // the line without "# " in front; refers to the line that was parsed
};

// `line` is clean (clean_line.h). Never fails: what is nothing else is kText.
KtapLine ParseKtapLine(std::string_view line);

}  // namespace vmm

#endif  // VMM_KTAP_KTAP_LINE_H_
