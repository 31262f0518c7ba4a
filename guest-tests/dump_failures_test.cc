// Dumps that cannot be written: the panic is still reported, no partial file remains, and the second directory gets its
// chance.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "guest-tests/vmm_process.h"

namespace vmm {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using Names = std::set<std::string>;

class DumpFailuresTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = WhyNoKvm()) GTEST_SKIP() << *why;
    std::string pattern = testing::TempDir() + "/dump.XXXXXX";
    dir_ = mkdtemp(pattern.data());
    second_ = dir_ + "/second";
    mkdir(second_.c_str(), 0755);
  }

  VmmResult Panic(std::vector<std::string> flags) {
    flags.push_back("--panic-grace=0");
    return RunGuest("pvpanic", "write=1", flags);
  }

  static Names NamesIn(const std::string& path) {
    Names names;
    for (const auto& entry : std::filesystem::directory_iterator(path)) names.insert(entry.path().filename());
    return names;
  }

  std::string dir_;
  std::string second_;  // in dir_
};

// A file system of 64 KiB, for the lifetime of this object.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& path) : path_(path) {
    error_ = mount("none", path.c_str(), "tmpfs", 0, "size=64k") == 0 ? 0 : errno;
  }
  ~SmallDisk() {
    if (error_ == 0) umount2(path_.c_str(), MNT_DETACH);
  }
  int error() const { return error_; }

 private:
  std::string path_;
  int error_ = 0;
};

TEST_F(DumpFailuresTest, AMissingDirectoryIsToldBeforeAndAfterThePanic) {
  VmmProcess process(GuestArgs("pvpanic", "write=1", {"--panic-grace=0", "--dump-dir=" + dir_ + "/missing"}));
  const VmmResult result = process.Wait();
  EXPECT_EQ(result.exit_code, 126) << result.Describe();
  EXPECT_LT(result.err.find("dumps are unavailable"), result.err.find("dump failed")) << result.err;
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("panic (pvpanic) on vCPU 0"));
  EXPECT_THAT(result.LastErrorLine(), HasSubstr(dir_ + "/missing"));
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("No such file or directory"));
}

TEST_F(DumpFailuresTest, AFileInPlaceOfTheDirectoryIsToldSo) {
  std::ofstream(dir_ + "/file") << "not a directory";
  const VmmResult result = Panic({"--dump-dir=" + dir_ + "/file"});
  EXPECT_EQ(result.exit_code, 126) << result.Describe();
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("Not a directory"));
}

TEST_F(DumpFailuresTest, AnExistingFileIsNeverReplaced) {
  std::ofstream(dir_ + "/mine") << "precious";
  const VmmResult result = Panic({"--dump-dir=" + dir_, "--dump-name=mine"});
  EXPECT_EQ(result.exit_code, 126) << result.Describe();
  EXPECT_THAT(result.LastErrorLine(), HasSubstr(dir_ + "/mine"));
  std::string text;
  std::ifstream(dir_ + "/mine") >> text;
  EXPECT_EQ(text, "precious");
  EXPECT_EQ(NamesIn(dir_), (Names{"mine", "second"}));
}

TEST_F(DumpFailuresTest, WithoutANameTheNextFreeOneIsTaken) {
  for (const char* name : {"vmcore", "vmcore.1", "vmcore.2"}) {
    const VmmResult result = Panic({"--dump-dir=" + dir_});
    EXPECT_EQ(result.exit_code, 120) << result.Describe();
    EXPECT_THAT(result.LastErrorLine(), HasSubstr(dir_ + "/" + name + " "));
  }
}

TEST_F(DumpFailuresTest, ADanglingLinkIsNotFollowed) {
  std::filesystem::create_symlink(dir_ + "/elsewhere", dir_ + "/core");
  EXPECT_EQ(Panic({"--dump-dir=" + dir_, "--dump-name=core"}).exit_code, 126);
  EXPECT_EQ(NamesIn(dir_), (Names{"core", "second"}));
}

TEST_F(DumpFailuresTest, AFileSystemThatTakesNoFilesIsToldSo) {
  const VmmResult result = Panic({"--dump-dir=/proc"});
  EXPECT_EQ(result.exit_code, 126) << result.Describe();
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("/proc"));
}

TEST_F(DumpFailuresTest, AFullDiskLeavesNoPartialFile) {
  const SmallDisk disk(second_);
  if (disk.error() != 0) GTEST_SKIP() << "mount a tmpfs: " << std::strerror(disk.error());
  const VmmResult result = Panic({"--dump-dir=" + second_});
  EXPECT_EQ(result.exit_code, 126) << result.Describe();
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("No space left on device"));
  EXPECT_THAT(NamesIn(second_), IsEmpty());
}

