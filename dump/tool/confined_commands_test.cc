// Each command does the same in the sandbox that `vmcore` gives it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "dump/kernel/testing/made_up_kernel.h"
#include "dump/testing/dumped_guest.h"
#include "dump/tool/commands.h"
#include "dump/tool/run_tool.h"
#include "sandbox/file_parser.h"

namespace vmm {
namespace {

using testing::HasSubstr;

class ConfinedCommandsTest : public testing::Test {
 protected:
  ConfinedCommandsTest() : dump_({}, [](LinuxGuest& guest) { MadeUpKernel(guest, {}); }) {}

  std::string Path(const std::string& name) const { return dump_.folder() + "/" + name; }

  std::string Take(const std::string& name) const {
    std::stringstream text;
    text << std::ifstream(Path(name)).rdbuf();
    std::filesystem::remove(Path(name));
    return text.str();
  }

  // Runs in a child, because what is given up does not come back. Returns exit code, output and messages.
  std::string Run(const std::vector<std::string>& arguments, bool confined) const {
    const Confine confine = [](const CommandFiles& files) {
      return ConfineFileParser(files.inputs, files.output_directories);
    };
    const pid_t child = fork();
    if (child == 0) {
      std::ofstream out(Path("stdout")), err(Path("stderr"));
      const int code = RunTool(AllCommands(), arguments, out, err, confined ? confine : Confine());
      out.close(), err.close();
      _exit(code);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return std::to_string(status) + "\n" + Take("stdout") + Take("stderr");
  }

  void ExpectTheSame(const std::vector<std::string>& arguments) const {
    const std::string free = Run(arguments, /*confined=*/false);
    EXPECT_EQ(Run(arguments, /*confined=*/true), free) << testing::PrintToString(arguments);
  }

  const DumpedGuest dump_;
};

TEST_F(ConfinedCommandsTest, ThoseThatReadADumpPrintTheSame) {
  for (const char* name : {"info", "check", "dmesg", "report", "tasks", "console", "vmcs", "guest"}) {
    ExpectTheSame({name, dump_.path()});
    ExpectTheSame({name, dump_.path(), "--json"});
    ExpectTheSame({name, Path("none")});
  }
  ExpectTheSame({"report", dump_.path(), "--html"});
  ExpectTheSame({"compare", dump_.path(), dump_.path()});
}

TEST_F(ConfinedCommandsTest, ThoseWithASecondInputReadItToo) {
  std::ofstream(Path("System.map")) << "ffffffff81000000 T _stext\n";
  ExpectTheSame({"report", dump_.path(), "--system-map=" + Path("System.map")});
  ExpectTheSame({"report", dump_.path(), "--vmlinux", "/proc/self/exe"});
  ExpectTheSame({"compare", dump_.path(), "--raw=" + dump_.path()});
}

TEST_F(ConfinedCommandsTest, ThoseThatMakeAFileMakeTheSame) {
  for (const char* format : {"elf", "kdump-zlib", "kdump-zstd"}) {
    std::string made[2];
    for (const bool confined : {false, true}) {
      const std::string said =
          Run({"convert", dump_.path(), Path("made"), std::string("--format=") + format}, confined);
      EXPECT_THAT(said, testing::StartsWith("0\n")) << format;
      made[confined] = Take("made");
      std::filesystem::remove(Path("made.gdb"));
    }
    EXPECT_TRUE(made[0] == made[1]) << format;
  }
  EXPECT_THAT(Run({"report", dump_.path(), "--html", "-o", Path("page")}, true), testing::StartsWith("0\n"));
  EXPECT_THAT(Take("page"), HasSubstr("<html"));
  const Invocation extract("guest", {"in"}, {{"output", "to/out"}}, std::cout, std::cerr);
  EXPECT_THAT(extract.Files().output_directories, testing::ElementsAre("to"));
}

}  // namespace
}  // namespace vmm
