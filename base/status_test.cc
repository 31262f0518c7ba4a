#include "base/status.h"

#include <cerrno>

#include "gtest/gtest.h"

namespace vmm {
namespace {

absl::StatusOr<int> Half(int n) {
  if (n % 2 != 0) return absl::InvalidArgumentError("odd");
  return n / 2;
}

absl::StatusOr<int> Quarter(int n) {
  ASSIGN_OR_RETURN(int half, Annotate(Half(n), "first half"));
  ASSIGN_OR_RETURN(int quarter, Annotate(Half(half), "second half"));
  return quarter;
}

TEST(StatusTest, ContextIsAddedOnceALayerAndTheCodeStays) {
  EXPECT_EQ(*Quarter(8), 2);
  const absl::Status status = Quarter(6).status();
  EXPECT_EQ(status.message(), "second half: odd");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
}

TEST(StatusTest, AnOkStatusTakesNoContext) { EXPECT_TRUE(Annotate(absl::OkStatus(), "x").ok()); }

TEST(StatusTest, ErrnoNamesTheReason) {
  const absl::Status status = ErrnoStatus(ENOENT, "open /no/such");
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "open /no/such: No such file or directory");
}

}  // namespace
}  // namespace vmm