TEST_F(DumpFailuresTest, AfterAFullDiskTheFallbackDirectoryGetsTheDump) {
  const SmallDisk disk(second_);
  if (disk.error() != 0) GTEST_SKIP() << "mount a tmpfs: " << std::strerror(disk.error());
  const VmmResult result = Panic({"--dump-dir=" + second_, "--dump-fallback-dir=" + dir_});
  EXPECT_EQ(result.exit_code, 120) << result.Describe();
  EXPECT_THAT(result.err, HasSubstr("No space left on device"));
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("dump " + dir_ + "/vmcore"));
  EXPECT_THAT(NamesIn(second_), IsEmpty());
}

TEST_F(DumpFailuresTest, TheFallbackDirectoryStandsInForAMissingOne) {
  const VmmResult result = Panic({"--dump-dir=" + dir_ + "/missing", "--dump-fallback-dir=" + second_});
  EXPECT_EQ(result.exit_code, 120) << result.Describe();
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("dump " + second_ + "/vmcore"));
}

TEST_F(DumpFailuresTest, WhereBothFailBothAreNamed) {
  const VmmResult result = Panic({"--dump-dir=" + dir_ + "/one", "--dump-fallback-dir=" + dir_ + "/two"});
  EXPECT_EQ(result.exit_code, 126) << result.Describe();
  EXPECT_THAT(result.LastErrorLine(), HasSubstr(dir_ + "/one"));
  EXPECT_THAT(result.LastErrorLine(), HasSubstr(dir_ + "/two"));
}

TEST_F(DumpFailuresTest, ADirectoryThatIsMovedWhileTheGuestRunsStillGetsTheDump) {
  VmmProcess process(GuestArgs("serial_echo", "panic=1", {"--panic-grace=0", "--dump-dir=" + second_}));
  ASSERT_TRUE(process.WaitForOutput("type: "));
  std::filesystem::rename(second_, dir_ + "/moved");
  process.Type("die\n");
  const VmmResult result = process.Wait();
  EXPECT_EQ(result.exit_code, 120) << result.Describe();
  EXPECT_TRUE(NamesIn(dir_ + "/moved").contains("vmcore"));
}

TEST_F(DumpFailuresTest, FourAtOnceInOneDirectoryGetFourNames) {
  std::vector<std::unique_ptr<VmmProcess>> processes;
  for (int i = 0; i < 4; ++i) {
    processes.push_back(std::make_unique<VmmProcess>(GuestArgs("pvpanic", "write=1", {"--dump-dir=" + second_})));
  }
  for (auto& process : processes) {
    const VmmResult result = process->Wait();
    EXPECT_EQ(result.exit_code, 120) << result.Describe();
  }
  const Names names = NamesIn(second_);
  for (const char* name : {"vmcore", "vmcore.1", "vmcore.2", "vmcore.3"}) EXPECT_TRUE(names.contains(name)) << name;
}

TEST_F(DumpFailuresTest, AFloorOfFreeSpaceSendsTheDumpToTheSecondDirectory) {
  const SmallDisk disk(second_);
  if (disk.error() != 0) GTEST_SKIP() << "mount a tmpfs: " << std::strerror(disk.error());
  const std::vector<std::string> flags = {"--dump-dir=" + second_, "--dump-fallback-dir=" + dir_, "--dump-min-free=1M"};
  const VmmResult result = Panic(flags);
  EXPECT_EQ(result.exit_code, 120) << result.Describe();
  EXPECT_THAT(result.err, HasSubstr(second_ + ": less than the wanted 1 MiB would be left free"));
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("dump " + dir_ + "/vmcore"));
}

TEST_F(DumpFailuresTest, OnlyTheNewestDumpsStay) {
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Panic({"--dump-dir=" + second_, "--dump-keep=2"}).exit_code, 120);
  int cores = 0;
  for (const std::string& name : NamesIn(second_)) cores += !name.ends_with(".gdb");
  EXPECT_EQ(cores, 2);
}

TEST_F(DumpFailuresTest, WhatAKilledRunLeftIsRemovedWhenTheNextOneStarts) {
  std::ofstream(second_ + "/.vmcore.partial.0123456789abcdef") << "half of it";
  EXPECT_EQ(RunGuest("exit_status", "", {"--dump-dir=" + second_}).exit_code, RunGuest("exit_status").exit_code);
  EXPECT_THAT(NamesIn(second_), IsEmpty());
}

TEST_F(DumpFailuresTest, AStreamedDumpIsTheSameFile) {
  const VmmResult result = Panic({"--dump=-"});
  EXPECT_EQ(result.exit_code, 120) << result.Describe();
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("dump standard output"));
  EXPECT_TRUE(result.out.starts_with("\177ELF"));
  EXPECT_GT(result.out.size(), 64u << 20);
  EXPECT_LT(result.out.size(), (64u << 20) + (64u << 10)) << "no word of the console is in it";
}

