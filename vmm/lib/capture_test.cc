#include "vmm/lib/capture.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace libvmm {
namespace {

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

TEST(CaptureTest, KeepsTheBeginningAndCountsTheRest) {
  std::string heard;
  Capture capture(5, [&](std::string_view bytes) { heard += bytes; });
  capture.Take(Bytes("abc"));
  capture.Take(Bytes("defg"));
  capture.Take(Bytes("h"));
  EXPECT_EQ(heard, "abcdefgh");
  const Stream stream = capture.Release();
  EXPECT_EQ(stream.bytes, "abcde");
  EXPECT_EQ(stream.dropped, 3u);
}

}  // namespace
}  // namespace libvmm
