#include "devices/debug_console.h"

#include <array>
#include <string>

#include "gtest/gtest.h"

namespace vmm {
namespace {

TEST(DebugConsoleTest, BytesWrittenComeOutInOrder) {
  std::string out;
  DebugConsole console([&](std::span<const uint8_t> data) { out.append(data.begin(), data.end()); });
  for (const char c : std::string_view("hi\n")) console.Write(0, std::array<uint8_t, 1>{static_cast<uint8_t>(c)});
  EXPECT_EQ(out, "hi\n");
}

TEST(DebugConsoleTest, AReadTellsThatItIsThere) {
  DebugConsole console([](std::span<const uint8_t>) {});
  std::array<uint8_t, 1> data{};
  console.Read(0, data);
  EXPECT_EQ(data[0], 0xe9);
}

}  // namespace
}  // namespace vmm