TEST_F(DumpFailuresTest, ADescriptorWillDoForAStream) {
  std::string command;
  for (const std::string& arg : GuestArgs("pvpanic", "write=1", {"--panic-grace=0", "--dump=fd:7"})) {
    command += " '" + arg + "'";
  }
  VmmProcess process({"-c", "vmm/vmm" + command + " 7>" + dir_ + "/stream"}, VmmProcess::Stdin::kPipe, "/bin/sh");
  const VmmResult result = process.Wait();
  EXPECT_EQ(result.exit_code, 120) << result.Describe();
  EXPECT_THAT(result.LastErrorLine(), HasSubstr("dump fd:7"));
  EXPECT_GT(std::filesystem::file_size(dir_ + "/stream"), 64u << 20);
}

TEST_F(DumpFailuresTest, AReaderThatGoesAwayIsAFailedDumpAndTheSecondDirectoryGetsIt) {
  const auto args = GuestArgs("pvpanic", "write=1", {"--panic-grace=0", "--dump=-", "--dump-fallback-dir=" + second_});
  for (const bool fallback : {false, true}) {
    VmmProcess process(fallback ? args : std::vector<std::string>(args.begin(), args.end() - 1));
    process.CloseOutput();
    const VmmResult result = process.Wait();
    EXPECT_EQ(result.exit_code, fallback ? 120 : 126) << result.Describe();
    EXPECT_THAT(result.err, HasSubstr("standard output: its reader went away after"));
    EXPECT_EQ(NamesIn(second_).contains("vmcore"), fallback);
  }
}

TEST_F(DumpFailuresTest, AReaderThatNeverReadsIsGivenUpAfterASignal) {
  VmmProcess process(
      GuestArgs("pvpanic", "write=1", {"--panic-grace=0", "--dump=-", "--result=" + dir_ + "/result.json"}));
  EXPECT_FALSE(process.EndsUnread(std::chrono::seconds(3))) << "the reader may be slow";
  process.Signal(SIGTERM);
  EXPECT_TRUE(process.EndsUnread(std::chrono::seconds(20)));
  const VmmResult result = process.Wait();
  EXPECT_EQ(result.exit_code, 126) << result.err;
  EXPECT_THAT(result.err, HasSubstr("standard output: told to stop, and its reader took nothing"));
  EXPECT_TRUE(NamesIn(dir_).contains("result.json"));
}

TEST_F(DumpFailuresTest, OfDeathsOfOneKindOneLeavesADump) {
  const std::string dump = second_ + "/vmcore-panic-pvpanic";
  EXPECT_THAT(Panic({"--dump-once=" + second_}).LastErrorLine(), HasSubstr("dump " + dump));
  const VmmResult second = Panic({"--dump-once=" + second_, "--result=" + dir_ + "/result.json"});
  EXPECT_EQ(second.exit_code, 120) << second.Describe();
  EXPECT_THAT(second.LastErrorLine(), HasSubstr("an earlier one of its kind is in " + dump));
  EXPECT_EQ(RunGuest("triple_fault", "", {"--dump-once=" + second_}).exit_code, 121);
  EXPECT_THAT(NamesIn(second_), testing::UnorderedElementsAre("vmcore-panic-pvpanic", "vmcore-panic-pvpanic.gdb",
                                                              "vmcore-triple-fault", "vmcore-triple-fault.gdb"));
}

TEST_F(DumpFailuresTest, OfManyThatDieAlikeAtOnceOneLeavesADump) {
  std::vector<std::unique_ptr<VmmProcess>> processes;
  for (int i = 0; i < 4; ++i) {
    processes.push_back(std::make_unique<VmmProcess>(GuestArgs("pvpanic", "write=1", {"--dump-once=" + second_})));
  }
  int dumps = 0;
  for (auto& process : processes) {
    const VmmResult result = process->Wait();
    EXPECT_EQ(result.exit_code, 120) << result.Describe();
    dumps += result.LastErrorLine().find("; dump ") != std::string::npos;
  }
  EXPECT_EQ(dumps, 1);
  EXPECT_THAT(NamesIn(second_), testing::UnorderedElementsAre("vmcore-panic-pvpanic", "vmcore-panic-pvpanic.gdb"));
}

TEST_F(DumpFailuresTest, WithOnPanicExitNothingIsWritten) {
  const VmmResult result = Panic({"--on-panic=exit", "--dump-dir=" + second_});
  EXPECT_EQ(result.exit_code, 120) << result.Describe();
  EXPECT_EQ(result.LastErrorLine().find("dump"), std::string::npos) << result.err;
  EXPECT_THAT(NamesIn(second_), IsEmpty());
}

}  // namespace
}  // namespace vmm
