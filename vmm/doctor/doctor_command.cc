#include "vmm/doctor/doctor_command.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_format.h"
#include "base/json_text.h"
#include "base/log.h"
#include "vmm/doctor/host_checks.h"
#include "vmm/doctor/kernel_checks.h"
#include "vmm/ktap/clean_line.h"
#include "vmm/outcome/exit_code.h"

namespace vmm {
namespace {

using nlohmann::ordered_json;
using Level = Diagnosis::Level;

constexpr int kSchemaVersion = 1;

constexpr std::string_view kHelp =
    "vmm doctor says what this machine, and a kernel, have of what vmm needs.\n"
    "\n"
    "  vmm doctor [--kernel=FILE] [--json]\n"
    "\n"
    "Exit status: 0, or 1 if no guest (or not this kernel) can run.\n"
    "\n"
    "  --kernel=FILE               look at this kernel too: its modules, its configuration\n"
    "                              and what it lacks for which use\n"
    "  --json                      print the findings as JSON\n"
    "  --help                      this text\n";

std::string_view LevelName(Level level) {
  switch (level) {
    case Level::kOk: return "ok";
    case Level::kWarning: return "warning";
    case Level::kProblem: return "problem";
  }
  return "?";
}

bool HasProblem(const Diagnoses& findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Diagnosis& finding) { return finding.level == Level::kProblem; });
}

Diagnoses Examine(const std::string& kernel) {
  Diagnoses findings = CheckKvm("");
  findings.push_back(CheckMemory(""));
  findings.push_back(CheckUserNamespaces("", TryUserNamespace()));
  const char* const path = std::getenv("PATH");
  for (Diagnosis& finding : CheckHelpers("", path == nullptr ? "" : path)) findings.push_back(std::move(finding));
  if (kernel.empty()) return findings;
  for (Diagnosis& finding : CheckKernel(kernel, "")) findings.push_back(std::move(finding));
  return findings;
}

}  // namespace

std::string DiagnosesText(const Diagnoses& findings) {
  std::string text;
  for (const Diagnosis& finding : findings) {
    text +=
        absl::StrFormat("%-8s %s: %s\n", LevelName(finding.level), CleanLine(finding.subject), CleanLine(finding.text));
    if (!finding.remedy.empty()) text += absl::StrFormat("%8s -> %s\n", "", CleanLine(finding.remedy));
  }
  return text;
}

std::string DiagnosesJson(const Diagnoses& findings) {
  ordered_json list = ordered_json::array();
  for (const Diagnosis& finding : findings) {
    list.push_back({{"level", std::string(LevelName(finding.level))},
                    {"subject", finding.subject},
                    {"text", finding.text},
                    {"remedy", finding.remedy}});
  }
  return JsonText({{"schema_version", kSchemaVersion}, {"can_run", !HasProblem(findings)}, {"findings", list}}, 1) +
         "\n";
}

int DoctorCommand(const std::vector<std::string>& words) {
  std::string kernel;
  bool json = false;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--help") {
      std::fputs(std::string(kHelp).c_str(), stdout);
      return std::fflush(stdout) == 0 ? 0 : kExitVmmError;
    }
    if (words[i] == "--json") {
      json = true;
    } else if (words[i].starts_with("--kernel=")) {
      kernel = words[i].substr(9);
    } else if (words[i] == "--kernel" && i + 1 < words.size()) {
      kernel = words[++i];
    } else {
      LogInfo(
          absl::StrFormat("doctor: %s: no such flag; see vmm doctor --help [exit %d]", words[i], int{kExitVmmError}));
      return kExitVmmError;
    }
  }
  const Diagnoses findings = Examine(kernel);
  std::fputs((json ? DiagnosesJson(findings) : DiagnosesText(findings)).c_str(), stdout);
  if (std::fflush(stdout) != 0) return kExitVmmError;
  return HasProblem(findings) ? 1 : 0;
}

}  // namespace vmm
