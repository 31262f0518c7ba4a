#include "devices/virtio/console/virtio_console.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <deque>
#include <string>

#include "base/bytes.h"
#include "devices/unix_socket/unix_listener.h"
#include "devices/virtio/testing/epoll_loop.h"
#include "devices/virtio/testing/fake_queue.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

std::string TempPath(const std::string& name) { return "/tmp/port-" + name + "-" + std::to_string(getpid()); }

std::string FileText(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text(1 << 20, 0);
  const ssize_t got = read(fd.get(), text.data(), text.size());
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return text;
}

std::string ReadText(int fd) {
  std::string text(1 << 20, 0);
  const ssize_t got = recv(fd, text.data(), text.size(), MSG_DONTWAIT);
  if (got == 0) return "EOF";
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return text;
}

// A driver of a console whose ports are those of `wheres`, named p1, p2, ...
class Driver {
 public:
  explicit Driver(const std::vector<std::string>& wheres) {
    std::vector<VirtioConsole::NamedPort> ports;
    for (const std::string& where : wheres) {
      auto end = PortEnd::Open(where);
      EXPECT_TRUE(end.ok()) << end.status();
      ports.push_back({"p" + std::to_string(ports.size() + 1), *std::move(end)});
    }
    device =
        std::make_unique<VirtioConsole>(std::move(ports), [this](std::string_view line) { log.emplace_back(line); });
    Boot();
  }

  void Boot() {
    queues.clear();
    std::vector<Virtqueue*> pointers;
    for (size_t i = 0; i < device->queue_sizes().size(); ++i) {
      queues.push_back(std::make_unique<FakeQueue>());
      pointers.push_back(queues.back().get());
    }
    taken.assign(queues.size(), 0);
    buffers.assign(queues.size(), {});
    EXPECT_TRUE(device->Activate(kVirtioConsoleFMultiport, pointers, loop).ok());
  }

  void Refill(int queue, int count, size_t size = 64) {
    const size_t q = static_cast<size_t>(queue);
    for (int i = 0; i < count; ++i) {
      std::string& buffer = buffers[q].emplace_back(size, '?');
      queues[q]->Offer({}, {{buffer.data(), buffer.size()}});
    }
    device->OnQueue(queue);
  }

  // What the device wrote to `queue` since the last call, a string for each buffer.
  std::vector<std::string> Take(int queue) {
    loop.RunUntilIdle();
    const size_t q = static_cast<size_t>(queue);
    std::vector<std::string> got;
    for (; taken[q] < queues[q]->done().size(); ++taken[q]) {
      const FakeQueue::Done& done = queues[q]->done()[taken[q]];
      got.push_back(buffers[q].at(done.chain).substr(0, done.written));
    }
    return got;
  }

  void Control(uint32_t id, uint16_t event, uint16_t value) {
    VirtioConsoleControl message = {id, event, value};
    queues[kConsoleControlTx]->Offer({{&message, sizeof message}}, {});
    device->OnQueue(kConsoleControlTx);
  }

  // As "event:id=value" with the name after PORT_NAME.
  std::vector<std::string> TakeControl() {
    std::vector<std::string> words;
    for (const std::string& bytes : Take(kConsoleControlRx)) {
      VirtioConsoleControl message;
      std::memcpy(&message, bytes.data(), sizeof message);
      words.push_back(std::to_string(message.event) + ":" + std::to_string(message.id) + "=" +
                      std::to_string(message.value) + bytes.substr(sizeof message));
    }
    return words;
  }

  void OpenAll() {
    Refill(kConsoleControlRx, 32);
    Control(0xffffffff, kConsoleDeviceReady, 1);
    for (uint32_t id = 1; id <= (queues.size() - 4) / 2; ++id) {
      Control(id, kConsolePortReady, 1);
      Control(id, kConsolePortOpen, 1);
    }
    TakeControl();
  }

