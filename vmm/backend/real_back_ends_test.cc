// The programs of the host themselves, driven by hand: a FUSE request to virtiofsd in rings that the test fills, a 9P
// message to diod, a frame to passt. A program that is not installed skips its tests.
#include <sys/eventfd.h>
#include <sys/mman.h>

#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "base/bytes.h"
#include "devices/virtio/abi/virtio_9p_abi.h"
#include "devices/virtio/abi/virtio_mmio_abi.h"
#include "devices/virtio/abi/virtio_net_abi.h"
#include "devices/virtio/testing/fake_queue.h"
#include "devices/virtio/testing/poll_loop.h"
#include "devices/virtio/testing/socket_pair.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "vmm/backend/folder_device.h"
#include "vmm/backend/network_device.h"

namespace vmm {
namespace {

class RealBackEndTest : public testing::Test {
 protected:
  RealBackEndTest() {
    const std::vector<GuestRange> ranges = {{GuestAddr{0}, 0x10000}, {GuestAddr{0x100000000}, 0x10000}};
    memory_ = *GuestMemory::Create(ranges);
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ + "/hello") << "hello, guest";
  }
  ~RealBackEndTest() override { std::filesystem::remove_all(folder_); }

  // False, and the test is skipped, where the host lacks what `made` needs.
  bool Take(absl::StatusOr<BackedDevice> made) {
    if (made.ok()) {
      made_ = *std::move(made);
      return true;
    }
    const bool missing = absl::IsNotFound(made.status()) || absl::IsPermissionDenied(made.status());
    EXPECT_TRUE(missing) << made.status();
    why_ = std::string(made.status().message());
    return false;
  }

  OnBackEndEnd OnEnd() {
    return [this](const absl::Status& why) {
      ended_with_ = std::string(why.message());
      ended_.Notify();
    };
  }

  const std::string folder_ = std::filesystem::canonical(testing::TempDir()).string() + "/real_back_ends";
  std::unique_ptr<GuestMemory> memory_;
  std::string why_, ended_with_;
  absl::Notification ended_;
  BackedDevice made_;
};

// A split ring with one request at a time, in the second region of memory.
class OneRequestQueue final : public Virtqueue {
 public:
  explicit OneRequestQueue(GuestMemory& memory) : memory_(memory), kick_(eventfd(0, 0)), interrupt_(eventfd(0, 0)) {}

  // Sends `request` and returns the answer, which may be up to 4096 bytes. "" if none comes in 5 seconds.
  std::string Ask(const std::string& request) {
    constexpr uint64_t kRequest = 0x100008000, kAnswer = 0x100009000;
    EXPECT_TRUE(memory_.Write(GuestAddr{kRequest}, BytesOfText(request)).ok());
    struct Descriptor {
      uint64_t addr;
      uint32_t len;
      uint16_t flags, next;
    };
    const std::array<Descriptor, 2> chain = {Descriptor{kRequest, static_cast<uint32_t>(request.size()), 1, 1},
                                             Descriptor{kAnswer, 4096, 2, 0}};
    EXPECT_TRUE(memory_.WriteObject(layout_.desc, chain).ok());
    EXPECT_TRUE(memory_.WriteObject(*layout_.driver.Plus(4 + 2 * (asked_ % layout_.size)), uint16_t{0}).ok());
    EXPECT_TRUE(memory_.WriteObject(*layout_.driver.Plus(2), ++asked_).ok());
    const uint64_t one = 1;
    EXPECT_EQ(write(kick_.get(), &one, 8), 8);
    for (int i = 0; i < 500; ++i) {
      uint16_t used = 0;
      EXPECT_TRUE(memory_.Read(*layout_.device.Plus(2), WritableBytesOf(used)).ok());
      if (used == asked_) {
        uint32_t written = 0;
        const uint64_t slot = 4 + 8 * ((asked_ - 1) % layout_.size);
        EXPECT_TRUE(memory_.Read(*layout_.device.Plus(slot + 4), WritableBytesOf(written)).ok());
        std::string answer(written, '\0');
        EXPECT_TRUE(memory_.Read(GuestAddr{kAnswer}, {reinterpret_cast<uint8_t*>(answer.data()), answer.size()}).ok());
        return answer;
      }
      usleep(10'000);
    }
    return "";
  }

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
  GuestMemory& memory_;
  const QueueLayout layout_ = {8, GuestAddr{0x100000000}, GuestAddr{0x100001000}, GuestAddr{0x100002000}};
  const UniqueFd kick_, interrupt_;
  uint16_t asked_ = 0;
};

constexpr uint32_t kFuseLookup = 1, kFuseMkdir = 9, kFuseInit = 26;

std::string Fuse(uint32_t opcode, const std::string& body) {
  // struct fuse_in_header: len, opcode, unique, nodeid (1 is the root), uid, gid, pid, padding.
  return StringOf(static_cast<uint32_t>(40 + body.size())) + StringOf(opcode) + StringOf(uint64_t{7}) +
         StringOf(uint64_t{1}) + StringOf(std::array<uint32_t, 4>{}) + body;
}

// The errno of an answer (struct fuse_out_header: len, error, unique), 0 if it is none.
int FuseError(const std::string& answer) {
  int32_t error = 0;
  if (answer.size() < 16) return 9999;
  std::memcpy(&error, answer.data() + 4, 4);
  return -error;
}

class VirtiofsdTest : public RealBackEndTest {
 protected:
  // Shares the folder and starts the file system.
  bool Start(bool read_only) {
    if (!Take(ShareFolder({.path = folder_, .read_only = read_only}, *memory_, OnEnd()))) return false;
    const absl::Status active =
        made_.device->Activate(kVirtioFVersion1 | kVirtioFIndirectDesc | kVirtioFEventIdx, queues_, loop_);
    EXPECT_TRUE(active.ok()) << active;
    const std::array<uint32_t, 16> init = {7, 31, 1 << 20, 0};
    EXPECT_EQ(FuseError(queue_.Ask(Fuse(kFuseInit, StringOf(init).substr(0, 16)))), 0);
    return true;
  }
  int Lookup(const std::string& name) { return FuseError(queue_.Ask(Fuse(kFuseLookup, name + '\0'))); }
  int Mkdir(const std::string& name) {
    return FuseError(queue_.Ask(Fuse(kFuseMkdir, StringOf(std::array<uint32_t, 2>{0755, 0}) + name + '\0')));
  }

