// A path that a vmcore command reads may be anything. If it is no dump, the command must refuse it at once and name its
// kind.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "dump/testing/dumped_guest.h"
#include "dump/tool/commands.h"
#include "dump/tool/run_tool.h"

namespace vmm {
namespace {

using testing::HasSubstr;

class InputPathsTest : public testing::Test {
 protected:
  InputPathsTest()
      : fifo_(dump_.folder() + "/fifo"), empty_(dump_.folder() + "/empty"), huge_(dump_.folder() + "/huge") {
    EXPECT_EQ(mkfifo(fifo_.c_str(), 0600), 0);
    for (const std::string& path : {empty_, huge_}) UniqueFd(open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    EXPECT_EQ(truncate(huge_.c_str(), 1ll << 40), 0);
    socket_ = "/tmp/" + std::to_string(getpid()) + ".vmcore-socket";  // sun_path is short
    listener_.reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::copy(socket_.begin(), socket_.end(), address.sun_path);
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }

  ~InputPathsTest() override {
    for (const std::string& path : {fifo_, empty_, huge_, socket_}) unlink(path.c_str());
  }

  void ExpectRefused(const std::vector<std::string>& arguments, const std::string& path, const std::string& said) {
    std::ostringstream out, err;
    EXPECT_EQ(RunTool(AllCommands(), arguments, out, err), kExitBadFile) << testing::PrintToString(arguments);
    EXPECT_THAT(err.str(), HasSubstr(path)) << testing::PrintToString(arguments);
    EXPECT_THAT(err.str(), HasSubstr(said)) << testing::PrintToString(arguments);
  }

  // In `arguments`, "@" stands for the path.
  void ExpectAllRefused(std::vector<std::string> arguments, const std::string& of_huge) {
    for (const auto& [path, said] :
         {std::pair{fifo_, std::string("it is a FIFO")}, std::pair{std::string("/"), std::string("it is a directory")},
          std::pair{std::string("/dev/zero"), std::string("it is a character device")},
          std::pair{socket_, std::string("it is a socket")}, std::pair{empty_, std::string("the file is empty")},
          std::pair{dump_.folder() + "/none", std::string("No such file")}, std::pair{huge_, of_huge}}) {
      std::vector<std::string> words = arguments;
      for (std::string& word : words) {
        if (const size_t at = word.find('@'); at != word.npos) word.replace(at, 1, path);
      }
      ExpectRefused(words, path, said);
    }
  }

  const DumpedGuest dump_;
  std::string fifo_, empty_, huge_, socket_;
  UniqueFd listener_;
};

TEST_F(InputPathsTest, TheDumpOfEveryCommandIsARegularFile) {
  const std::string zeros = "bytes are zeros";
  for (const Command& command : AllCommands()) {
    if (command.name == "console") continue;  // reads a log
    std::vector<std::string> arguments = {command.name, "@"};
    if (command.name == "compare") arguments.push_back(dump_.path());
    if (command.name == "convert") arguments.push_back(dump_.folder() + "/out");
    ExpectAllRefused(arguments, zeros);
  }
  ExpectAllRefused({"compare", dump_.path(), "@"}, zeros);
}

TEST_F(InputPathsTest, ALogIsARegularFileToo) {
  for (const auto& [path, said] :
       {std::pair{fifo_, "it is a FIFO"}, std::pair{std::string("/"), "it is a directory"},
        std::pair{std::string("/dev/zero"), "it is a character device"}, std::pair{socket_, "it is a socket"},
        std::pair{dump_.folder() + "/none", "No such file"}, std::pair{huge_, "1099511627776 bytes"}}) {
    ExpectRefused({"console", path}, path, said);
  }
  std::ostringstream out, err;
  EXPECT_EQ(RunTool(AllCommands(), {"console", empty_}, out, err), kExitFine) << "an empty log has no report";
}

TEST_F(InputPathsTest, SoIsTheFileOfEveryOption) {
  ExpectAllRefused({"report", dump_.path(), "--vmlinux=@"}, "1099511627776 bytes");
  ExpectAllRefused({"report", dump_.path(), "--system-map=@"}, "1099511627776 bytes");
  ExpectAllRefused({"compare", dump_.path(), "--raw=@"}, "1099511627776 bytes");
}

}  // namespace
}  // namespace vmm