  // The text must stay where it is until the device has it all.
  void Write(int port, std::string& text) {
    const int queue = ConsoleTxQueue(port);
    const size_t half = text.size() / 2;
    queues[static_cast<size_t>(queue)]->Offer({{text.data(), half}, {text.data() + half, text.size() - half}}, {});
    device->OnQueue(queue);
  }
  size_t written(int port) { return queues[static_cast<size_t>(ConsoleTxQueue(port))]->done().size(); }

  EpollLoop loop;
  std::vector<std::unique_ptr<FakeQueue>> queues;
  std::vector<size_t> taken;
  std::vector<std::deque<std::string>> buffers;
  std::vector<std::string> log;
  std::unique_ptr<VirtioConsole> device;
};

TEST(VirtioConsole, TheDriverHearsOfEachPortItsNameAndThatTheHostIsThere) {
  Driver driver({TempPath("a"), "unix:" + TempPath("b.sock")});
  driver.Refill(kConsoleControlRx, 32);
  driver.Control(0xffffffff, kConsoleDeviceReady, 1);
  EXPECT_EQ(driver.TakeControl(), (std::vector<std::string>{"1:1=1", "1:2=1"}));
  driver.Control(1, kConsolePortReady, 1);
  driver.Control(2, kConsolePortReady, 1);
  EXPECT_EQ(driver.TakeControl(), (std::vector<std::string>{"7:1=1p1", "6:1=1", "7:2=1p2"}));
  auto client = ConnectUnix(TempPath("b.sock"));
  ASSERT_TRUE(client.ok());
  EXPECT_EQ(driver.TakeControl(), (std::vector<std::string>{"6:2=1"}));
  client->reset();
  EXPECT_EQ(driver.TakeControl(), (std::vector<std::string>{"6:2=0"}));
}

TEST(VirtioConsole, MessagesWaitForBuffersAndAreNotRepeated) {
  Driver driver({TempPath("a")});
  for (int i = 0; i < 1000; ++i) {
    driver.Control(0xffffffff, kConsoleDeviceReady, 1);
    driver.Control(1, kConsolePortReady, 1);
  }
  driver.Refill(kConsoleControlRx, 1);
  EXPECT_EQ(driver.TakeControl(), (std::vector<std::string>{"1:1=1"}));
  driver.Refill(kConsoleControlRx, 10);
  EXPECT_EQ(driver.TakeControl(), (std::vector<std::string>{"7:1=1p1", "6:1=1"}));
}

TEST(VirtioConsole, WhatTheGuestWritesIsInTheFileWholeChainsOfIt) {
  Driver driver({TempPath("file")});
  driver.OpenAll();
  std::string text = "first and second buffer";
  driver.Write(1, text);
  EXPECT_EQ(FileText(TempPath("file")), text);
  EXPECT_EQ(driver.queues[5]->done().at(0).written, 0u);
  EXPECT_EQ(driver.queues[5]->interrupts(), 1);
}

TEST(VirtioConsole, ASocketsClientTalksWithTheGuestBothWays) {
  Driver driver({"unix:" + TempPath("sock")});
  driver.OpenAll();
  auto client = ConnectUnix(TempPath("sock"));
  ASSERT_TRUE(client.ok());
  driver.loop.RunUntilIdle();
  std::string text = "to the host";
  driver.Write(1, text);
  EXPECT_EQ(ReadText(client->get()), text);
  ASSERT_EQ(write(client->get(), "to the guest", 12), 12);
  EXPECT_TRUE(driver.Take(4).empty()) << "no buffers yet";
  EXPECT_EQ(driver.loop.RunUntilIdle(), 0) << "it does not spin meanwhile";
  driver.Refill(4, 3, 5);
  EXPECT_EQ(driver.Take(4), (std::vector<std::string>{"to th", "e gue", "st"}));
}

