#include "base/zero_page.h"

#include <array>

#include "gtest/gtest.h"

namespace vmm {
namespace {

TEST(ZeroPageTest, OneByteAnywhereMakesAPageNotZero) {
  std::array<uint8_t, kPageSize> page = {};
  EXPECT_TRUE(IsZeroPage(page.data()));
  for (uint8_t& byte : page) {
    byte = 1;
    EXPECT_FALSE(IsZeroPage(page.data()));
    byte = 0;
  }
}

}  // namespace
}  // namespace vmm
