#include "vmm/cli/vmcoreinfo_file.h"

#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

std::string File(const std::string& contents) {
  const std::string path = testing::TempDir() + "/vmcoreinfo";
  std::ofstream(path, std::ios::binary) << contents;
  return path;
}

TEST(VmcoreInfoFileTest, ATextIsRead) {
  const std::string text = "OSRELEASE=6.1.0\nPAGESIZE=4096\n";
  const auto info = ReadVmcoreInfoFile(File(text));
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->text(), text);
}

TEST(VmcoreInfoFileTest, AnotherFileIsRefusedByName) {
  EXPECT_THAT(ReadVmcoreInfoFile(File("\x7f"
                                      "ELF"))
                  .status()
                  .message(),
              HasSubstr("/vmcoreinfo: neither"));
  EXPECT_THAT(std::string(ReadVmcoreInfoFile("/no/such").status().message()), HasSubstr("/no/such: "));
}

}  // namespace
}  // namespace vmm
