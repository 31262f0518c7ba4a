#include "devices/virtio/descriptor_chain.h"

#include <array>
#include <string>

#include "gtest/gtest.h"

namespace vmm {
namespace {

iovec Buffer(std::string& text) { return {text.data(), text.size()}; }

TEST(DescriptorChain, ReadsAcrossBuffersAndStopsAtTheLast) {
  std::string a = "abc", b, c = "defg";
  DescriptorChain chain(7, {Buffer(a), Buffer(b), Buffer(c)}, {});
  std::array<uint8_t, 5> five;
  EXPECT_EQ(chain.Read(five), 5u);
  EXPECT_EQ(std::string(five.begin(), five.end()), "abcde");
  EXPECT_EQ(chain.readable_bytes(), 2u);
  EXPECT_EQ(chain.Read(five), 2u);
  EXPECT_EQ(chain.readable_bytes(), 0u);
  EXPECT_TRUE(chain.readable().empty());
}

TEST(DescriptorChain, WritesFromTheFrontAndSaysHowMuchFitted) {
  std::string a = "....", b = "..";
  DescriptorChain chain(0, {}, {Buffer(a), Buffer(b)});
  const std::array<uint8_t, 5> data = {'h', 'e', 'l', 'l', 'o'};
  EXPECT_EQ(chain.Write(data), 5u);
  EXPECT_EQ(chain.Write(data), 1u);
  EXPECT_EQ(a + b, "helloh");
  EXPECT_EQ(chain.writable_bytes(), 0u);
}

TEST(DescriptorChain, TakesBuffersApartInTheMiddle) {
  std::string a = "0123456789";
  DescriptorChain chain(0, {Buffer(a)}, {});
  const std::vector<iovec> front = chain.TakeReadable(4);
  ASSERT_EQ(front.size(), 1u);
  EXPECT_EQ(front[0].iov_base, a.data());
  EXPECT_EQ(front[0].iov_len, 4u);
  EXPECT_EQ(chain.readable()[0].iov_base, a.data() + 4);
  EXPECT_EQ(chain.TakeReadable(100).at(0).iov_len, 6u);
}

}  // namespace
}  // namespace vmm
