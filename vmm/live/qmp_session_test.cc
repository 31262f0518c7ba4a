#include "vmm/live/qmp_session.h"

#include <sys/mman.h>

#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "vmm/live/qmp_commands.h"
#include "vmm/live/testing/fake_guest.h"

namespace vmm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using Json = QmpSession::Json;

class QmpSessionTest : public testing::Test {
 protected:
  QmpSessionTest() {
    guest_.tell = [this](std::string_view event) { session_.Tell(event, nullptr); };
    greeting_ = TakeLine();
  }

  std::string TakeLine() {
    std::string& output = session_.output();
    const size_t end = output.find("\r\n");
    if (end == std::string::npos) return "";
    std::string line = output.substr(0, end);
    output.erase(0, end + 2);
    return line;
  }

  // The reply; events before it stay in events_.
  Json Ask(const std::string& request, std::vector<UniqueFd> fds = {}) {
    session_.Receive(request, std::move(fds));
    for (;;) {
      const std::string line = TakeLine();
      if (line.empty()) return nullptr;
      const Json message = Json::parse(line);
      if (!message.contains("event")) return message;
      events_.push_back(message["event"].get<std::string>());
    }
  }
  Json Execute(const std::string& command) { return Ask(absl::StrCat(R"({"execute": ")", command, R"("})")); }
  std::string Human(const std::string& line) {
    return Ask(absl::StrCat(R"({"execute": "human-monitor-command", "arguments": {"command-line": ")", line, "\"}}"))
        .value("return", "no reply");
  }
  std::string ErrorClass(const Json& reply) { return reply["error"]["class"].get<std::string>(); }
  std::string ErrorText(const Json& reply) { return reply["error"]["desc"].get<std::string>(); }

  FakeGuest guest_;
  QmpSession session_{guest_, [this](std::string_view event, const Json& data) { session_.Tell(event, data); }};
  std::string greeting_;
  std::vector<std::string> events_;
};

class Negotiated : public QmpSessionTest {
 protected:
  Negotiated() { Execute("qmp_capabilities"); }
};

TEST_F(QmpSessionTest, GreetsWithoutBeingAskedAndOffersNoCapability) {
  const Json greeting = Json::parse(greeting_);
  EXPECT_EQ(greeting["QMP"]["capabilities"], Json::array());
  EXPECT_EQ(greeting["QMP"]["version"]["qemu"]["major"], 7);
}

TEST_F(QmpSessionTest, NegotiationComesFirstAndOnce) {
  EXPECT_EQ(ErrorClass(Execute("query-status")), "CommandNotFound");
  EXPECT_EQ(Execute("qmp_capabilities").dump(), R"({"return":{}})");
  EXPECT_EQ(ErrorClass(Execute("qmp_capabilities")), "CommandNotFound");
}

TEST_F(QmpSessionTest, TellsOfNothingBeforeNegotiation) {
  ASSERT_TRUE(guest_.Pause().ok());
  EXPECT_THAT(session_.output(), IsEmpty());
}

TEST_F(Negotiated, AnEventComesBeforeTheReplyThatItBelongsToAndOnlyOnce) {
  EXPECT_EQ(Execute("stop").dump(), R"({"return":{}})");
  EXPECT_THAT(events_, ElementsAre("STOP"));
  Execute("stop");
  EXPECT_THAT(events_, ElementsAre("STOP"));
  EXPECT_EQ(Execute("query-status")["return"]["status"], "paused");
  Execute("cont");
  EXPECT_THAT(events_, ElementsAre("STOP", "RESUME"));
}

TEST_F(Negotiated, AnIdComesBackInRepliesAndErrors) {
  EXPECT_EQ(Ask(R"({"execute":"query-kvm","id":[1,"x"]})")["id"], Json::parse(R"([1,"x"])"));
  EXPECT_EQ(Ask(R"({"execute":"no-such","id":7})")["id"], 7);
  EXPECT_FALSE(Ask(R"({"execute" "stop","id":7})").contains("id"));
}

