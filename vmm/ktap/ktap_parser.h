// Reads the results of tests out of a guest's output while it runs: KTAP, TAP 13 and 14, nested by blanks; the form of
// kselftest's runner, which puts "# " in front of a program's own TAP; kselftest_harness.h's RUN lines; KUnit's results
// in the kernel's log, behind printk's time. docs/ktap.md says what is taken for what.
//
// The guest is not trusted. Time is linear in the bytes fed, and memory is limited by KtapLimits, whatever it prints.
#ifndef VMM_KTAP_KTAP_PARSER_H_
#define VMM_KTAP_KTAP_PARSER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "vmm/ktap/clean_line.h"
#include "vmm/ktap/ktap_line.h"
#include "vmm/ktap/test_result.h"

namespace vmm {

inline constexpr std::string_view kUnnamedTest = "(unnamed)";  // a test that the stream gives no name

struct KtapLimits {
  size_t line = 8192;                 // bytes; the rest of a line is dropped
  size_t name = 512;                  // bytes of a name or message
  size_t diagnostics = 4096;          // bytes a test
  size_t all_diagnostics = 8u << 20;  // bytes of them all
  size_t tests = 50'000;              // further results are counted only
  size_t depth = 16;                  // deeper results are taken for text
  int column = 64;                    // the same for lines that begin further to the right
  size_t stream_errors = 100;         // further ones are counted only
};

// How the guest died, for the test that was running.
struct GuestDeath {
  std::string kind;      // one word: "panic", "hang", "triple-fault"
  std::string message;   // one line: the panic's own words
  std::string details;   // lines for the test's diagnostics: the end of the kernel's log, the stack
  bool timeout = false;  // the run's time was up: the verdict is kTimeout and not kCrashed
};

// Used by one thread at a time. The result does not depend on how the bytes are cut into chunks.
class KtapParser {
 public:
  // Called at each result line, with the result (its name not made unique yet) and its depth, 0 for the outermost.
  using OnResult = std::function<void(const TestResult& result, size_t depth)>;

  explicit KtapParser(KtapLimits limits = {}, OnResult on_result = nullptr);

  // `at` is when the bytes came, from any fixed start: durations are made from it where the guest prints none.
  void Feed(std::string_view bytes, std::optional<absl::Duration> at = std::nullopt);

  // The name of the innermost test that is known to run; empty if none is.
  std::string Running() const;

  // Ends the stream. With a death, what had finished stays, the running test is crashed with the death's message, and
  // the rest of each known plan is not run; an unfinished last line is no result. Without one, what the plans promised
  // and the stream lacks is an error. Call it once, and nothing after it.
  ResultTree Close(const std::optional<GuestDeath>& death = std::nullopt);

 private:
  // Why results are missing, and what that makes of the running test and of the rest of the plan.
  struct Ending {
    Verdict verdict = Verdict::kError;
    std::string message;
    std::string details;
    bool sudden = false;  // something was running, even if no line says so
  };

  // The lines at one depth.
  struct Frame {
    int column = -1;  // -1: no line has said it yet
    std::vector<TestResult> results;
    std::vector<TestResult> subtests;  // of the test whose result line is still to come
    size_t height = 0;                 // levels in results
    size_t subtests_height = 0;        // levels in subtests
    std::string subtests_title;        // the name that they gave for it
    std::string running;               // from a line that says so
    std::string title;                 // "# Subtest:" inside
    std::string diagnostics;           // for the next result
    uint64_t diagnostics_dropped = 0;
    std::optional<uint64_t> plan;
    uint64_t seen = 0;                    // results since the last version line
    bool begun = false;                   // a version line, plan or result was seen
    std::optional<absl::Duration> since;  // when the next test began
  };

  void OnLine(std::string_view raw, bool cut);
  std::string_view WithoutForeignPrefix(std::string_view line);
  bool InYaml(const KtapLine& line, std::string_view text);
  void OnStructure(KtapLine& line);
  void OnVersion(Frame& frame);
  void OnPlan(Frame& frame, const KtapLine& line);
  void OnResultLine(Frame& frame, KtapLine& line);
  void OnBailOut(Frame& frame, const KtapLine& line);

  // The frame for `column`: deeper ones end, a new one is made if there is none. Null: too deep.
  Frame* Select(int column);
  bool EndInnermost(const Ending& ending);          // as Settle()
  bool Settle(Frame& frame, const Ending& ending);  // true if a test was marked with `ending`
  void KeepNotRun(Frame& frame, uint64_t count);
  void StartSegment(Frame& frame);
  void Keep(Frame& frame, TestResult result);
  void AddText(std::string_view text);
  void AddTo(std::string& diagnostics, uint64_t& dropped, std::string_view line);
  void TellError(std::string text);
  void TellTooDeep();
  std::string Short(std::string text) const;

  const KtapLimits limits_;
  const OnResult on_result_;
  LineCutter cutter_;
  std::vector<Frame> frames_;  // never empty; the outermost first
  ResultTree tree_;
  size_t kept_ = 0;
  size_t diagnostics_bytes_ = 0;
  uint64_t line_number_ = 0;
  std::string foreign_prefix_;         // of the last version line that had one
  std::optional<absl::Duration> now_;  // the time of the current line
  bool printk_times_ = false;
  int yaml_column_ = -1;       // inside a YAML block: its column
  bool after_result_ = false;  // the last line was a result: a YAML block may follow
};

}  // namespace vmm

#endif  // VMM_KTAP_KTAP_PARSER_H_
