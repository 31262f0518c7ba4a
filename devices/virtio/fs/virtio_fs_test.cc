#include "devices/virtio/fs/virtio_fs.h"

#include <sys/eventfd.h>

#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "devices/virtio/abi/virtio_fs_abi.h"
#include "devices/virtio/abi/virtio_mmio_abi.h"
#include "devices/virtio/fs/testing/scripted_back_end.h"
#include "devices/virtio/testing/fake_queue.h"
#include "devices/virtio/testing/poll_loop.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using Message = ScriptedBackEnd::Message;
using R = VhostUserRequest;

constexpr uint64_t kFeatures = kVirtioFVersion1 | kVirtioFEventIdx | kVirtioFIndirectDesc;
constexpr VhostUser::Patience kShort = {.start = absl::Milliseconds(500), .message = absl::Milliseconds(200)};

// A queue with the layout and descriptors that a back end needs.
class ExternalQueue final : public Virtqueue {
 public:
  explicit ExternalQueue(QueueLayout layout) : layout_(layout), kick_(eventfd(0, 0)), interrupt_(eventfd(0, 0)) {}
  std::optional<DescriptorChain> Pop() override { return std::nullopt; }
  void Push(const DescriptorChain&, uint32_t) override {}
  void Interrupt() override {}
  void Break(const absl::Status&) override {}
  bool broken() const override { return false; }
  const QueueLayout& layout() const override { return layout_; }
  int kick_fd() const override { return kick_.get(); }
  int interrupt_fd() const override { return interrupt_.get(); }
  Progress progress() const override { return {}; }

 private:
  const QueueLayout layout_;
  const UniqueFd kick_, interrupt_;
};

class VirtioFsTest : public testing::Test {
 protected:
  VirtioFsTest() {
    const std::vector<GuestRange> ranges = {{GuestAddr{0}, 0x10000}, {GuestAddr{0x100000000}, 0x4000}};
    memory_ = *GuestMemory::Create(ranges);
  }

  // A device with a back end that follows `script`.
  VirtioFs& Make(ScriptedBackEnd::Script script = nullptr) {
    back_end_.emplace(std::move(script));
    auto link = VhostUser::Connect("virtiofsd", back_end_->TakeSocket(), VirtioFs::kQueues, kShort);
    EXPECT_TRUE(link.ok()) << link.status();
    fs_.emplace("share", *std::move(link), *memory_);
    return *fs_;
  }

  // The messages so far, as their numbers.
  std::vector<R> Requests() const {
    std::vector<R> all;
    for (const Message& message : back_end_->messages()) all.push_back(message.request());
    return all;
  }

  std::unique_ptr<GuestMemory> memory_;
  std::optional<ScriptedBackEnd> back_end_;
  std::optional<VirtioFs> fs_;
  ExternalQueue hiprio_{{64, GuestAddr{0x1000}, GuestAddr{0x2000}, GuestAddr{0x3000}}};
  ExternalQueue requests_{{256, GuestAddr{0x100000000}, GuestAddr{0x100001000}, GuestAddr{0x100002000}}};
  std::vector<Virtqueue*> queues_ = {&hiprio_, &requests_};
  PollLoop loop_;
};

TEST_F(VirtioFsTest, TheConfigurationIsTheTagAndOneRequestQueue) {
  VirtioFsConfig config;
  Make().ReadConfig(0, WritableBytesOf(config));
  EXPECT_EQ(std::string(config.tag, 6), std::string("share\0", 6));
  EXPECT_EQ(config.num_request_queues, 1u);
  EXPECT_FALSE(fs_->offers_packed());
}

TEST_F(VirtioFsTest, ATagOf36BytesHasNoZeroAtItsEnd) {
  Make();
  VirtioFs fs(std::string(36, 't'), nullptr, *memory_);
  VirtioFsConfig config;
  fs.ReadConfig(0, WritableBytesOf(config));
  EXPECT_EQ(std::string(config.tag, 36), std::string(36, 't'));
  EXPECT_EQ(config.num_request_queues, 1u);
}