TEST_F(Negotiated, BadRequestsAreErrorsThatSayWhatIsWrong) {
  EXPECT_EQ(ErrorClass(Execute("no-such")), "CommandNotFound");
  EXPECT_EQ(ErrorClass(Ask(R"({"execute" 1})")), "GenericError");
  EXPECT_THAT(ErrorText(Ask(R"({"execute":"stop","argument":{}})")), HasSubstr("'argument' is unexpected"));
  EXPECT_THAT(ErrorText(Ask(R"({"execute":"stop","arguments":{"now":true}})")), HasSubstr("'now' is unexpected"));
  EXPECT_THAT(ErrorText(Ask(R"({"execute":"getfd"})")), HasSubstr("'fdname' is missing"));
  EXPECT_THAT(ErrorText(Ask(R"({"execute":"getfd","arguments":{"fdname":1}})")), HasSubstr("expected: string"));
  EXPECT_THAT(ErrorText(Ask("hello\n")), HasSubstr("parse error"));
  EXPECT_EQ(guest_.state(), GuestState::kRunning) << "nothing happened";
}

TEST_F(Negotiated, AnEndlessRequestEndsTheSession) {
  for (int i = 0; i < 100; ++i) session_.Receive("{\"a\":\"" + std::string(1000, 'x'), {});
  EXPECT_TRUE(session_.ended());
}

TEST_F(Negotiated, AClientThatNeverReadsEndsItsSession) {
  for (int i = 0; i < 2'000'000 && !session_.ended(); ++i) session_.Receive(R"({"execute":"query-commands"})", {});
  EXPECT_TRUE(session_.ended());
  EXPECT_LE(session_.output().size(), QmpSession::kMaxOutput + 4096);
}

// What drgn 0.2.0 sends when it attaches, in its order.
TEST_F(QmpSessionTest, ServesWhatDrgnAsksFor) {
  EXPECT_EQ(Execute("qmp_capabilities")["return"], Json::object());
  EXPECT_EQ(Execute("query-target")["return"]["arch"], "x86_64");
  const std::string mtree = Human("info mtree -f");
  EXPECT_THAT(mtree, StartsWith("FlatView #0\r\n AS \"memory\""));
  EXPECT_THAT(mtree, HasSubstr("\r\n  0000000000000000-00000000000fffff (prio 0, ram): guest-ram\r\n"));
  EXPECT_THAT(mtree, HasSubstr("\r\n  0000000100000000-00000001000fffff (prio 0, ram): guest-ram\r\n"));
  EXPECT_THAT(Human("gpa2hva 0x100000000"), StartsWith("Host virtual address for 0x100000000 (guest-ram) is 0x"));
  std::vector<UniqueFd> fds;
  fds.emplace_back(memfd_create("drgn-dump", MFD_CLOEXEC));
  EXPECT_EQ(Ask(R"({"execute":"getfd","arguments":{"fdname":"drgn-dump"}})", std::move(fds))["return"], Json::object());
  EXPECT_EQ(Ask(R"({"execute":"dump-guest-memory","arguments":{"paging":false,"protocol":"fd:drgn-dump",)"
                R"("begin":0,"length":1}})")["return"],
            Json::object());
  EXPECT_THAT(guest_.asked, ElementsAre("dump fd part"));
  ASSERT_TRUE(guest_.ram().WriteObject(GuestAddr{0x1000}, uint64_t{0x0807060504030201}).ok());
  EXPECT_EQ(Human("xp /9xb 0x1000"),
            "0000000000001000: 0x01 0x02 0x03 0x04 0x05 0x06 0x07 0x08\r\n0000000000001008: 0x00\r\n");
  EXPECT_EQ(Human("xp/1xb 0x200000"), "0000000000200000: Cannot access memory\r\n");
}

TEST_F(QmpSessionTest, TwoCommandsOnOneLineAsKvmUnitTestsSendsThem) {
  ASSERT_TRUE(guest_.Pause().ok());
  session_.Receive("{ \"execute\": \"qmp_capabilities\" }{ \"execute\": \"cont\" }\n", {});
  const std::vector<std::string> lines = absl::StrSplit(session_.output(), "\r\n", absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0], R"({"return":{}})");
  EXPECT_THAT(lines[1], HasSubstr(R"("event":"RESUME")"));
  EXPECT_EQ(lines[2], R"({"return":{}})");
}

