// For GoogleTest: a fixture whose tests boot guests, and expectations on how they end.
//
//   class MyDriverTest : public libvmm::VmTest {};
//
//   TEST_F(MyDriverTest, RejectsAZeroLength) {
//     config.kernel = "bzImage";
//     config.program = {"./my_test", "zero-length"};
//     EXPECT_GUEST_EXIT(Run(), 0);
//   }
#ifndef VMM_LIB_TESTING_VM_FIXTURE_H_
#define VMM_LIB_TESTING_VM_FIXTURE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "vmm/lib/libvmm.h"

namespace libvmm {

class VmTest : public testing::Test {
 protected:
  // A machine without /dev/kvm skips the test.
  void SetUp() override;

  // If the test passed, removes the dumps. Else they stay, in $TEST_UNDECLARED_OUTPUTS_DIR if that is set (Bazel).
  void TearDown() override;

  // Runs `config`'s guest. May be called again, and with changes in between.
  absl::StatusOr<RunOutcome> Run() { return libvmm::Run(config); }

  // When the test begins: 256 MiB, a time-out of 60 s, and a dump_dir that belongs to this test.
  Config config;
};

// For the two macros below.
testing::AssertionResult PanicsWith(const char* run_text, const char* words_text, const absl::StatusOr<RunOutcome>& run,
                                    std::string_view words);
testing::AssertionResult ExitsWith(const char* run_text, const char* status_text, const absl::StatusOr<RunOutcome>& run,
                                   uint32_t status);

// Everything about an outcome that helps a reader of a failed test.
std::string Describe(const absl::StatusOr<RunOutcome>& run);

}  // namespace libvmm

// `run` is a StatusOr<RunOutcome>, or a RunOutcome. Its guest panicked, and `words` stand in the cause, or on the
// console.
#define EXPECT_PANICS_WITH(run, words) EXPECT_PRED_FORMAT2(::libvmm::PanicsWith, run, words)
#define ASSERT_PANICS_WITH(run, words) ASSERT_PRED_FORMAT2(::libvmm::PanicsWith, run, words)

// The guest, or its program, ended with `status`. A panic, a hang and a power-off without a status are no such end.
#define EXPECT_GUEST_EXIT(run, status) EXPECT_PRED_FORMAT2(::libvmm::ExitsWith, run, status)
#define ASSERT_GUEST_EXIT(run, status) ASSERT_PRED_FORMAT2(::libvmm::ExitsWith, run, status)

#endif  // VMM_LIB_TESTING_VM_FIXTURE_H_
