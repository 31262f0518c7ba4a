// Signals while vmm explains a death.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "guest-tests/core_notes.h"
#include "guest-tests/vmm_process.h"

namespace vmm {
namespace {

using testing::HasSubstr;

// Lets the process run until it forks, and holds the child before its first instruction. Returns the child's id; -1 if
// the process ended before that. The process runs on untraced, the child has to be waited for by the caller.
pid_t HoldNextChild(pid_t process) {
  for (int status = 0; waitpid(process, &status, __WALL) == process && WIFSTOPPED(status);) {
    if (status >> 16 == PTRACE_EVENT_FORK) {
      unsigned long child = 0;
      ptrace(PTRACE_GETEVENTMSG, process, nullptr, &child);
      ptrace(PTRACE_DETACH, process, nullptr, nullptr);
      return static_cast<pid_t>(child);
    }
    const int signal = status >> 16 == 0 ? WSTOPSIG(status) : 0;
    ptrace(PTRACE_CONT, process, nullptr, signal);
  }
  return -1;
}

TEST(SignalsAtDeathTest, TwoDuringTheExplanationLeaveTheDumpWholeAndTheRecordWritten) {
  if (const auto why = WhyNoKvm()) GTEST_SKIP() << *why;
  std::string directory = testing::TempDir() + "/second.XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  const std::string dump = directory + "/vmcore", record = directory + "/result.json";
  VmmProcess process(
      GuestArgs("pvpanic", "write=1",
                {"--panic-grace=3s", "--dump-dir=" + directory, "--dump-name=vmcore", "--result=" + record}));
  ASSERT_TRUE(process.WaitForOutput("# written"));
  if (ptrace(PTRACE_SEIZE, process.pid(), nullptr, PTRACE_O_TRACEFORK) != 0) {
    GTEST_SKIP() << "no process can be traced here: " << std::strerror(errno);
  }
  const pid_t explainer = HoldNextChild(process.pid());
  ASSERT_GT(explainer, 0);
  EXPECT_TRUE(std::filesystem::exists(dump)) << "the dump comes before the explanation";
  const auto size = std::filesystem::file_size(dump);

  process.Signal(SIGTERM);
  int status = 0;
  while (waitpid(explainer, &status, __WALL) == explainer && WIFSTOPPED(status)) continue;
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  process.Signal(SIGTERM);

  const VmmResult result = process.Wait();
  EXPECT_EQ(result.exit_code, 120) << result.Describe();
  EXPECT_EQ(std::filesystem::file_size(dump), size);
  const auto notes = ReadCoreNotes(dump);
  ASSERT_TRUE(notes.ok()) << notes.status();
  EXPECT_EQ(notes->prstatus.size(), 1u);
  const nlohmann::json json = nlohmann::json::parse(std::ifstream(record), nullptr, /*allow_exceptions=*/false);
  ASSERT_TRUE(json.is_object()) << "no record";
  EXPECT_EQ(json["exit_code"], 120);
  EXPECT_THAT(json["death"]["missing"].dump(), HasSubstr("a signal ended it"));
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace vmm