  OneRequestQueue queue_{*memory_};
  std::vector<Virtqueue*> queues_ = {nullptr, &queue_};
  PollLoop loop_;
};

TEST_F(VirtiofsdTest, TheGuestFindsAFileAndMakesAFolder) {
  if (!Start(false)) GTEST_SKIP() << why_;
  EXPECT_EQ(Lookup("hello"), 0);
  EXPECT_EQ(Lookup("no such file"), ENOENT);
  EXPECT_NE(Lookup("../real_back_ends"), 0);
  EXPECT_EQ(Mkdir("made"), 0);
  EXPECT_TRUE(std::filesystem::is_directory(folder_ + "/made"));
}

TEST_F(VirtiofsdTest, AReadOnlyFolderIsProtectedByTheHost) {
  if (!Start(true)) GTEST_SKIP() << why_;
  EXPECT_EQ(Lookup("hello"), 0);
  EXPECT_EQ(Mkdir("made"), EROFS);
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/made"));
}

TEST_F(VirtiofsdTest, WhileDrainedNothingIsAnsweredAndAfterwardsAll) {
  if (!Start(false)) GTEST_SKIP() << why_;
  for (int round = 0; round < 10; ++round) {
    made_.device->Drain();
    made_.device->Resume();
    EXPECT_EQ(Lookup("hello"), 0);
  }
  made_.device->Reset();
}

TEST_F(VirtiofsdTest, ItsDeathIsReportedWithItsName) {
  if (!Start(false)) GTEST_SKIP() << why_;
  kill(made_.process->pid(), SIGKILL);
  ASSERT_TRUE(ended_.WaitForNotificationWithTimeout(absl::Seconds(10)));
  EXPECT_EQ(ended_with_, "virtiofsd of " + folder_ + " was killed by signal 9 (Killed)");
  made_.device->Drain();
  made_.device->Reset();
}

TEST_F(RealBackEndTest, AFolderThatDoesNotExistIsNamed) {
  const auto made = ShareFolder({.path = "/no/such/folder"}, *memory_, nullptr);
  EXPECT_EQ(made.status().message(), "share /no/such/folder: /no/such/folder: No such file or directory");
  EXPECT_FALSE(ShareFolder({.path = folder_ + "/hello"}, *memory_, nullptr).ok()) << "a file is no folder";
}

class DiodTest : public RealBackEndTest {
 protected:
  std::string Ask(uint8_t type, const std::string& body) {
    const NinePHeader header = {static_cast<uint32_t>(sizeof(NinePHeader) + body.size()), type, 1};
    std::string request = StringOf(header) + body, answer(4096, '.');
    const size_t before = queue_.done().size();
    queue_.Offer({BufferOf(request)}, {BufferOf(answer)});
    made_.device->OnQueue(0);
    EXPECT_TRUE(loop_.RunUntil([&] { return queue_.done().size() > before; }));
    answer.resize(queue_.done().size() > before ? queue_.done().back().written : 0);
    return answer;
  }
  static std::string Text(const std::string& text) { return StringOf(static_cast<uint16_t>(text.size())) + text; }

  // As Linux mounts: without a name, and as root of the guest.
  bool Mount(bool read_only) {
    if (!Take(ShareFolder({.path = folder_, .read_only = read_only, .nine_p = true}, *memory_, OnEnd()))) return false;
    EXPECT_TRUE(made_.device->Activate(kVirtio9pMountTag, queues_, loop_).ok());
    EXPECT_EQ(TypeOf(Ask(100, StringOf(uint32_t{65536}) + Text("9P2000.L"))), 101);
    EXPECT_EQ(
        TypeOf(Ask(104, StringOf(std::array<uint32_t, 2>{0, ~0u}) + Text("root") + Text("") + StringOf(uint32_t{0}))),
        105);
    return true;
  }
  static int TypeOf(const std::string& answer) { return answer.size() < 7 ? -1 : static_cast<uint8_t>(answer[4]); }
  std::string Mkdir() {
    return Ask(72, StringOf(uint32_t{0}) + Text("made") + StringOf(std::array<uint32_t, 2>{0755, 0}));
  }

