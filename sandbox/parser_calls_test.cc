#include "sandbox/parser_calls.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "sandbox/file_parser.h"
#include "sandbox/landlock.h"
#include "sandbox/privileges.h"

namespace vmm {
namespace {

// Each test confines a child process of its own: what is taken away does not come back.

void Confine(ParserKind kind) {
  if (!GiveUpNewPrivileges().ok() || !ConfineParserCalls(kind).ok()) _exit(99);
}

class EveryParser : public testing::TestWithParam<ParserKind> {
 protected:
  static void Calls(long call) {
    Confine(GetParam());
    syscall(call, 0, 0, 0, 0, 0, 0);
    _exit(0);
  }
};

TEST_P(EveryParser, DiesOfStartingAProgram) { EXPECT_EXIT(Calls(SYS_execve), testing::KilledBySignal(SIGSYS), ""); }

TEST_P(EveryParser, DiesOfTracingAProcess) { EXPECT_EXIT(Calls(SYS_ptrace), testing::KilledBySignal(SIGSYS), ""); }

TEST_P(EveryParser, DiesOfASocket) { EXPECT_EXIT(Calls(SYS_socket), testing::KilledBySignal(SIGSYS), ""); }

TEST_P(EveryParser, DiesOfARequestToADevice) { EXPECT_EXIT(Calls(__NR_ioctl), testing::KilledBySignal(SIGSYS), ""); }

TEST_P(EveryParser, DiesOfACallOfTheX32Interface) {
  EXPECT_EXIT(Calls(SYS_write | 0x40000000), testing::KilledBySignal(SIGSYS), "");
}

TEST_P(EveryParser, HasMemoryButNoneThatCanBeExecuted) {
  const auto map = [](int protection) {
    Confine(GetParam());
    std::vector<std::string> all;
    for (int i = 0; i < 200; ++i) all.emplace_back(static_cast<size_t>(i) * 1000, 'x');
    void* const page = mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    _exit(page == MAP_FAILED ? 1 : 0);
  };
  EXPECT_EXIT(map(PROT_READ | PROT_WRITE), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(map(PROT_READ | PROT_EXEC), testing::KilledBySignal(SIGSYS), "");
}

std::string NameOf(const testing::TestParamInfo<ParserKind>& info) {
  constexpr const char* kNames[] = {"memory", "files", "files_to_files"};
  return kNames[static_cast<size_t>(info.param)];
}

INSTANTIATE_TEST_SUITE_P(ParserCalls, EveryParser,
                         testing::Values(ParserKind::kMemory, ParserKind::kFiles, ParserKind::kFilesToFiles), NameOf);

TEST(ParserCalls, OneOfMemoryOpensNoFileAndStartsNoProcess) {
  const auto calls = [](long call) {
    Confine(ParserKind::kMemory);
    syscall(call, 0, 0, 0, 0, 0, 0);
    _exit(0);
  };
  for (const long call : {SYS_openat, SYS_fork, SYS_clone3, SYS_kill, SYS_read}) {
    EXPECT_EXIT(calls(call), testing::KilledBySignal(SIGSYS), "") << call;
  }
}

TEST(ParserCalls, OneOfMemoryReadsAnOpenFileAndWritesOnlyItsAnswer) {
  const auto use = [](int how) {
    const int file = memfd_create("ram", MFD_CLOEXEC);
    const int answer = memfd_create("answer", MFD_CLOEXEC);
    if (write(file, "1234", 4) != 4) _exit(98);
    if (!GiveUpNewPrivileges().ok() || !ConfineParserCalls(ParserKind::kMemory, answer).ok()) _exit(99);
    char byte = 0;
    if (pread(file, &byte, 1, 0) != 1 || write(answer, &byte, 1) != 1) _exit(1);
    if (how == 1 && write(file, "x", 1) != 0) _exit(2);
    if (how == 2) mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    _exit(0);
  };
  EXPECT_EXIT(use(0), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(use(1), testing::KilledBySignal(SIGSYS), "");
  EXPECT_EXIT(use(2), testing::KilledBySignal(SIGSYS), "");
}

TEST(ParserCalls, WhatIsReadOnlyStaysSo) {
  const auto protect = [] {
    void* const page = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    Confine(ParserKind::kMemory);
    _exit(mprotect(page, 4096, PROT_READ | PROT_WRITE) != 0 && errno == ENOMEM ? 0 : 1);
  };
  EXPECT_EXIT(protect(), testing::ExitedWithCode(0), "");
}

TEST(ParserCalls, OneOfMemoryHasAtMostFifteen) {
  EXPECT_LE(ParserCalls(ParserKind::kMemory).size() + 3, 15u) << "with write, mmap and mprotect";
}

TEST(FileParser, ReadsItsInputsAndNoOtherFile) {
  if (LandlockVersion() == 0) GTEST_SKIP() << "this kernel has no Landlock";
  const std::string input = testing::TempDir() + "/input";
  std::ofstream(input) << "x";
  const auto open_three = [&] {
    const std::vector<std::string> inputs = {input};
    if (!ConfineFileParser(inputs, {}).empty()) _exit(99);
    const bool reads = open(input.c_str(), O_RDONLY | O_CLOEXEC) >= 0;
    const bool writes = open(input.c_str(), O_WRONLY | O_CLOEXEC) >= 0;
    const bool others = open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 || errno != EACCES;
    _exit(reads && !writes && !others ? 0 : 1);
  };
  EXPECT_EXIT(open_three(), testing::ExitedWithCode(0), "");
}

TEST(FileParser, MakesFilesInItsOutputDirectoryAlone) {
  if (LandlockVersion() == 0) GTEST_SKIP() << "this kernel has no Landlock";
  const std::string directory = testing::TempDir() + "/output";
  mkdir(directory.c_str(), 0700);
  const auto make_two = [&] {
    const std::vector<std::string> directories = {directory};
    if (!ConfineFileParser({}, directories).empty()) _exit(99);
    const bool inside = open((directory + "/made").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600) >= 0;
    const bool outside =
        open((directory + "/../made").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600) >= 0 || errno != EACCES;
    _exit(inside && !outside ? 0 : 1);
  };
  EXPECT_EXIT(make_two(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace vmm