TEST(VirtioConsole, BytesForTheGuestWaitUntilAProgramOpensThePort) {
  Driver driver({"unix:" + TempPath("early")});
  driver.Refill(4, 3);
  auto client = ConnectUnix(TempPath("early"));
  ASSERT_TRUE(client.ok());
  ASSERT_EQ(write(client->get(), "early", 5), 5);
  EXPECT_TRUE(driver.Take(4).empty());
  driver.Control(1, kConsolePortReady, 1);
  driver.Control(1, kConsolePortOpen, 1);
  EXPECT_EQ(driver.Take(4), (std::vector<std::string>{"early"}));
}

TEST(VirtioConsole, TheNextClientIsServedAfterTheFirst) {
  Driver driver({"unix:" + TempPath("next")});
  driver.OpenAll();
  driver.Refill(4, 3);
  auto first = ConnectUnix(TempPath("next")), second = ConnectUnix(TempPath("next"));
  ASSERT_TRUE(first.ok() && second.ok());
  ASSERT_EQ(write(first->get(), "one", 3), 3);
  ASSERT_EQ(write(second->get(), "two", 3), 3);
  EXPECT_EQ(driver.Take(4), (std::vector<std::string>{"one"}));
  first->reset();
  EXPECT_EQ(driver.Take(4), (std::vector<std::string>{"two"}));
  std::string text = "hello";
  driver.Write(1, text);
  EXPECT_EQ(ReadText(second->get()), "hello");
}

TEST(VirtioConsole, WithoutAClientTheGuestIsNotHeldUp) {
  Driver driver({"unix:" + TempPath("nobody")});
  driver.OpenAll();
  std::string text = "lost";
  for (int i = 0; i < 100; ++i) driver.Write(1, text);
  EXPECT_EQ(driver.written(1), 100u);
}

TEST(VirtioConsole, ASlowReaderHoldsTheGuestBackAndLosesNothing) {
  std::array<int, 2> ends;
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const UniqueFd ours(ends[0]), theirs(ends[1]);
  Driver driver({"fd:" + std::to_string(theirs.get())});
  driver.OpenAll();
  std::string text(1 << 20, 'x');
  driver.Write(1, text);
  EXPECT_EQ(driver.written(1), 0u);
  const auto waiting = driver.device->InFlight();
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_EQ(waiting[0].words.substr(0, 6), "write ");
  std::string got;
  for (int i = 0; i < 200 && got.size() < text.size(); ++i) {
    got += ReadText(ours.get());
    driver.loop.RunUntilIdle();
  }
  EXPECT_EQ(got, text);
  EXPECT_EQ(driver.written(1), 1u);
  EXPECT_TRUE(driver.device->InFlight().empty());
}

TEST(VirtioConsole, TheLastLinesOfADeadGuestAreWrittenAndItsRamLeftAlone) {
  Driver driver({TempPath("last"), "unix:" + TempPath("last.sock")});
  driver.OpenAll();
  driver.Refill(6, 1);
  auto client = ConnectUnix(TempPath("last.sock"));
  ASSERT_TRUE(client.ok());
  driver.loop.RunUntilIdle();
  std::string verdict = "not ok 1\n";
  driver.queues[5]->Offer({{verdict.data(), verdict.size()}}, {});  // and it died before it notified
  driver.queues[7]->Offer({{verdict.data(), verdict.size()}}, {});
  ASSERT_EQ(write(client->get(), "too late", 8), 8);
  driver.device->TakeLeftovers();
  EXPECT_EQ(FileText(TempPath("last")), verdict);
  EXPECT_EQ(ReadText(client->get()), verdict);
  EXPECT_TRUE(driver.Take(6).empty());
}

TEST(VirtioConsole, AReaderThatNeverReadsDelaysTheEndByASecondAtMost) {
  std::array<int, 2> ends;
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const UniqueFd ours(ends[0]), theirs(ends[1]);
  Driver driver({"fd:" + std::to_string(theirs.get())});
  driver.OpenAll();
  std::string text(1 << 20, 'x');
  driver.Write(1, text);
  const absl::Time start = absl::Now();
  driver.device->TakeLeftovers();
  EXPECT_LT(absl::Now() - start, absl::Seconds(3));
  EXPECT_EQ(driver.written(1), 0u);
}

