#include "vmm/cli/disk_flags.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using testing::HasSubstr;
using Changes = DiskConfig::Changes;

TEST(DiskFlags, ADiskIsAFileAndWhereItsChangesGo) {
  EXPECT_EQ(*ParseDisk("a.img"), (DiskConfig{"a.img", Changes::kToFile, ""}));
  EXPECT_EQ(*ParseDisk("/dev/vg/lv,ro"), (DiskConfig{"/dev/vg/lv", Changes::kRefused, ""}));
  EXPECT_EQ(*ParseDisk("a.img,overlay"), (DiskConfig{"a.img", Changes::kToMemory, ""}));
  EXPECT_EQ(*ParseDisk("a.img,overlay=b,c=d"), (DiskConfig{"a.img", Changes::kToOverlay, "b,c=d"}));
}

TEST(DiskFlags, ACommaInADisksNameIsWrittenTwice) {
  EXPECT_EQ(*ParseDisk("a,,ro"), (DiskConfig{"a,ro", Changes::kToFile, ""}));
  EXPECT_EQ(*ParseDisk("a,,,ro"), (DiskConfig{"a,", Changes::kRefused, ""}));
  EXPECT_THAT(std::string(ParseDisk("a,b.img").status().message()), HasSubstr("written twice"));
}

TEST(DiskFlags, OtherWordsAreRefused) {
  for (const char* bad : {"", ",ro", "a,", "a,rw", "a,RO", "a,overlay=", "a,ro,overlay", "a,format=qcow2"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseDisk(bad).status())) << bad;
  }
  const std::vector<std::string> words = {"ok.img", "a,rw"};
  EXPECT_THAT(std::string(ReadDisks(words).status().message()), HasSubstr("--disk=a,rw: 'rw' is none of"));
}

TEST(DiskFlags, APortIsANameAndAPlace) {
  EXPECT_EQ(*ParsePort("log=a=b"), (PortConfig{"log", "a=b"}));
  EXPECT_EQ(*ParsePort("ctl=unix:/tmp/s"), (PortConfig{"ctl", "unix:/tmp/s"}));
  for (const char* bad : {"", "a", "=a", "a="}) EXPECT_FALSE(ParsePort(bad).ok()) << bad;
  const std::vector<std::string> words = {"a=1", "b=2", "a=3"};
  EXPECT_THAT(std::string(ReadPorts(words).status().message()), HasSubstr("--virtio-port=a=3: a port has that name"));
}

}  // namespace
}  // namespace vmm
