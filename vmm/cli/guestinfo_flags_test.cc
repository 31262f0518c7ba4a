#include "vmm/cli/guestinfo_flags.h"

#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

class GuestInfoFlagsTest : public testing::Test {
 protected:
  std::string File(const std::string& bytes) {
    const std::string path = testing::TempDir() + "/value";
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  static std::string Refusal(const std::vector<std::string>& values, const std::vector<std::string>& files = {}) {
    const auto entries = ReadGuestInfo(values, files);
    EXPECT_FALSE(entries.ok());
    return std::string(entries.status().message());
  }
};

TEST_F(GuestInfoFlagsTest, AWordIsAKeyAndAValueThatMayHaveAnything) {
  const std::vector<std::string> words = {"test.name=a b", "guestinfo.seed=1=2", "empty="};
  EXPECT_THAT(*ReadGuestInfo(words, {}), ElementsAre(Pair("test.name", "a b"), Pair("seed", "1=2"), Pair("empty", "")));
}

TEST_F(GuestInfoFlagsTest, AFileGivesItsBytes) {
  const std::string bytes("#cloud-config\n\0\xff", 16);
  const std::vector<std::string> words = {"userdata=" + File(bytes)};
  EXPECT_THAT(*ReadGuestInfo({}, words), ElementsAre(Pair("userdata", bytes)));
}

TEST_F(GuestInfoFlagsTest, ALargeValueIsTakenUpToItsLimit) {
  const std::vector<std::string> words = {"k=" + File(std::string(65'000, 'v'))};
  EXPECT_EQ(ReadGuestInfo({}, words)->at(0).second.size(), 65'000u);
  EXPECT_THAT(Refusal({}, {"k=" + File(std::string(65'001, 'v'))}), HasSubstr("65000 bytes"));
}

TEST_F(GuestInfoFlagsTest, WhatIsWrongIsNamedWithItsKeyAlone) {
  EXPECT_THAT(Refusal({"secret"}), HasSubstr("--guestinfo=secret: write KEY=VALUE"));
  EXPECT_THAT(Refusal({"=v"}), HasSubstr("--guestinfo="));
  EXPECT_THAT(Refusal({"a key=v"}), HasSubstr("--guestinfo=a key"));
  EXPECT_THAT(Refusal({std::string(129, 'k') + "=v"}), HasSubstr("128"));
  EXPECT_THAT(Refusal({"k=" + std::string(65'001, 's')}), testing::Not(HasSubstr("sss")));
}

TEST_F(GuestInfoFlagsTest, AFileThatIsNotThereIsSaidSo) {
  EXPECT_THAT(Refusal({}, {"k=/no/such/file"}), testing::AllOf(HasSubstr("/no/such/file"), HasSubstr("No such file")));
  EXPECT_THAT(Refusal({}, {"/no/such/file"}), HasSubstr("write KEY=FILE"));
}

TEST_F(GuestInfoFlagsTest, AllOfItTogetherHasALimit) {
  std::vector<std::string> words;
  for (int i = 0; i < 17; ++i) words.push_back("k" + std::to_string(i) + "=" + std::string(65'000, 'v'));
  EXPECT_THAT(Refusal(words), HasSubstr("--guestinfo=k16"));
}

}  // namespace
}  // namespace vmm
