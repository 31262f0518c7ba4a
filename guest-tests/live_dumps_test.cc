// Dumps of a guest that lives and runs on: each shows one moment, and the guest loses nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "guest-tests/core_notes.h"
#include "guest-tests/vmm_process.h"
#include "nlohmann/json.hpp"

namespace vmm {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kGuest[] = "guest-tests/counters.elf";
constexpr uint64_t kPages = 64, kPageSize = 4096;  // as in guests/counters.c

int Number(const char* variable, int otherwise) {
  const char* text = getenv(variable);
  return text == nullptr ? otherwise : atoi(text);
}

uint64_t Word(const std::string& bytes, uint64_t page) {
  uint64_t word;
  std::memcpy(&word, bytes.data() + page * kPageSize, sizeof(word));
  return word;
}

class LiveDumpsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = WhyNoKvm()) GTEST_SKIP() << *why;
    std::string pattern = testing::TempDir() + "/live.XXXXXX";
    dir_ = mkdtemp(pattern.data());
    for (const char* name : {"areas", "counts", "echo", "pattern"}) {
      const auto address = SymbolAddress(kGuest, name);
      ASSERT_TRUE(address.ok()) << address.status();
      symbols_[name] = *address;
    }
  }
  void TearDown() override {
    if (!dir_.empty()) std::filesystem::remove_all(dir_);
  }

  std::vector<std::string> Args(std::vector<std::string> flags) const {
    flags.insert(flags.end(), {"--cpus=2", "--dump-dir=" + dir_, "--result=" + dir_ + "/result.json"});
    return GuestArgs("counters", "", flags);
  }

  nlohmann::json Record() const {
    std::ifstream file(dir_ + "/result.json");
    return nlohmann::json::parse(file);
  }

  std::string Path(int i) const { return dir_ + (i == 0 ? "/vmcore" : "/vmcore." + std::to_string(i)); }

  std::string Memory(const std::string& path, const std::string& symbol, uint64_t offset, uint64_t size) const {
    const auto bytes = ReadCoreMemory(path, symbols_.at(symbol) + offset, size);
    EXPECT_TRUE(bytes.ok()) << bytes.status();
    return bytes.ok() ? *bytes : std::string(size, '\0');
  }

  // Fails the test unless the dump is of one moment. Returns the counts.
  std::array<uint64_t, 2> CheckDump(const std::string& path) const {
    std::array<uint64_t, 2> counts{};
    for (uint64_t cpu = 0; cpu < 2; ++cpu) {
      const std::string area = Memory(path, "areas", cpu * kPages * kPageSize, kPages * kPageSize);
      uint64_t& count = counts[cpu];
      for (uint64_t page = 0; page < kPages; ++page) count = std::max(count, Word(area, page));
      for (uint64_t page = 0; page < kPages; ++page) {
        const uint64_t back = (count + kPages - page) % kPages;
        EXPECT_EQ(Word(area, page), count >= back ? count - back : 0)
            << path << ": CPU " << cpu << ", page " << page << " is of another moment than count " << count;
      }
      const uint64_t said = Word(Memory(path, "counts", cpu * kPageSize, kPageSize), 0);
      EXPECT_LE(said, count) << path;
      EXPECT_GE(said + 1, count) << path;
    }
    EXPECT_LE(Word(Memory(path, "echo", 0, kPageSize), 0), counts[0]) << path << ": an effect before its cause";
    return counts;
  }

  // Makes `dumps` dumps, one after the other, checks each, and ends the guest by a key.
  VmmResult MakeDumps(int dumps, std::vector<std::string> flags) {
    VmmProcess process(Args(std::move(flags)));
    if (!process.WaitForOutput("# counting")) return process.Wait();
    std::array<uint64_t, 2> before{};
    for (int i = 0; i < dumps && !HasFailure(); ++i) {
      process.Signal(SIGUSR1);
      if (!process.WaitForError("live dump (SIGUSR1): " + Path(i) + ",")) break;
      const std::array<uint64_t, 2> counts = CheckDump(Path(i));
      EXPECT_GE(counts[0], before[0]);
      EXPECT_GE(counts[1], before[1]);
      before = counts;
      std::filesystem::resize_file(Path(i), 0);  // the name stays taken
    }
    process.Type("q");
    return process.Wait();
  }

  std::string dir_;
  std::map<std::string, uint64_t> symbols_;
};

TEST_F(LiveDumpsTest, AHundredFlipsTearNothingAndLoseNothing) {
  const int dumps = Number("VMM_FLIPS", 100);
  const VmmResult result = MakeDumps(dumps, {});
  EXPECT_EQ(result.exit_code, 0) << result.Describe();
  EXPECT_THAT(result.out, Not(HasSubstr("not ok"))) << result.Describe();
  EXPECT_THAT(result.out, HasSubstr("ok 7 - ")) << "the guest did not check its memory";
  const nlohmann::json live = Record()["live_dumps"];
  EXPECT_EQ(live["made"], dumps);
  EXPECT_EQ(live["failed"], 0);
  for (const auto& dump : live["last"]) {
    EXPECT_EQ(dump["method"], "flip") << dump;
    EXPECT_TRUE(dump["merge_error"].is_null()) << dump;
    EXPECT_GT(dump["merged_bytes"], 0) << "the guest did not run on: " << dump;
  }
}

