#include "devices/unix_socket/unix_listener.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "gtest/gtest.h"

namespace vmm {
namespace {

std::string SocketPath(const std::string& name) { return "/tmp/" + name + "-" + std::to_string(getpid()); }

bool Exists(const std::string& path) {
  struct stat st = {};
  return lstat(path.c_str(), &st) == 0;
}

TEST(UnixListener, OnlyTheUserMayConnectAndTheFileGoesAtTheEnd) {
  const std::string path = SocketPath("listener");
  const mode_t before = umask(0);
  {
    auto listener = UnixListener::Listen(path);
    ASSERT_TRUE(listener.ok()) << listener.status();
    struct stat st = {};
    ASSERT_EQ(stat(path.c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 07777, 0600u);
    EXPECT_FALSE(listener->Accept().valid());
    auto client = ConnectUnix(path);
    ASSERT_TRUE(client.ok()) << client.status();
    const UniqueFd server = listener->Accept();
    ASSERT_TRUE(server.valid());
    ASSERT_EQ(write(client->get(), "hi", 2), 2);
    char bytes[2];
    EXPECT_EQ(read(server.get(), bytes, 2), 2);
    EXPECT_EQ(read(server.get(), bytes, 2), -1) << "it does not block";
  }
  umask(before);
  EXPECT_FALSE(Exists(path));
}

TEST(UnixListener, ADeadMachinesSocketIsReplacedAndALiveOnesIsNot) {
  const std::string path = SocketPath("stale"), moved = SocketPath("moved");
  {
    auto dead = UnixListener::Listen(path);
    ASSERT_TRUE(dead.ok());
    EXPECT_TRUE(absl::IsAlreadyExists(UnixListener::Listen(path).status()));
    ASSERT_EQ(rename(path.c_str(), moved.c_str()), 0);
  }
  ASSERT_EQ(rename(moved.c_str(), path.c_str()), 0);  // nobody listens on it now
  auto listener = UnixListener::Listen(path);
  EXPECT_TRUE(listener.ok()) << listener.status();
}

TEST(UnixListener, AFileOfTheUsersIsLeftAlone) {
  const std::string path = SocketPath("file");
  close(open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  EXPECT_TRUE(absl::IsAlreadyExists(UnixListener::Listen(path).status()));
  EXPECT_TRUE(Exists(path));
  unlink(path.c_str());

  auto listener = UnixListener::Listen(path);
  ASSERT_TRUE(listener.ok());
  unlink(path.c_str());
  close(open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  { const UnixListener gone = *std::move(listener); }
  EXPECT_TRUE(Exists(path)) << "another file took its place";
  unlink(path.c_str());
}

TEST(UnixListener, APathThatIsTooLongIsRefusedWithTheLimit) {
  const absl::Status status = UnixListener::Listen("/tmp/" + std::string(200, 'x')).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_NE(status.message().find("1 to 107 bytes"), std::string::npos) << status;
}

TEST(UnixListener, ConnectingToNobodyIsAnError) {
  EXPECT_TRUE(absl::IsNotFound(ConnectUnix(SocketPath("nobody")).status()));
}

}  // namespace
}  // namespace vmm
