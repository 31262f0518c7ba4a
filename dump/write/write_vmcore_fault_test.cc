// Every system call of a dump fails once, in every way it can. This file defines the calls itself, and the linker
// prefers its definitions to libc's. They count, fail on request, and otherwise go to the kernel.
#include <dirent.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "base/partial_file.h"
#include "dump/testing/linux_guest.h"
#include "dump/write/write_vmcore.h"
#include "gtest/gtest.h"

namespace {

// The call with index `at`, counted since arming, fails with `error`. 0: a pwrite writes only a part of its bytes.
struct Fault {
  bool armed = false;
  int at = -1;
  int error = 0;
  int calls = 0;
  std::string failed;  // the call that failed
};
Fault fault;

bool Fails(const char* call) {
  if (!fault.armed || fault.calls++ != fault.at) return false;
  fault.failed = call;
  if (fault.error == 0) return false;
  errno = fault.error;
  return true;
}

}  // namespace

extern "C" {

int openat(int dir, const char* path, int flags, ...) {
  if (Fails("openat")) return -1;
  va_list arguments;
  va_start(arguments, flags);
  const unsigned mode = (flags & O_CREAT) != 0 ? va_arg(arguments, unsigned) : 0;
  va_end(arguments);
  return static_cast<int>(syscall(SYS_openat, dir, path, flags, mode));
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  if (Fails("pwrite")) return -1;
  const bool is_short = fault.armed && fault.error == 0 && fault.calls == fault.at + 1;
  return syscall(SYS_pwrite64, fd, data, is_short ? (size + 1) / 2 : size, offset);
}

int fsync(int fd) { return Fails("fsync") ? -1 : static_cast<int>(syscall(SYS_fsync, fd)); }

int ftruncate(int fd, off_t size) noexcept {
  return Fails("ftruncate") ? -1 : static_cast<int>(syscall(SYS_ftruncate, fd, size));
}

int fstat(int fd, struct stat* out) noexcept {
  return Fails("fstat") ? -1 : static_cast<int>(syscall(SYS_fstat, fd, out));
}

int renameat2(int from_dir, const char* from, int to_dir, const char* to, unsigned flags) noexcept {
  return Fails("renameat2") ? -1 : static_cast<int>(syscall(SYS_renameat2, from_dir, from, to_dir, to, flags));
}

int linkat(int from_dir, const char* from, int to_dir, const char* to, int flags) noexcept {
  return Fails("linkat") ? -1 : static_cast<int>(syscall(SYS_linkat, from_dir, from, to_dir, to, flags));
}

int fstatat(int dir, const char* path, struct stat* out, int flags) noexcept {
  return Fails("fstatat") ? -1 : static_cast<int>(syscall(SYS_newfstatat, dir, path, out, flags));
}

int unlinkat(int dir, const char* path, int flags) noexcept {
  return Fails("unlinkat") ? -1 : static_cast<int>(syscall(SYS_unlinkat, dir, path, flags));
}

int flock(int fd, int operation) noexcept {
  return Fails("flock") ? -1 : static_cast<int>(syscall(SYS_flock, fd, operation));
}

off_t lseek(int fd, off_t offset, int whence) noexcept {
  return Fails("lseek") ? -1 : static_cast<off_t>(syscall(SYS_lseek, fd, offset, whence));
}

ssize_t getrandom(void* out, size_t size, unsigned flags) {
  return Fails("getrandom") ? -1 : syscall(SYS_getrandom, out, size, flags);
}

// The descriptor is closed even if the call fails, as on Linux.
int close(int fd) {
  const bool fails = Fails("close");
  const int error = errno;
  const int result = static_cast<int>(syscall(SYS_close, fd));
  if (!fails) return result;
  errno = error;
  return -1;
}

int fcntl(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  const long argument = va_arg(arguments, long);
  va_end(arguments);
  return Fails("fcntl") ? -1 : static_cast<int>(syscall(SYS_fcntl, fd, command, argument));
}

}  // extern "C"

namespace vmm {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

class WriteVmcoreFaultTest : public ::testing::TestWithParam<DumpFormat> {
 protected:
  // 2 MiB in one piece, so that direct I/O takes part too.
  WriteVmcoreFaultTest() : guest_({.ram = {{GuestAddr{0}, 40 << 20}}}) {
    guest_.Put(GuestAddr{0x2000000}, std::string(2 << 20, 'x'));
    Clear();
  }

  // A new, empty directory.
  void Clear() {
    std::string name = ::testing::TempDir() + "/fault.XXXXXX";
    path_ = mkdtemp(name.data());
  }

  // The format of this run; every test runs once in each.
  DumpFormat format() const { return GetParam(); }

  absl::StatusOr<VmcoreReport> Write(int at, int error) {
    const OutputDir dir = *OutputDir::Open(path_);
    fault = Fault{.armed = true, .at = at, .error = error};
    absl::StatusOr<VmcoreReport> report = WriteVmcore(guest_.snapshot(), dir, {.format = format()});
    fault.armed = false;
    return report;
  }

