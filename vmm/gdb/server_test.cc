#include "vmm/gdb/server.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "vmm/gdb/testing/fake_debug_guest.h"
#include "vmm/live/testing/server_client.h"

namespace vmm {
namespace {

class GdbServerTest : public testing::Test {
 protected:
  // A socket's path is short; that of Bazel's temporary folder is not.
  GdbServerTest() : path_(absl::StrCat("/tmp/vmm-gdb-test.", getpid())), stop_(eventfd(0, EFD_NONBLOCK)) {
    server_ = *GdbServer::Listen(path_, "", stop_.get(), guest_);
  }

  UniqueFd Connect() {
    UniqueFd fd = *ConnectUnix(path_);
    Serve();
    return fd;
  }

  void Serve() { ServeAll(*server_); }

  void Send(const UniqueFd& client, std::string_view text) {
    EXPECT_EQ(send(client.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
    Serve();
  }

  FakeDebugGuest guest_;
  const std::string path_;
  const UniqueFd stop_;
  std::unique_ptr<GdbServer> server_;
};

TEST_F(GdbServerTest, TheSocketIsForItsOwnerAlone) {
  struct stat status;
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(GdbServerTest, AGdbIsAnsweredAndASecondIsTurnedAway) {
  const UniqueFd gdb = Connect();
  EXPECT_EQ(guest_.guest.state(), GuestState::kPaused);
  const UniqueFd second = Connect();
  EXPECT_EQ(Received(second), "EOF");
  Send(gdb, "$?#3f");
  EXPECT_EQ(Received(gdb), "+$T05thread:1;#d7");
}

TEST_F(GdbServerTest, ABreakpointOfTheGuestReachesGdb) {
  const UniqueFd gdb = Connect();
  Send(gdb, "$vCont;c#a8");
  EXPECT_EQ(Received(gdb), "+");
  guest_.stop = DebugStop{.vcpu = 1, .address = 0x1000};
  ASSERT_EQ(eventfd_write(stop_.get(), 1), 0);
  Serve();
  EXPECT_EQ(Received(gdb), FrameGdbPacket("T05swbreak:;thread:2;"));
}

TEST_F(GdbServerTest, AGdbThatGoesAwayLetsTheGuestRunAndTheNextOneIn) {
  { const UniqueFd gdb = Connect(); }
  Serve();
  EXPECT_EQ(guest_.guest.state(), GuestState::kRunning);
  const UniqueFd next = Connect();
  Send(next, "$D#44");
  EXPECT_EQ(Received(next), "+$OK#9aEOF");
  EXPECT_EQ(guest_.guest.state(), GuestState::kRunning);
}

TEST_F(GdbServerTest, ABreakpointThatGdbLeftHoldsNothingUp) {
  guest_.planted.push_back(GuestAddr{0x1000});
  guest_.stop = DebugStop{.vcpu = 0, .address = 0x1000};
  ASSERT_EQ(eventfd_write(stop_.get(), 1), 0);
  Serve();
  EXPECT_TRUE(guest_.planted.empty());
  EXPECT_EQ(guest_.guest.state(), GuestState::kRunning);
}

TEST_F(GdbServerTest, TheMachinesEndIsTheLastWord) {
  const UniqueFd gdb = Connect();
  Send(gdb, "$vCont;c#a8");
  server_->GuestEnded();
  EXPECT_EQ(Received(gdb), "+" + FrameGdbPacket("W00") + "EOF");
}

}  // namespace
}  // namespace vmm
