#include "vmm/outcome/tool_lines.h"

#include <stdlib.h>

#include <fstream>
#include <map>

#include "gtest/gtest.h"

namespace vmm {
namespace {

using Lines = std::map<std::string, std::string>;

Lines LinesOf(const VmConfig& config, const VmcoreReport& dump) {
  const auto lines = ToolLines(config, dump);
  return {lines.begin(), lines.end()};
}

VmcoreReport ADump(std::string path) {
  return {.path = std::move(path),
          .readable_by = {{Reader::kCrash, std::nullopt}, {Reader::kDrgn, std::nullopt}, {Reader::kGdb, std::nullopt}}};
}

TEST(ToolLinesTest, EachOpensTheDump) {
  const Lines lines = LinesOf({}, ADump("/var/ci/vmcore.3"));
  EXPECT_EQ(lines.at("crash"), "crash VMLINUX /var/ci/vmcore.3");
  EXPECT_EQ(lines.at("drgn"), "drgn -c /var/ci/vmcore.3 -s VMLINUX");
  EXPECT_EQ(lines.at("gdb"), "cd /var/ci && gdb -x vmcore.3.gdb -ex 'kernel VMLINUX' -ex 'thread apply all bt'");
  EXPECT_EQ(lines.at("vmcore"), "vmcore report /var/ci/vmcore.3");
}

TEST(ToolLinesTest, AVmlinuxThatIsKnownIsNamed) {
  const std::string vmlinux = std::string(getenv("TEST_TMPDIR")) + "/my vmlinux";
  std::ofstream(vmlinux) << "\177ELF and more";
  VmConfig config;
  config.boot.kernel_path = vmlinux;
  EXPECT_EQ(LinesOf(config, ADump("/vmcore")).at("crash"), "crash '" + vmlinux + "' /vmcore");
}

TEST(ToolLinesTest, WhoCannotReadItHasNoLine) {
  VmcoreReport dump = ADump("/vmcore");
  dump.readable_by[2].why_not = "gdb reads ELF only";
  EXPECT_FALSE(LinesOf({}, dump).contains("gdb"));
}

TEST(ToolLinesTest, APathIsAbsoluteAndQuoted) {
  const std::string line = LinesOf({}, ADump("./it's here")).at("vmcore");
  EXPECT_TRUE(line.starts_with("vmcore report '/")) << line;
  EXPECT_TRUE(line.ends_with("it'\\''s here'")) << line;
}

TEST(ToolLinesTest, AStreamIsNobodysYet) { EXPECT_TRUE(LinesOf({}, {.path = "standard output"}).empty()); }

}  // namespace
}  // namespace vmm