TEST_F(QmpSessionTest, ADumpAsVirtmeNgAsksForIt) {
  session_.Receive(R"({"execute":"qmp_capabilities"})", {});
  EXPECT_EQ(TakeLine(), R"({"return":{}})");
  session_.Receive(R"({"execute":"dump-guest-memory","arguments":{"paging":true,"protocol":"file:/tmp/x"}})", {});
  EXPECT_THAT(TakeLine(), HasSubstr(R"("event":"DUMP_COMPLETED")"));
  EXPECT_EQ(TakeLine(), R"({"return":{}})");
  EXPECT_EQ(Execute("query-dump")["return"]["status"], "completed");
}

TEST_F(Negotiated, ADumpThatFailsIsAnErrorReplyAndAnEvent) {
  guest_.dump_status = absl::ResourceExhaustedError("write /tmp/x: No space left on device");
  const Json reply = Ask(R"({"execute":"dump-guest-memory","arguments":{"paging":false,"protocol":"file:/tmp/x"}})");
  EXPECT_THAT(ErrorText(reply), HasSubstr("No space left"));
  EXPECT_THAT(events_, ElementsAre("DUMP_COMPLETED"));
  EXPECT_EQ(Execute("query-dump")["return"]["status"], "failed");
}

TEST_F(Negotiated, ADumpOrderThatMakesNoSenseDumpsNothing) {
  for (const char* arguments : {R"("protocol":"tcp:1")", R"("protocol":"fd:unknown")", R"("protocol":"file:")",
                                R"("protocol":"file:/x","begin":0)", R"("protocol":"file:/x","format":"win-dmp")",
                                R"("protocol":"file:/x","format":"kdump-zlib","begin":0,"length":1)"}) {
    const Json reply =
        Ask(absl::StrCat(R"({"execute":"dump-guest-memory","arguments":{"paging":false,)", arguments, "}}"));
    EXPECT_EQ(ErrorClass(reply), "GenericError") << arguments;
  }
  EXPECT_THAT(guest_.asked, IsEmpty());
}

TEST_F(Negotiated, QueryCommandsNamesEachOne) {
  const Json names = Execute("query-commands")["return"];
  EXPECT_EQ(names.size(), QmpCommands().size() + 1);
}

TEST_F(Negotiated, ThreadsOfVcpusCanBePinned) { EXPECT_EQ(Execute("query-cpus-fast")["return"][1]["thread-id"], 1001); }

TEST_F(Negotiated, RegistersAreShownAsQemuShowsThem) {
  EXPECT_THAT(Human("info registers"), HasSubstr("RIP=ffffffff81000000"));
  EXPECT_THAT(Human("info registers -a"), HasSubstr("CPU#1"));
  EXPECT_THAT(Human("info vmcs"), HasSubstr("no nested state"));
  EXPECT_EQ(Human("frobnicate"), "unknown command: 'frobnicate'\r\n");
  EXPECT_EQ(Human("info frobs"), "unknown command: 'info frobs'\r\n");
}

// A client that sends anything at all gets replies or an end, and the guest stands.
TEST_F(Negotiated, SurvivesRandomRequests) {
  std::mt19937 random(20261201);
  const std::vector<std::string> words = {"{",
                                          "}",
                                          "[",
                                          "]",
                                          "\"",
                                          "'",
                                          ":",
                                          ",",
                                          "execute",
                                          "arguments",
                                          "stop",
                                          "xp",
                                          "\\",
                                          "\"id\"",
                                          "1e999",
                                          "-1",
                                          "null",
                                          "command-line",
                                          "\"human-monitor-command\"",
                                          "/99999999xg",
                                          "0xffffffffffffffff",
                                          "info",
                                          "registers",
                                          " ",
                                          "\xff",
                                          "\n",
                                          "qmp_capabilities",
                                          "18446744073709551616",
                                          "x",
                                          "vmcs"};
  for (int i = 0; i < 5'000; ++i) {
    std::string text;
    for (int n = static_cast<int>(random() % 12); n >= 0; --n) text += words[random() % words.size()];
    QmpSession session(guest_, [](std::string_view, const Json&) {});
    session.Receive(R"({"execute":"qmp_capabilities"})", {});
    session.Receive(text, {});
    session.Receive(R"( {"execute":"human-monitor-command","arguments":{"command-line":")" + text + "\"}}", {});
  }
}

}  // namespace
}  // namespace vmm