  std::set<std::string> Files() const {
    std::set<std::string> names;
    DIR* dir = opendir(path_.c_str());
    while (const dirent* entry = readdir(dir)) {
      if (std::string_view(entry->d_name) != "." && std::string_view(entry->d_name) != "..")
        names.insert(entry->d_name);
    }
    closedir(dir);
    return names;
  }

  // True if the vmcore here has all its headers and its full size.
  bool IsWhole() const {
    std::ifstream file(path_ + "/vmcore", std::ios::binary | std::ios::ate);
    if (!file) return false;
    const std::streamoff size = file.tellg();
    std::string start(64, '\0');
    file.seekg(0);
    file.read(start.data(), 64);
    if (format() != DumpFormat::kElf) return start.starts_with("KDUMP   ") && size > 10240 * 24;
    return size > 40 << 20 && start.starts_with("\177ELF\2\1\1") && start[56] == 7;
  }

  // The number of calls of a dump that goes well.
  int CallsOfADump() {
    EXPECT_TRUE(Write(-1, 0).ok());
    const int calls = fault.calls;
    Clear();
    return calls;
  }

  LinuxGuest guest_;
  std::string path_;
};

TEST_P(WriteVmcoreFaultTest, NoFailureLeavesAHalfFileOrASilentLoss) {
  const int calls = CallsOfADump();
  ASSERT_GT(calls, 30);
  constexpr int kErrors[] = {ENOSPC, EIO, EDQUOT, EFBIG, EROFS, ENOENT, ENOLCK};
  int refused = 0, whole = 0;
  std::map<std::string, int> hit;  // how often each call failed
  for (int at = 0; at < calls; ++at) {
    for (const int error : kErrors) {
      const auto report = Write(at, error);
      ++hit[fault.failed];
      SCOPED_TRACE(fault.failed + " as call " + std::to_string(at) + ": " + strerror(error));
      EXPECT_EQ(Files().contains("vmcore"), IsWhole());
      for (const std::string& file : Files()) {
        const bool unremovable = fault.failed == "unlinkat" && IsPartialName(file);
        EXPECT_TRUE(file == "vmcore" || file == "vmcore.gdb" || unremovable) << file;
      }
      if (report.ok()) {
        ++whole;
        EXPECT_TRUE(Files().contains("vmcore"));
      } else {
        ++refused;
        const std::string message(report.status().message());
        EXPECT_THAT(message, HasSubstr(strerror(error)));
        EXPECT_THAT(message, AnyOf(HasSubstr(path_), HasSubstr("guest memory")));
        if (error == ENOSPC || error == EDQUOT) {
          EXPECT_THAT(message, HasSubstr("needed: up to"));
        }
      }
      Clear();
    }
    EXPECT_TRUE(Write(-1, 0).ok()) << "the guest can be dumped again";
    Clear();
  }
  EXPECT_GT(refused, 50);
  for (const char* call :
       {"openat", "pwrite", "fsync", "fstat", "fstatat", "renameat2", "flock", "lseek", "getrandom", "close"}) {
    EXPECT_GT(hit[call], 0) << call;
  }
  for (const char* call : {"ftruncate", "fcntl"}) EXPECT_EQ(hit[call] > 0, format() == DumpFormat::kElf) << call;
  std::printf("%d calls, each failed in %zu ways: %d dumps refused, %d whole all the same\n", calls, std::size(kErrors),
              refused, whole);
}

TEST_P(WriteVmcoreFaultTest, WhatAKilledProcessLeftGoesWithTheNextDump) {
  std::ofstream(path_ + "/.vmcore.partial.0123456789abcdef") << "half of it";
  EXPECT_TRUE(Write(-1, 0).ok());
  EXPECT_EQ(Files().count(".vmcore.partial.0123456789abcdef"), 0u);
}

TEST_P(WriteVmcoreFaultTest, AnInterruptedOrShortWriteIsGoneOnWith) {
  const int calls = CallsOfADump();
  int writes = 0;
  for (int at = 0; at < calls; ++at) {
    for (const int error : {0, EINTR}) {
      const auto report = Write(at, error);
      if (fault.failed == "pwrite") {
        ++writes;
        EXPECT_TRUE(report.ok()) << report.status();
        EXPECT_TRUE(IsWhole());
      }
      Clear();
    }
  }
  EXPECT_GT(writes, 10);
}

TEST_P(WriteVmcoreFaultTest, AFileSystemWithoutRenameat2TakesALink) {
  const int calls = CallsOfADump();
  bool seen = false;
  for (int at = 0; at < calls; ++at) {
    const auto report = Write(at, EINVAL);
    if (fault.failed == "renameat2") {
      seen = true;
      EXPECT_TRUE(report.ok()) << report.status();
      EXPECT_TRUE(Files().contains("vmcore"));
      EXPECT_TRUE(IsWhole());
    }
    Clear();
  }
  EXPECT_TRUE(seen);
}

INSTANTIATE_TEST_SUITE_P(Formats, WriteVmcoreFaultTest,
                         ::testing::Values(DumpFormat::kElf, DumpFormat::kKdumpZlib, DumpFormat::kKdumpZstd));

}  // namespace
}  // namespace vmm
