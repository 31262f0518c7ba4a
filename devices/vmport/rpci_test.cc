#include "devices/vmport/rpci.h"

#include <gtest/gtest.h>

namespace vmm {
namespace {

class RpciTest : public testing::Test {
 protected:
  std::string Ask(std::string_view request) { return AnswerRpci(request, machine_id_, records_); }

  GuestRecords records_;
  std::string machine_id_;
};

TEST_F(RpciTest, AValueSetIsTheValueGot) {
  EXPECT_EQ(Ask("info-set guestinfo.k a value  with spaces "), "1 ");
  EXPECT_EQ(Ask("info-get guestinfo.k"), "1 a value  with spaces ");
  EXPECT_EQ(records_.info.entries().at("k").by, GuestInfoStore::By::kGuest);
}

// cloud-init compares these words.
TEST_F(RpciTest, AValueThatIsNotThereIsNotFound) {
  EXPECT_EQ(Ask("info-get guestinfo.nothing"), "0 No value found");
  EXPECT_EQ(Ask("info-get other.k"), "0 No value found");
  EXPECT_EQ(Ask("info-get"), "0 No value found");
}

// vmtoolsd sends a NUL after every request; vmware-rpctool sends none.
TEST_F(RpciTest, OneNulAtTheEndIsNoPartOfTheRequest) {
  EXPECT_EQ(Ask(std::string("info-set guestinfo.k v\0", 23)), "1 ");
  EXPECT_EQ(Ask(std::string("info-get guestinfo.k\0", 21)), "1 v");
  EXPECT_EQ(Ask(std::string("info-set guestinfo.k v\0\0", 24)), "1 ");
  EXPECT_EQ(Ask("info-get guestinfo.k"), std::string("1 v\0", 4));
}

TEST_F(RpciTest, N16_KeysThatAreNoneAreRefused) {
  EXPECT_EQ(Ask("info-get guestinfo."), "0 No value found");
  EXPECT_EQ(Ask("info-set guestinfo. v"), "0 Invalid key");
  EXPECT_EQ(Ask("info-set guestinfo.a\nb v"), "0 Invalid key");
  EXPECT_EQ(Ask(std::string("info-set guestinfo.a\0b v", 24)), "0 Invalid key");
  EXPECT_EQ(Ask("info-set other.k v"), "0 Permission denied");
  EXPECT_EQ(Ask("info-set guestinfo." + std::string(129, 'k') + " v"), "0 Key is too long");
  EXPECT_EQ(Ask("info-get guestinfo." + std::string(129, 'k')), "0 Key is too long");
  EXPECT_TRUE(records_.info.entries().empty());
}

TEST_F(RpciTest, N16_AKeyWithoutAValueIsNotASet) {
  EXPECT_EQ(Ask("info-set guestinfo.k"), "0 Two and exactly two arguments expected");
  EXPECT_EQ(Ask("info-set"), "0 Two and exactly two arguments expected");
  EXPECT_EQ(Ask("info-set guestinfo.k "), "1 ");
  EXPECT_EQ(Ask("info-get guestinfo.k"), "1 ");
}

TEST_F(RpciTest, N16_EachLimitHasItsWords) {
  EXPECT_EQ(Ask("info-set guestinfo.k " + std::string(65'001, 'v')), "0 Value too long");
  for (int i = 0; i < 16; ++i) {
    EXPECT_EQ(Ask("info-set guestinfo.k" + std::to_string(i) + " " + std::string(65'000, 'v')), "1 ");
  }
  EXPECT_EQ(Ask("info-set guestinfo.big " + std::string(65'000, 'v')), "0 Out of memory");
  for (int i = 16; i < 256; ++i) EXPECT_EQ(Ask("info-set guestinfo.k" + std::to_string(i) + " v"), "1 ");
  EXPECT_EQ(Ask("info-set guestinfo.more v"), "0 Too many keys");
}

TEST_F(RpciTest, AnUnknownCommandIsToldSo) {
  for (const char* request : {"", " ", "bogus", "info-getx guestinfo.k", "INFO-GET guestinfo.k", "vmx.capability.x"}) {
    EXPECT_EQ(Ask(request), "0 Unknown command") << request;
  }
}

TEST_F(RpciTest, ToolsTellTheirVersionInThreeWays) {
  EXPECT_EQ(Ask("tools.set.version 12345"), "1 ");
  EXPECT_EQ(records_.tools.version, 12345u);
  EXPECT_EQ(Ask("tools.set.versiontype 12352 4"), "1 ");
  EXPECT_EQ(records_.tools.version, 12352u);
  EXPECT_EQ(Ask("SetGuestInfo  4 build-21223074"), "1 ");
  EXPECT_EQ(records_.tools.build, 21223074u);
  EXPECT_EQ(Ask("log toolbox: Version: build-82663"), "1 ");
  EXPECT_EQ(records_.tools.build, 82663u);
}

TEST_F(RpciTest, AVersionThatIsNoNumberIsRefused) {
  for (const char* request : {"tools.set.version", "tools.set.version x", "tools.set.version -1",
                              "tools.set.version 99999999999", "tools.set.versiontype "}) {
    EXPECT_EQ(Ask(request), "0 Invalid argument") << request;
  }
  EXPECT_EQ(Ask("log toolbox: Version: build-99999999999"), "1 ");
  EXPECT_EQ(records_.tools, ToolsInfo());
}

TEST_F(RpciTest, AStateChangeIsRecorded) {
  EXPECT_EQ(Ask("tools.os.statechange.status 1 2"), "1 ");
  EXPECT_EQ(records_.tools.last_change, StateChange::kReboot);
  EXPECT_TRUE(records_.tools.last_change_ok);
  EXPECT_EQ(Ask("tools.os.statechange.status 1 6"), "0 Invalid argument");
  EXPECT_EQ(Ask("tools.os.statechange.status 1"), "0 Invalid argument");
  EXPECT_EQ(records_.tools.last_change, StateChange::kReboot);
}

TEST_F(RpciTest, CapabilitiesAreAccepted) {
  EXPECT_EQ(Ask("tools.capability.statechange"), "1 ");
  EXPECT_TRUE(records_.tools.statechange);
  EXPECT_EQ(Ask("tools.capability.hgfs_server toolbox 1"), "1 ");
  EXPECT_EQ(Ask("tools.capability.features 0=1 2=1 3=0"), "1 ");
  EXPECT_EQ(Ask("vmx.capability.unified_loop toolbox"), "1 ");
  EXPECT_EQ(Ask("vmx.set_option synctime 0 1"), "1 ");
}

TEST_F(RpciTest, TheMachineIdIsToldIfThereIsOne) {
  EXPECT_EQ(Ask("machine.id.get"), "0 No machine id");
  machine_id_ = "rack-7";
  EXPECT_EQ(Ask("machine.id.get"), "1 rack-7");
}

TEST_F(RpciTest, N24_AFloodOfLogLinesIsBounded) {
  for (int i = 0; i < 100'000; ++i) EXPECT_EQ(Ask("log " + std::to_string(i)), "1 ");
  EXPECT_EQ(Ask("log " + std::string(60'000, 'x')), "1 ");
  EXPECT_EQ(records_.log.lines().size(), GuestLog::kMaxLines);
  EXPECT_EQ(records_.log.lines().back().size(), GuestLog::kMaxLineSize);
  EXPECT_EQ(records_.log.dropped(), 100'001 - GuestLog::kMaxLines);
}

}  // namespace
}  // namespace vmm
