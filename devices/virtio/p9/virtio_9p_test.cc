#include "devices/virtio/p9/virtio_9p.h"

#include <cstring>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "devices/virtio/abi/virtio_9p_abi.h"
#include "devices/virtio/testing/fake_queue.h"
#include "devices/virtio/testing/poll_loop.h"
#include "devices/virtio/testing/socket_pair.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

std::string Message(uint8_t type, uint16_t tag, const std::string& body) {
  const NinePHeader header = {static_cast<uint32_t>(sizeof(NinePHeader) + body.size()), type, tag};
  return StringOf(header) + body;
}

class Virtio9pTest : public testing::Test {
 protected:
  Virtio9pTest() : device_("share", {"/srv", 1000}, std::move(sockets_.ours)) {
    EXPECT_TRUE(device_.Activate(device_.features(), queues_, loop_).ok());
  }

  // The guest sends `request` with room for an answer in `answer`. Both must stay.
  void Send(std::string& request, std::string& answer) {
    queue_.Offer({BufferOf(request)}, {BufferOf(answer)});
    device_.OnQueue(0);
  }
  void Serve() {
    while (loop_.RunOnce() != 0) {
    }
  }

  SocketPair sockets_;
  FakeQueue queue_;
  std::vector<Virtqueue*> queues_ = {&queue_};
  PollLoop loop_;
  Virtio9p device_;
};

TEST_F(Virtio9pTest, TheConfigurationIsTheTagAfterItsLength) {
  std::string config(9, '?');
  device_.ReadConfig(0, {reinterpret_cast<uint8_t*>(config.data()), config.size()});
  EXPECT_EQ(config, std::string("\5\0share\0\0", 9));
}

TEST_F(Virtio9pTest, ARequestGoesToTheServerAndItsAnswerIntoTheChain) {
  std::string request = Message(100, 1, "version"), answer(100, '.');
  Send(request, answer);
  EXPECT_EQ(sockets_.Heard(), request);
  EXPECT_EQ(device_.InFlight().at(0).words, "9P message 100, tag 1");
  const std::string reply = Message(101, 1, "fine");
  ASSERT_TRUE(sockets_.Say(reply));
  Serve();
  EXPECT_EQ(queue_.done().at(0).written, reply.size());
  EXPECT_EQ(answer.substr(0, reply.size() + 1), reply + ".");
  EXPECT_EQ(queue_.interrupts(), 1);
  EXPECT_TRUE(device_.InFlight().empty());
}

TEST_F(Virtio9pTest, AnswersInAnyOrderAndInAnyPiecesFindTheirChains) {
  std::vector<std::string> requests, answers(50, std::string(40, '.'));
  for (uint16_t tag = 0; tag < 50; ++tag) requests.push_back(Message(100, tag, "x"));
  for (size_t i = 0; i < 50; ++i) Send(requests[i], answers[i]);
  std::string replies;
  for (int tag = 49; tag >= 0; --tag) replies += Message(101, static_cast<uint16_t>(tag), std::to_string(tag));
  for (const char byte : replies) {
    ASSERT_TRUE(sockets_.Say({&byte, 1}));
    Serve();
  }
  ASSERT_EQ(queue_.done().size(), 50u);
  for (size_t i = 0; i < 50; ++i) {
    const std::string reply = Message(101, static_cast<uint16_t>(i), std::to_string(i));
    EXPECT_EQ(answers[i].substr(0, reply.size()), reply);
  }
}

TEST_F(Virtio9pTest, AGuestThatMountsNoNameGetsTheFolderAndEveryGuestTheUser) {
  const auto attach = [](const std::string& name, const std::string& user) {
    return std::string("fid_afid\2\0me", 12) + std::string{static_cast<char>(name.size()), '\0'} + name + user;
  };
  const std::string user = StringOf(uint32_t{1000});
  std::string answer(20, '.');
  std::vector<std::string> anames = {"", "/", "x", "/srv"};
  std::vector<std::string> heard;
  std::vector<std::string> requests;
  for (uint16_t tag = 0; tag < 4; ++tag) requests.push_back(Message(104, tag, attach(anames[tag], "root")));
  for (std::string& request : requests) {
    Send(request, answer);
    heard.push_back(sockets_.Heard());
  }
  EXPECT_EQ(heard,
            (std::vector<std::string>{Message(104, 0, attach("/srv", user)), Message(104, 1, attach("/srv", user)),
                                      Message(104, 2, attach("x", user)), Message(104, 3, attach("/srv", user))}));
  std::string cut = Message(104, 5, std::string("fid_afid\xff\xff", 10));
  Send(cut, answer);
  EXPECT_EQ(sockets_.Heard(), cut) << "the server will say what is wrong with it";
}

TEST_F(Virtio9pTest, BytesAfterTheMessageStayHere) {
  std::string request = Message(100, 1, "abc"), answer(20, '.');
  const std::string message = request;
  request += "padding of the buffer";
  Send(request, answer);
  EXPECT_EQ(sockets_.Heard(), message);
}

TEST_F(Virtio9pTest, AnAnswerLargerThanItsRoomBecomesAnError) {
  std::string request = Message(100, 7, "read"), answer(20, '.'), tiny(10, '.');
  Send(request, answer);
  std::string second = Message(100, 8, "read");
  Send(second, tiny);
  ASSERT_TRUE(sockets_.Say(Message(101, 7, std::string(30, 'x')) + Message(101, 8, std::string(30, 'x'))));
  Serve();
  const NinePRlerror error = {{11, 7, 7}, 5};
  EXPECT_EQ(answer.substr(0, 12), StringOf(error) + ".");
  EXPECT_EQ(queue_.done().at(0).written, 11u);
  EXPECT_EQ(queue_.done().at(1).written, 0u) << "there is no room for an error either";
  EXPECT_EQ(tiny, std::string(10, '.'));
}

