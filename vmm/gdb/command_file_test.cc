#include "vmm/gdb/command_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using testing::HasSubstr;

TEST(GdbCommandsTest, SymbolsAreMovedToTheKernelsPlace) {
  const std::string text = GdbCommands("/run/me/gdb", 0x1e000000);
  EXPECT_THAT(text, HasSubstr("\n  symbol-file -o 0x1e000000 $arg0\n"));
  EXPECT_THAT(text, HasSubstr("\ntarget remote /run/me/gdb\n"));
}

TEST(GdbCommandsTest, APlaceThatIsNotKnownIsAskedFor) {
  EXPECT_THAT(GdbCommands("gdb", std::nullopt), HasSubstr("symbol-file -o $arg1 $arg0"));
}

TEST(GdbCommandsTest, TheFileIsItsOwnersAndIsReplaced) {
  const std::string path = testing::TempDir() + "/commands.gdb";
  ASSERT_TRUE(WriteGdbCommands(path, "a longer text\n").ok());
  ASSERT_TRUE(WriteGdbCommands(path, "text\n").ok());
  std::stringstream read;
  read << std::ifstream(path).rdbuf();
  EXPECT_EQ(read.str(), "text\n");
  struct stat status;
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const std::string link = path + ".link";
  unlink(link.c_str());
  ASSERT_EQ(symlink(path.c_str(), link.c_str()), 0);
  EXPECT_FALSE(WriteGdbCommands(link, "text\n").ok());
}

}  // namespace
}  // namespace vmm
