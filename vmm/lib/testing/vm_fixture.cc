#include "vmm/lib/testing/vm_fixture.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_format.h"

namespace libvmm {
namespace {

constexpr size_t kMostConsole = 2000;  // bytes of it in a message

std::string LastOf(const Stream& stream) {
  const std::string& bytes = stream.bytes;
  return bytes.substr(bytes.size() - std::min(bytes.size(), kMostConsole));
}

}  // namespace

void VmTest::SetUp() {
  if (access("/dev/kvm", R_OK | W_OK) != 0) GTEST_SKIP() << "this user may not use /dev/kvm here, or there is none";
  const char* const outputs = std::getenv("TEST_UNDECLARED_OUTPUTS_DIR");
  const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
  std::string folder =
      absl::StrFormat("%s/%s.%s-XXXXXX", outputs != nullptr ? std::string(outputs) : testing::TempDir(),
                      test.test_suite_name(), test.name());
  // A parameterised test has slashes in its name.
  std::replace(folder.end() - static_cast<ptrdiff_t>(folder.size() - folder.rfind(test.name())), folder.end(), '/',
               '.');
  ASSERT_NE(mkdtemp(folder.data()), nullptr) << folder;
  config.dump_dir = folder;
  config.memory_mib = 256;
  config.timeout = absl::Seconds(60);
}

void VmTest::TearDown() {
  std::error_code ignored;
  if (!HasFailure() && !config.dump_dir.empty()) std::filesystem::remove_all(config.dump_dir, ignored);
}

std::string Describe(const absl::StatusOr<RunOutcome>& run) {
  if (!run.ok()) return "there was no run: " + run.status().ToString();
  std::string text = run->summary;
  if (!run->cause.empty()) text += "\ncause: " + run->cause;
  if (!run->stdout_stream.bytes.empty()) text += "\nstandard output ends with:\n" + LastOf(run->stdout_stream);
  if (!run->stderr_stream.bytes.empty()) text += "\nstandard error ends with:\n" + LastOf(run->stderr_stream);
  return text + "\nconsole ends with:\n" + LastOf(run->console);
}

testing::AssertionResult PanicsWith(const char* run_text, const char* words_text, const absl::StatusOr<RunOutcome>& run,
                                    std::string_view words) {
  if (run.ok() && run->panicked()) {
    for (const std::string* text : {&run->cause, &run->summary, &run->console.bytes}) {
      if (text->find(words) != text->npos) return testing::AssertionSuccess();
    }
  }
  return testing::AssertionFailure() << run_text << " should panic with " << words_text << ", but: " << Describe(run);
}

testing::AssertionResult ExitsWith(const char* run_text, const char* status_text, const absl::StatusOr<RunOutcome>& run,
                                   uint32_t status) {
  if (run.ok() && run->status == status) return testing::AssertionSuccess();
  return testing::AssertionFailure() << run_text << " should end with status " << status_text
                                     << ", but: " << Describe(run);
}

}  // namespace libvmm