TEST_F(Virtio9pTest, AMessageThatIsShorterThanItSaysStopsTheQueue) {
  std::string request = Message(100, 1, "abc"), answer(20, '.');
  request.pop_back();
  Send(request, answer);
  EXPECT_TRUE(queue_.broken());
  EXPECT_EQ(sockets_.Heard(), "");
}

TEST_F(Virtio9pTest, AMessageWithoutAHeaderStopsTheQueue) {
  std::string request = "123456", answer(20, '.');
  Send(request, answer);
  EXPECT_TRUE(queue_.broken());
}

TEST_F(Virtio9pTest, ASecondRequestWithATagInFlightStopsTheQueue) {
  std::string request = Message(100, 1, "abc"), answer(20, '.'), other(20, '.');
  Send(request, answer);
  Send(request, other);
  EXPECT_THAT(std::string(queue_.why_broken().message()), testing::HasSubstr("have the tag 1"));
}

TEST_F(Virtio9pTest, AServerThatAnswersWhatNobodyAskedIsNotListenedToAnyMore) {
  std::string request = Message(100, 1, "abc"), answer(20, '.');
  Send(request, answer);
  ASSERT_TRUE(sockets_.Say(Message(101, 2, "") + Message(101, 1, "")));
  Serve();
  EXPECT_TRUE(queue_.done().empty());
  EXPECT_FALSE(queue_.broken()) << "the guest did nothing wrong";
}

TEST_F(Virtio9pTest, AServerWithASizeThatCannotBeIsNotListenedToAnyMore) {
  std::string request = Message(100, 1, "abc"), answer(20, '.');
  Send(request, answer);
  ASSERT_TRUE(sockets_.Say(std::string("\xff\xff\xff\x7f\x65\1\0", 7)));
  Serve();
  ASSERT_TRUE(sockets_.Say(Message(101, 1, "")));
  Serve();
  EXPECT_TRUE(queue_.done().empty());
}

TEST_F(Virtio9pTest, AServerThatIsGoneAnswersNothingAndTheThreadRests) {
  std::string request = Message(100, 1, "abc"), answer(20, '.');
  Send(request, answer);
  sockets_.theirs.reset();
  Serve();
  EXPECT_EQ(loop_.RunOnce(), 0);
  EXPECT_TRUE(queue_.done().empty());
}

TEST_F(Virtio9pTest, WhileTheServerIsBusyRequestsWaitAndNoneIsLost) {
  std::vector<std::string> requests, answers(100, std::string(20, '.'));
  for (uint16_t tag = 0; tag < 100; ++tag) requests.push_back(Message(118, tag, std::string(60000, 'w')));
  for (size_t i = 0; i < 100; ++i) queue_.Offer({BufferOf(requests[i])}, {BufferOf(answers[i])});
  device_.OnQueue(0);
  EXPECT_LT(device_.InFlight().size(), 100u);
  std::string heard, all;
  for (const std::string& request : requests) all += request;
  ASSERT_TRUE(loop_.RunUntil([&] {
    heard += sockets_.Heard();
    return heard.size() == all.size();
  }));
  EXPECT_EQ(heard, all);
}

TEST_F(Virtio9pTest, ADrainedDeviceWritesNothingUntilItIsResumed) {
  std::string request = Message(100, 1, "abc"), answer(20, '.');
  Send(request, answer);
  device_.Drain();
  ASSERT_TRUE(sockets_.Say(Message(101, 1, "")));
  EXPECT_EQ(loop_.RunOnce(), 0);
  EXPECT_EQ(answer, std::string(20, '.'));
  device_.Resume();
  Serve();
  EXPECT_EQ(queue_.done().size(), 1u);
}

TEST_F(Virtio9pTest, AnAnswerFromBeforeAResetReachesNoNewRequest) {
  std::string request = Message(100, 1, "old"), lost(20, '.');
  Send(request, lost);
  device_.Reset();
  FakeQueue queue;
  PollLoop loop;
  const std::vector<Virtqueue*> queues = {&queue};
  ASSERT_TRUE(device_.Activate(device_.features(), queues, loop).ok());
  std::string next = Message(100, 1, "new"), answer(20, '.');
  queue.Offer({BufferOf(next)}, {BufferOf(answer)});
  device_.OnQueue(0);
  EXPECT_EQ(sockets_.Heard(), request) << "tag 1 is still the old request's";
  ASSERT_TRUE(sockets_.Say(Message(101, 1, "old")));
  std::string heard;
  ASSERT_TRUE(loop.RunUntil([&] {
    heard += sockets_.Heard();
    return !heard.empty();
  }));
  EXPECT_EQ(heard, next);
  ASSERT_TRUE(sockets_.Say(Message(101, 1, "new")));
  ASSERT_TRUE(loop.RunUntil([&] { return !queue.done().empty(); }));
  EXPECT_EQ(answer.substr(0, 10), Message(101, 1, "new"));
  EXPECT_EQ(lost, std::string(20, '.'));
}

}  // namespace
}  // namespace vmm
