#include "vmm/backend/find_program.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <future>
#include <memory>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "vmm/backend/back_end_process.h"

namespace vmm {

absl::StatusOr<std::string> FindProgram(std::span<const std::string_view> candidates, std::string_view package) {
  const char* const path = std::getenv("PATH");
  std::vector<std::string> folders = absl::StrSplit(path == nullptr ? "/usr/bin:/bin" : path, ':', absl::SkipEmpty());
  folders.push_back("/usr/sbin");
  for (const std::string_view candidate : candidates) {
    if (candidate.find('/') != std::string_view::npos) {
      if (access(std::string(candidate).c_str(), X_OK) == 0) return std::string(candidate);
      continue;
    }
    for (const std::string& folder : folders) {
      std::string program = absl::StrFormat("%s/%s", folder, candidate);
      if (access(program.c_str(), X_OK) == 0) return program;
    }
  }
  return absl::NotFoundError(
      absl::StrFormat("%s is not installed; on Debian: apt install %s", candidates.front(), package));
}

absl::StatusOr<std::string> AskProgram(const std::string& path, const std::string& option) {
  std::string text;
  std::promise<void> ended;
  BackEndPlan plan = {.name = path, .argv = {path, option}};
  plan.on_line = [&text](std::string_view line) { text.append(line).append(1, '\n'); };
  ASSIGN_OR_RETURN(const std::unique_ptr<BackEndProcess> process,
                   BackEndProcess::Start(std::move(plan), [&ended](const std::string&) { ended.set_value(); }));
  if (ended.get_future().wait_for(std::chrono::seconds(5)) == std::future_status::ready) return text;
  return absl::DeadlineExceededError(absl::StrFormat("%s %s: no end after 5 s", path, option));
}

}  // namespace vmm