TEST_F(VirtioFsTest, TheBackEndLearnsFeaturesMemoryAndQueuesInOrder) {
  ASSERT_TRUE(Make().Activate(kFeatures, queues_, loop_).ok());
  EXPECT_EQ(Requests(),
            (std::vector<R>{R::kGetFeatures, R::kSetOwner, R::kGetProtocolFeatures, R::kSetProtocolFeatures,
                            R::kGetQueueNum, R::kSetFeatures, R::kSetMemTable,  //
                            R::kSetVringNum, R::kSetVringBase, R::kSetVringAddr, R::kSetVringCall, R::kSetVringKick,
                            R::kSetVringEnable,  //
                            R::kSetVringNum, R::kSetVringBase, R::kSetVringAddr, R::kSetVringCall, R::kSetVringKick,
                            R::kSetVringEnable}));
  const std::vector<Message> messages = back_end_->messages();
  EXPECT_EQ(messages[3].number(), kVhostUserProtocolFMq | kVhostUserProtocolFReplyAck) << "and no other";
  EXPECT_EQ(messages[5].number(), kFeatures | kVhostUserFProtocolFeatures);

  const Message& table = messages[6];
  EXPECT_EQ(table.descriptors, 2u);
  EXPECT_EQ(table.payload.size(), 8u + 2 * 32);
  EXPECT_EQ(table.word(0), 2u);
  EXPECT_EQ(table.number(5), 0x100000000u) << "guest address of the second region";
  EXPECT_EQ(table.number(6), 0x4000u);
  EXPECT_EQ(table.number(8), 0x10000u) << "its offset in the file";

  EXPECT_EQ(messages[13].word(0), 1u);
  EXPECT_EQ(messages[13].word(1), 256u);
  EXPECT_EQ(messages[15].number(1), 0x100000000u) << "descriptors";
  EXPECT_EQ(messages[15].number(2), 0x100002000u) << "used";
  EXPECT_EQ(messages[15].number(3), 0x100001000u) << "available";
  EXPECT_EQ(messages[16].descriptors, 1u);
  EXPECT_EQ(messages[17].descriptors, 1u);
}

TEST_F(VirtioFsTest, ADrainedBackEndGoesOnWithTheRequestThatItNamed) {
  ASSERT_TRUE(Make().Activate(kFeatures, queues_, loop_).ok());
  const size_t before = Requests().size();
  fs_->Drain();
  EXPECT_EQ(Requests().size(), before + 2);
  fs_->Drain();
  EXPECT_EQ(Requests().size(), before + 2) << "a stopped queue is not stopped again";
  fs_->Resume();
  const std::vector<Message> messages = back_end_->messages();
  const Message& first_base = messages[before + 3];
  EXPECT_EQ(first_base.request(), R::kSetVringBase);
  EXPECT_EQ(first_base.word(1), 100u);
  EXPECT_EQ(messages[before + 9].word(1), 101u);
}

TEST_F(VirtioFsTest, AResetStopsTheQueuesAndTheNextDriverStartsAtZero) {
  ASSERT_TRUE(Make().Activate(kFeatures, queues_, loop_).ok());
  fs_->Reset();
  EXPECT_EQ(Requests().back(), R::kGetVringBase);
  const size_t before = Requests().size();
  ASSERT_TRUE(fs_->Activate(kFeatures, queues_, loop_).ok());
  EXPECT_EQ(back_end_->messages()[before + 3].word(1), 0u);
}

TEST_F(VirtioFsTest, AQueueThatTheDriverDidNotSetUpIsNotStarted) {
  queues_[0] = nullptr;
  ASSERT_TRUE(Make().Activate(kFeatures, queues_, loop_).ok());
  EXPECT_EQ(Requests().size(), 7u + 6);
  queues_ = {&hiprio_, nullptr};
  fs_->Reset();
  EXPECT_FALSE(fs_->Activate(kFeatures, queues_, loop_).ok());
}

TEST_F(VirtioFsTest, ARefusedMemoryTableIsAnError) {
  Make([](const Message& message) -> std::optional<std::string> {
    if (message.request() != R::kSetMemTable) return std::nullopt;
    return ScriptedBackEnd::Reply(message, StringOf(uint64_t{1}));
  });
  EXPECT_EQ(fs_->Activate(kFeatures, queues_, loop_).message(), "virtiofsd: message 5 was refused");
}

