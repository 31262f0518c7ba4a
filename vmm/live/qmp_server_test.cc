#include "vmm/live/qmp_server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "vmm/live/testing/fake_guest.h"
#include "vmm/live/testing/server_client.h"

namespace vmm {
namespace {

using testing::HasSubstr;

class QmpServerTest : public testing::Test {
 protected:
  // A socket's path is short; that of Bazel's temporary folder is not.
  QmpServerTest() : path_(absl::StrCat("/tmp/vmm-qmp-test.", getpid())) { server_ = *QmpServer::Listen(path_, guest_); }

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

  FakeGuest guest_;
  const std::string path_;
  std::unique_ptr<QmpServer> server_;
};

TEST_F(QmpServerTest, TheSocketIsForItsOwnerAlone) {
  struct stat status;
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(QmpServerTest, ServesSeveralClientsAndTellsAllOfEvents) {
  const UniqueFd first = Connect(), second = Connect();
  Send(first, R"({"execute":"qmp_capabilities"})");
  Send(second, R"({"execute":"qmp_capabilities"})");
  Received(first);
  Received(second);
  server_->Tell("STOP");
  Send(first, R"({"execute":"query-status"})");
  EXPECT_THAT(Received(first), HasSubstr("\"event\":\"STOP\""));
  EXPECT_THAT(Received(second), HasSubstr("\"event\":\"STOP\""));
}

TEST_F(QmpServerTest, AClientThatSendsNoMoreStillGetsItsReply) {
  const UniqueFd client = Connect();
  const std::string both = R"({"execute":"qmp_capabilities"}{"execute":"query-kvm"})";
  send(client.get(), both.data(), both.size(), 0);
  shutdown(client.get(), SHUT_WR);
  Serve();
  const std::string text = Received(client);
  EXPECT_THAT(text, HasSubstr("\"present\":true"));
  EXPECT_THAT(text, testing::EndsWith("EOF"));
}

TEST_F(QmpServerTest, OneThatLeavesInTheMiddleDisturbsNobody) {
  const UniqueFd stays = Connect();
  {
    const UniqueFd leaves = Connect();
    Send(leaves, R"({"execute":)");
  }
  Serve();
  Send(stays, R"({"execute":"qmp_capabilities"})");
  EXPECT_THAT(Received(stays), HasSubstr("return"));
}

TEST_F(QmpServerTest, TooManyClientsAreTurnedAwayAndTheNextOneIsServedAgain) {
  {
    std::vector<UniqueFd> clients;
    for (size_t i = 0; i < QmpServer::kMaxClients; ++i) clients.push_back(Connect());
    EXPECT_EQ(Received(Connect()), "EOF");
    EXPECT_THAT(Received(clients.back()), HasSubstr("QMP"));
  }
  Serve();
  EXPECT_THAT(Received(Connect()), HasSubstr("QMP"));
}

}  // namespace
}  // namespace vmm
