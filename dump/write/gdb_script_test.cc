#include "dump/write/gdb_script.h"

#include <gmock/gmock.h>

#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

TEST(GdbScriptTest, OpensTheCoreAndMovesTheSymbols) {
  const std::string script = GdbScript("vmcore.3", "6.1.0-56-cloud-amd64", 0x6200000);
  EXPECT_THAT(script, HasSubstr("\ncore-file vmcore.3\n"));
  EXPECT_THAT(script, HasSubstr("symbol-file -o 0x6200000 $arg0\n"));
  EXPECT_THAT(script, HasSubstr("gdb -x vmcore.3.gdb"));
  EXPECT_THAT(script, HasSubstr("vmlinux-6.1.0-56-cloud-amd64"));
}

TEST(GdbScriptTest, WithoutKaslrSymbolsStayWhereTheyAre) {
  EXPECT_THAT(GdbScript("vmcore", "", std::nullopt), HasSubstr("symbol-file -o 0 $arg0"));
}

}  // namespace
}  // namespace vmm