  FakeQueue queue_;
  std::vector<Virtqueue*> queues_ = {&queue_};
  PollLoop loop_;
};

TEST_F(DiodTest, TheGuestReadsAFileAndMakesAFolder) {
  if (!Mount(false)) GTEST_SKIP() << why_;
  EXPECT_EQ(TypeOf(Ask(110, StringOf(std::array<uint32_t, 2>{0, 1}) + StringOf(uint16_t{1}) + Text("hello"))), 111);
  EXPECT_EQ(TypeOf(Ask(12, StringOf(std::array<uint32_t, 2>{1, 0}))), 13);
  const std::string read = Ask(116, StringOf(uint32_t{1}) + StringOf(uint64_t{0}) + StringOf(uint32_t{100}));
  EXPECT_EQ(read.substr(11), "hello, guest");
  EXPECT_EQ(TypeOf(Mkdir()), 73);
  EXPECT_TRUE(std::filesystem::is_directory(folder_ + "/made"));
}

TEST_F(DiodTest, AReadOnlyFolderIsProtectedByTheHost) {
  if (!Mount(true)) GTEST_SKIP() << why_;
  const std::string answer = Mkdir();
  EXPECT_EQ(TypeOf(answer), kNinePRlerrorType);
  EXPECT_EQ(static_cast<uint8_t>(answer[7]), EROFS);
}

TEST_F(RealBackEndTest, PasstAnswersAQuestionForAnAddress) {
  if (!Take(ConnectNetwork({}, OnEnd()))) GTEST_SKIP() << why_;
  FakeQueue rx, tx;
  PollLoop loop;
  const std::vector<Virtqueue*> queues = {&rx, &tx};
  ASSERT_TRUE(made_.device->Activate(made_.device->features(), queues, loop).ok());
  // ARP: who has 192.0.2.1, asks 52:54:00:12:34:56. passt answers for every address.
  std::string packet = std::string(sizeof(VirtioNetHdr), '\0') + std::string(6, '\xff') +
                       std::string("\x52\x54\0\x12\x34\x56\x08\x06\0\1\x08\0\6\4\0\1\x52\x54\0\x12\x34\x56", 22) +
                       std::string(10, '\0') + std::string("\xc0\0\2\1", 4);
  std::string buffer(2000, '.');
  rx.Offer({}, {BufferOf(buffer)});
  tx.Offer({BufferOf(packet)}, {});
  made_.device->OnQueue(kVirtioNetTransmitq);
  // Without a default route passt ends at once.
  if (!loop.RunUntil([&] { return !rx.done().empty() || ended_.HasBeenNotified(); }) || ended_.HasBeenNotified()) {
    GTEST_SKIP() << "passt cannot work here: " << ended_with_;
  }
  EXPECT_EQ(rx.done().at(0).written, sizeof(VirtioNetHdr) + 42);
  EXPECT_EQ(buffer.substr(sizeof(VirtioNetHdr) + 20, 2), std::string("\0\2", 2)) << "a reply";
}

TEST(ArgumentsTest, BothDaemonsAreToldInTheirOwnWords) {
  const HostFolder folder{.path = "/srv", .read_only = true};
  EXPECT_EQ(VirtiofsdArguments("/v", "usage: -o source=PATH", folder, 3),
            (std::vector<std::string>{"/v", "--fd=3", "-f", "-o",
                                      "source=/srv,sandbox=chroot,cache=auto,announce_submounts,log_level=warn"}));
  EXPECT_EQ(VirtiofsdArguments("/v", "  --shared-dir <D>\n  --readonly\n", folder, 3),
            (std::vector<std::string>{"/v", "--fd=3", "--shared-dir", "/srv", "--sandbox=chroot", "--cache=auto",
                                      "--announce-submounts", "--readonly"}));
  EXPECT_EQ(VirtiofsdArguments("/v", "--shared-dir", folder, 3).back(), "--announce-submounts");
  const HostFolder root{.path = "/", .announce_mounts = false};
  EXPECT_EQ(VirtiofsdArguments("/v", "usage: -o source=PATH", root, 3).back(),
            "source=/,sandbox=chroot,cache=auto,log_level=warn");
  EXPECT_EQ(VirtiofsdArguments("/v", "--shared-dir", root, 3).back(), "--cache=auto");
  EXPECT_THAT(PasstArguments("passt", {.ports = {{8080, 80}}}, 3),
              testing::ElementsAre("passt", "--foreground", "--quiet", "--fd", "3", "--tcp-ports", "8080:80"));
}

}  // namespace
}  // namespace vmm