TEST_F(VirtioFsTest, ABackEndThatDoesNotAnswerTheStopDelaysADumpNoLongerThanItsPatience) {
  Make([](const Message& message) -> std::optional<std::string> {
    if (message.request() == R::kGetVringBase) return "";
    return std::nullopt;
  });
  ASSERT_TRUE(fs_->Activate(kFeatures, queues_, loop_).ok());
  const absl::Time start = absl::Now();
  fs_->Drain();
  EXPECT_LT(absl::Now() - start, absl::Seconds(1)) << "after the first time-out the connection is closed";
}

TEST_F(VirtioFsTest, ABackEndWithoutReplyAckIsTold) {
  Make([](const Message& message) -> std::optional<std::string> {
    if (message.request() != R::kGetProtocolFeatures) return std::nullopt;
    return ScriptedBackEnd::Reply(message, StringOf(uint64_t{0}));
  });
  ASSERT_TRUE(fs_->Activate(kFeatures, queues_, loop_).ok());
  fs_->Drain();  // an answer, so that all before it have been received
  for (const Message& message : back_end_->messages()) EXPECT_EQ(message.header.flags, kVhostUserVersion);
}

// What Connect() says about a back end that follows `script`.
std::string WhyNot(ScriptedBackEnd::Script script) {
  ScriptedBackEnd back_end(std::move(script));
  auto link = VhostUser::Connect("virtiofsd", back_end.TakeSocket(), 2, kShort);
  return link.ok() ? "it is fine" : std::string(link.status().message());
}

ScriptedBackEnd::Script Answers(R request, std::string bytes) {
  return [request, bytes](const Message& message) -> std::optional<std::string> {
    return message.request() == request ? std::optional(bytes) : std::nullopt;
  };
}

std::string Raw(uint32_t request, uint32_t flags, uint32_t size, const std::string& payload) {
  return StringOf(VhostUserHeader{request, flags, size}) + payload;
}

TEST(VhostUserTest, ABackEndThatBreaksTheProtocolIsRefusedInWords) {
  const std::string features = StringOf(uint64_t{0x175000000});
  const auto get = [&](uint32_t request, uint32_t flags, uint32_t size, const std::string& payload) {
    return WhyNot(Answers(R::kGetFeatures, Raw(request, flags, size, payload)));
  };
  EXPECT_EQ(get(1, 5, 8, features), "it is fine");
  EXPECT_THAT(get(2, 5, 8, features), testing::HasSubstr("the answer to message 1 is message 2"));
  EXPECT_THAT(get(1, 1, 8, features), testing::HasSubstr("with flags 0x1"));
  EXPECT_THAT(get(1, 6, 8, features), testing::HasSubstr("with flags 0x6"));
  EXPECT_THAT(get(1, 5, 0xffffffff, features), testing::HasSubstr("4294967295 bytes; 8 bytes are expected"));
  EXPECT_THAT(get(1, 5, 8, "half"), testing::HasSubstr("none came in time"));
  EXPECT_THAT(get(1, 5, 8, StringOf(uint64_t{1ull << 32})), testing::HasSubstr("indirect descriptors, event index"));
  EXPECT_THAT(WhyNot(Answers(R::kGetFeatures, "")), testing::HasSubstr("none came in time"));
  EXPECT_THAT(WhyNot(Answers(R::kGetQueueNum, Raw(17, 5, 8, StringOf(uint64_t{1})))),
              testing::HasSubstr("1 queues; 2 are needed"));
}

TEST(VhostUserTest, ABackEndThatIsGoneIsAnErrorAtOnceAndForEver) {
  SocketPair sockets;
  sockets.theirs.reset();
  const auto link = VhostUser::Connect("virtiofsd", std::move(sockets.ours), 2, kShort);
  EXPECT_THAT(std::string(link.status().message()), testing::HasSubstr("virtiofsd"));
}

TEST(VhostUserTest, TheStopOfAnotherQueueIsNoAnswer) {
  ScriptedBackEnd back_end(Answers(R::kGetVringBase, Raw(11, 5, 8, StringOf(VhostUserVringState{0, 3}))));
  auto link = VhostUser::Connect("virtiofsd", back_end.TakeSocket(), 2, kShort);
  ASSERT_TRUE(link.ok());
  EXPECT_EQ((*link)->StopQueue(1).status().message(),
            "virtiofsd: queue 1 was stopped, and queue 0 at request 3 was answered");
  EXPECT_EQ((*link)->StopQueue(1).status().message(), "virtiofsd: the connection is closed");
}

}  // namespace
}  // namespace vmm