TEST_F(LiveDumpsTest, AGuestThatIsStoppedForItsDumpsLosesNothingEither) {
  const VmmResult result = MakeDumps(5, {"--live-dump=stop"});
  EXPECT_EQ(result.exit_code, 0) << result.Describe();
  EXPECT_THAT(result.out, Not(HasSubstr("not ok"))) << result.Describe();
  const nlohmann::json live = Record()["live_dumps"];
  EXPECT_EQ(live["made"], 5);
  for (const auto& dump : live["last"]) {
    EXPECT_EQ(dump["method"], "stop");
    EXPECT_EQ(dump["why_no_flip"], "--live-dump=stop");
  }
}

TEST_F(LiveDumpsTest, TheClockMakesDumpsAndOldOnesGo) {
  VmmProcess process(Args({"--dump-every=300ms", "--dump-keep=2"}));
  ASSERT_TRUE(process.WaitForOutput("# counting"));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(process.WaitForError("live dump (--dump-every): " + Path(i) + ","));
  process.Type("q");
  const VmmResult result = process.Wait();
  EXPECT_EQ(result.exit_code, 0) << result.Describe();
  EXPECT_GE(Record()["live_dumps"]["made"], 3);
  int cores = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir_)) {
    const std::string name = entry.path().filename();
    EXPECT_THAT(name, Not(HasSubstr("partial")));
    if (!name.starts_with("vmcore") || name.ends_with(".gdb")) continue;
    ++cores;
    CheckDump(entry.path());
  }
  EXPECT_EQ(cores, 2);
}

TEST_F(LiveDumpsTest, TheFormatIsThatOfADumpOfADeath) {
  VmmProcess process(Args({"--dump-format=kdump-zlib", "--dump-name=core"}));
  ASSERT_TRUE(process.WaitForOutput("# counting"));
  process.Signal(SIGUSR1);
  ASSERT_TRUE(process.WaitForError("live dump (SIGUSR1): " + dir_ + "/core.live.1,"));
  process.Type("q");
  EXPECT_EQ(process.Wait().exit_code, 0);
  std::ifstream file(dir_ + "/core.live.1");
  std::string magic(8, '\0');
  file.read(magic.data(), 8);
  EXPECT_EQ(magic, "KDUMP   ");
  EXPECT_EQ(Record()["live_dumps"]["last"][0]["format"], "kdump-zlib");
}

TEST_F(LiveDumpsTest, AGuestThatEndsDuringItsDumpLeavesItWhole) {
  VmmProcess process(Args({}));
  ASSERT_TRUE(process.WaitForOutput("# counting"));
  process.Signal(SIGUSR1);
  process.Type("q");
  const VmmResult result = process.Wait();
  EXPECT_EQ(result.exit_code, 0) << result.Describe();
  EXPECT_THAT(result.out, Not(HasSubstr("not ok"))) << result.Describe();
  if (std::filesystem::exists(Path(0))) {
    CheckDump(Path(0));  // otherwise the key came before the signal
    EXPECT_EQ(Record()["live_dumps"]["made"], 1);
  }
}

TEST_F(LiveDumpsTest, WithoutAPlaceForDumpsTheGuestRunsOn) {
  VmmProcess process(Args({"--on-panic=exit"}));
  ASSERT_TRUE(process.WaitForOutput("# counting"));
  process.Signal(SIGUSR1);
  EXPECT_TRUE(process.WaitForError("no live dump (SIGUSR1): with --on-panic=exit there is no dump directory"));
  process.Type("q");
  EXPECT_EQ(process.Wait().exit_code, 0);
  EXPECT_EQ(Record()["live_dumps"]["failed"], 1);
}

TEST_F(LiveDumpsTest, ADeadGuestThatIsKeptIsDumpedOnRequest) {
  VmmProcess process(GuestArgs("pvpanic", "write=1", {"--on-panic=pause", "--dump-dir=" + dir_}));
  ASSERT_TRUE(process.WaitForError("memory and registers are kept"));
  process.Signal(SIGUSR1);
  for (int i = 0; i < 200 && !std::filesystem::exists(Path(0)); ++i) usleep(50'000);
  EXPECT_TRUE(ReadCoreNotes(Path(0)).ok());
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait().exit_code, 120);
}

TEST_F(LiveDumpsTest, OnATerminalCtrlADDumpsAndCtrlANSendsAnNmi) {
  if (const auto why = WhyNoTerminal()) GTEST_SKIP() << *why;
  VmmProcess process(Args({}), VmmProcess::Stdin::kTerminal);
  ASSERT_TRUE(process.WaitForOutput("# counting"));
  process.Type(
      "\x01"
      "d");
  EXPECT_TRUE(process.WaitForError("live dump (Ctrl-A d): " + Path(0) + ","));
  CheckDump(Path(0));
  process.Type(
      "\x01"
      "n");
  EXPECT_TRUE(process.WaitForError("sent an NMI to vCPU 0"));
  EXPECT_EQ(process.Wait().exit_code, 99) << "this guest expects no interrupt";
}

}  // namespace
}  // namespace vmm
