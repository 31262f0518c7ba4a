#include "vmm/backend/host_share.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

TEST(ParseShareTest, AFolderAloneIsWritableUnderTheUsualTag) {
  const auto folder = ParseShare("/srv/data");
  ASSERT_TRUE(folder.ok());
  EXPECT_EQ(folder->path, "/srv/data");
  EXPECT_EQ(folder->tag, "share");
  EXPECT_FALSE(folder->read_only);
  EXPECT_FALSE(folder->nine_p);
}

TEST(ParseShareTest, TagAndOptionsStandAfterTheFolder) {
  const auto folder = ParseShare("/srv/data:root,9p,ro");
  ASSERT_TRUE(folder.ok());
  EXPECT_EQ(folder->path, "/srv/data");
  EXPECT_EQ(folder->tag, "root");
  EXPECT_TRUE(folder->read_only);
  EXPECT_TRUE(folder->nine_p);
}

TEST(ParseShareTest, APathMayHoldColonsAndCommas) {
  EXPECT_EQ(ParseShare("/a:b/c,d")->path, "/a:b/c,d");
  EXPECT_EQ(ParseShare("/a:b/c,ro,d")->path, "/a:b/c,ro,d");
}

TEST(ParseShareTest, NoFolderAndABadTagAreRefused) {
  EXPECT_FALSE(ParseShare("").ok());
  EXPECT_FALSE(ParseShare(",ro").ok());
  EXPECT_FALSE(ParseShare("/srv:").ok());
  EXPECT_TRUE(ParseShare("/srv:" + std::string(36, 't')).ok());
  EXPECT_THAT(std::string(ParseShare("/srv:" + std::string(37, 't')).status().message()),
              testing::HasSubstr("a tag of 37 bytes; 1 to 36"));
}

TEST(ParseNetTest, UserMayForwardPortsAndTapMayNot) {
  const auto network = ParseNet("user,port=8080:80,port=22");
  ASSERT_TRUE(network.ok());
  EXPECT_EQ(network->tap, "");
  EXPECT_EQ(network->ports, (std::vector<std::pair<uint16_t, uint16_t>>{{8080, 80}, {22, 22}}));
  EXPECT_EQ(ParseNet("tap:vm0")->tap, "vm0");
  EXPECT_FALSE(ParseNet("tap:vm0,port=1:2").ok());
}

TEST(ParseNetTest, TheAddressIsTheSameInEachRunUnlessOneIsGiven) {
  EXPECT_EQ(ParseNet("user")->mac, (std::array<uint8_t, 6>{0x52, 0x54, 0, 0x12, 0x34, 0x56}));
  EXPECT_EQ(ParseNet("user,mac=02:00:00:00:ab:CD")->mac, (std::array<uint8_t, 6>{2, 0, 0, 0, 0xab, 0xcd}));
}

TEST(ParseNetTest, WhatCannotBeIsRefused) {
  for (const char* const value :
       {"", "none", "tap:", "tap:a/b", "tap:sixteen-letters-", "user,port=", "user,port=0:1", "user,port=1:65536",
        "user,port=1:2:3", "user,mac=01:00:00:00:00:00", "user,mac=00:00:00:00:00:00", "user,mac=2:0:0:0:0:0",
        "user,mac=02:00:00:00:00", "user,what"}) {
    EXPECT_FALSE(ParseNet(value).ok()) << value;
  }
}

}  // namespace
}  // namespace vmm