TEST(VirtioConsole, AnErrorOfTheHostIsSaidOnceAndTheGuestGoesOn) {
  signal(SIGPIPE, SIG_IGN);
  Driver driver({"/dev/full"});
  driver.OpenAll();
  std::string text = "x";
  for (int i = 0; i < 5; ++i) driver.Write(1, text);
  EXPECT_EQ(driver.written(1), 5u);
  ASSERT_EQ(driver.log.size(), 1u);
  EXPECT_NE(driver.log[0].find("port p1: write: No space left"), std::string::npos) << driver.log[0];
}

TEST(VirtioConsole, ADriverWithoutPortsWritesIntoNothing) {
  Driver driver({TempPath("a")});
  std::string text = "console";
  driver.queues[kConsolePort0Tx]->Offer({{text.data(), text.size()}}, {});
  driver.device->OnQueue(kConsolePort0Tx);
  EXPECT_EQ(driver.queues[kConsolePort0Tx]->done().size(), 1u);
}

TEST(VirtioConsole, AfterARebootTheSameClientGoesOn) {
  Driver driver({"unix:" + TempPath("reboot")});
  driver.OpenAll();
  auto client = ConnectUnix(TempPath("reboot"));
  ASSERT_TRUE(client.ok());
  driver.loop.RunUntilIdle();
  driver.device->Reset();
  driver.Boot();
  driver.OpenAll();
  std::string text = "again";
  driver.Write(1, text);
  EXPECT_EQ(ReadText(client->get()), "again");
}

TEST(VirtioConsole, ConfigCountsThePorts) {
  Driver driver({TempPath("a"), TempPath("b")});
  VirtioConsoleConfig config;
  driver.device->ReadConfig(0, WritableBytesOf(config));
  EXPECT_EQ(config.max_nr_ports, 3u);
  EXPECT_EQ(driver.device->queue_sizes().size(), 8u);
  driver.device->ReadConfig(~uint64_t{0}, WritableBytesOf(config));
  EXPECT_EQ(config.max_nr_ports, 0u);
}

TEST(VirtioConsole, NamesAreThoseOfFiles) {
  for (const char* good : {"a", "org.qemu.guest_agent.0", "-", "A_1"}) EXPECT_TRUE(VirtioConsole::CheckName(good).ok());
  for (const char* bad : {"", ".", "..", "a/b", "a b", "\xc3\xa4"}) EXPECT_FALSE(VirtioConsole::CheckName(bad).ok());
  EXPECT_FALSE(VirtioConsole::CheckName(std::string(64, 'a')).ok());
}

TEST(PortEnd, RefusesWhatNobodyCanWriteTo) {
  EXPECT_FALSE(PortEnd::Open("").ok());
  EXPECT_FALSE(PortEnd::Open("fd:").ok());
  EXPECT_FALSE(PortEnd::Open("fd:x").ok());
  EXPECT_FALSE(PortEnd::Open("fd:-1").ok());
  EXPECT_FALSE(PortEnd::Open("fd:12345").ok());
  EXPECT_FALSE(PortEnd::Open("/nonexistent/file").ok());
  const UniqueFd reads(open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(absl::IsInvalidArgument(PortEnd::Open("fd:" + std::to_string(reads.get())).status()));
  const std::string fifo = TempPath("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_TRUE(absl::IsFailedPrecondition(PortEnd::Open(fifo).status()));
  unlink(fifo.c_str());
}

TEST(PortEnd, APipeOfOthersKeepsItsFlags) {
  std::array<int, 2> ends;
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd out(ends[0]), in(ends[1]);
  auto end = PortEnd::Open("fd:" + std::to_string(in.get()));
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(fcntl(in.get(), F_GETFL) & O_NONBLOCK, 0);
  std::string text(1 << 20, 'x');
  const iovec part = {text.data(), text.size()};
  EXPECT_GT(end->Write({&part, 1}), 0);
  EXPECT_EQ(end->Write({&part, 1}), -1) << "it does not block";
}

}  // namespace
}  // namespace vmm
