// Every system call of a dump fails once, in every way it can. The calls are this file's own
// definitions, which the linker prefers to libc's: they count, fail when told to, and else go to
// the kernel.
#include <dirent.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <fstream>
#include <set>

#include "dump/testing/linux_guest.h"
#include "dump/write_vmcore.h"
#include "gtest/gtest.h"

namespace {

// The call of index `at`, counted from where it was armed, fails with `error`; 0: a pwrite puts
// only a part of its bytes.
struct Fault {
  bool armed = false;
  int at = -1;
  int error = 0;
  int calls = 0;
  std::string failed;  // the call that did
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

}  // extern "C"

namespace vmm {
namespace {

using ::testing::HasSubstr;

class WriteVmcoreFaultTest : public ::testing::TestWithParam<DumpFormat> {
 protected:
  WriteVmcoreFaultTest() : guest_({.ram = {{GuestAddr{0}, 40 << 20}}}) { Clear(); }

  // A new, empty directory.
  void Clear() {
    std::string name = ::testing::TempDir() + "/fault.XXXXXX";
    path_ = mkdtemp(name.data());
  }

  // In which every test is made once.
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

  // True iff the vmcore here has all its headers and its full size.
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
  ASSERT_GT(calls, 10);
  int refused = 0;
  for (int at = 0; at < calls; ++at) {
    for (const int error : {ENOSPC, EIO, EDQUOT, EROFS, ENOENT}) {
      const auto report = Write(at, error);
      SCOPED_TRACE(fault.failed + " as call " + std::to_string(at) + ": " + strerror(error));
      const std::set<std::string> files = Files();
      for (const std::string& file : files) EXPECT_TRUE(file == "vmcore" || file == "vmcore.gdb") << file;
      EXPECT_EQ(files.contains("vmcore"), IsWhole());
      if (report.ok()) {
        EXPECT_TRUE(files.contains("vmcore"));
      } else {
        ++refused;
        EXPECT_THAT(std::string(report.status().message()), HasSubstr(strerror(error)));
        EXPECT_THAT(std::string(report.status().message()), HasSubstr(path_));
        if (error == ENOSPC || error == EDQUOT) {
          EXPECT_THAT(std::string(report.status().message()), HasSubstr("needed: up to"));
        }
      }
      Clear();
      EXPECT_TRUE(Write(-1, 0).ok()) << "the guest can be dumped again";
      Clear();
    }
  }
  EXPECT_GT(refused, 50);
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
