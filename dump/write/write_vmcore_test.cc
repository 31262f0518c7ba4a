#include "dump/write/write_vmcore.h"

#include <dirent.h>
#include <elf.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "dump/testing/linux_guest.h"
#include "dump/testing/named_registers.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class WriteVmcoreTest : public ::testing::Test {
 protected:
  WriteVmcoreTest() {
    std::string name = ::testing::TempDir() + "/write_vmcore.XXXXXX";
    path_ = mkdtemp(name.data());
  }

  absl::StatusOr<VmcoreReport> Write(LinuxGuest& guest, const VmcoreOptions& options = {}) {
    const OutputDir dir = *OutputDir::Open(path_);
    return WriteVmcore(guest.snapshot(), dir, options);
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

  static std::string Content(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream content;
    content << file.rdbuf();
    return content.str();
  }

  template <typename T>
  static T At(const std::string& file, size_t offset) {
    T object;
    std::memcpy(&object, file.data() + offset, sizeof(object));
    return object;
  }

  // The bytes that a debugger reads at a kernel-virtual address: through the first PT_LOAD that holds it.
  static std::string ReadVirtual(const std::string& file, uint64_t vaddr, size_t size) {
    for (int i = 1; i < At<Elf64_Ehdr>(file, 0).e_phnum; ++i) {
      const auto phdr = At<Elf64_Phdr>(file, 64 + 56 * static_cast<size_t>(i));
      if (vaddr >= phdr.p_vaddr && vaddr - phdr.p_vaddr < phdr.p_filesz) {
        return file.substr(phdr.p_offset + (vaddr - phdr.p_vaddr), size);
      }
    }
    return "";
  }

  std::string path_;
};

TEST_F(WriteVmcoreTest, ALinuxGuestIsReadableAtItsKernelAddresses) {
  LinuxGuest guest;
  const auto report = Write(guest);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->path, path_ + "/vmcore");
  EXPECT_TRUE(report->has_vmcoreinfo);
  EXPECT_EQ(report->release, LinuxGuest::kRelease);
  EXPECT_EQ(report->kernel_offset, LinuxGuest::kKernelOffset);
  EXPECT_EQ(report->mapping, "kernel");
  EXPECT_EQ(Files(), (std::set<std::string>{"vmcore", "vmcore.gdb"}));

  const std::string file = Content(report->path);
  EXPECT_EQ(file.size(), report->file_size);
  EXPECT_EQ(ReadVirtual(file, LinuxGuest::kText, 11), "kernel text");
  EXPECT_EQ(ReadVirtual(file, guest.page_offset() + LinuxGuest::kImagePhys, 11), "kernel text");
  EXPECT_EQ(ReadVirtual(file, guest.stack(1), 14), "stack 1 page 0");
  EXPECT_EQ(ReadVirtual(file, guest.stack(1) + 0x3000, 14), "stack 1 page 3");
}

TEST_F(WriteVmcoreTest, EveryPageOfRamIsInTheFile) {
  LinuxGuest guest({.ram = {{GuestAddr{0}, 40 << 20}, {GuestAddr{0x100000000}, 4 << 20}}});
  guest.Put(GuestAddr{0x1003ff000}, "the last page");
  const auto report = Write(guest);
  ASSERT_TRUE(report.ok()) << report.status();
  const std::string file = Content(report->path);
  std::vector<uint8_t> page(kPageSize);
  for (const GuestRange& range : guest.memory().Ranges()) {
    for (uint64_t at = 0; at < range.size; at += kPageSize) {
      const uint64_t phys = range.start.value + at;
      ASSERT_TRUE(guest.memory().Read(GuestAddr{phys}, page).ok());
      const std::string read_back = ReadVirtual(file, guest.page_offset() + phys, kPageSize);
      ASSERT_TRUE(read_back.size() == kPageSize && std::memcmp(read_back.data(), page.data(), kPageSize) == 0) << phys;
    }
  }
}

TEST_F(WriteVmcoreTest, RegistersAndVmcoreInfoStandInTheNotes) {
  LinuxGuest guest({.cpus = 2});
  const auto report = Write(guest, {.notes_json = "{\"panic\":\"pvpanic\"}"});
  ASSERT_TRUE(report.ok());
  const std::string file = Content(report->path);
  const auto note = At<Elf64_Phdr>(file, 64);
  ASSERT_EQ(note.p_type, static_cast<uint32_t>(PT_NOTE));
  const std::string notes = file.substr(note.p_offset, note.p_filesz);
  // pr_reg of CPU 1 begins 132 bytes into its note: r15 first, rax eleventh.
  EXPECT_EQ(notes.substr(356 + 132, 8), "r15     ");
  EXPECT_EQ(notes.substr(356 + 132 + 80, 8), "rax     ");
  EXPECT_THAT(notes, HasSubstr(guest.VmcoreInfoText()));
  EXPECT_THAT(notes, HasSubstr("{\"panic\":\"pvpanic\"}"));
}

TEST_F(WriteVmcoreTest, TheFileIsSparse) {
  LinuxGuest guest;
  const auto report = Write(guest);
  struct stat st = {};
  ASSERT_EQ(stat(report->path.c_str(), &st), 0);
  EXPECT_EQ(static_cast<uint64_t>(st.st_size), report->file_size);
  EXPECT_LT(static_cast<uint64_t>(st.st_blocks) * 512, report->data_bytes + (64 << 10));
}

TEST_F(WriteVmcoreTest, NamesAreCountedUp) {
  LinuxGuest guest;
  EXPECT_EQ(Write(guest)->path, path_ + "/vmcore");
  EXPECT_EQ(Write(guest)->path, path_ + "/vmcore.1");
  EXPECT_EQ(Write(guest)->path, path_ + "/vmcore.2");
}

TEST_F(WriteVmcoreTest, AnExactNameMustBeFree) {
  LinuxGuest guest;
  std::ofstream(path_ + "/mine") << "precious";
  EXPECT_EQ(Write(guest, {.name = "mine"}).status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Content(path_ + "/mine"), "precious");
  EXPECT_EQ(Write(guest, {.name = "other"})->path, path_ + "/other");
}

TEST_F(WriteVmcoreTest, ALowDiskDoesNotHideThatTheNameIsTaken) {
  LinuxGuest guest;
  constexpr uint64_t kMoreThanAnyDisk = uint64_t{1} << 60;
  std::ofstream(path_ + "/mine") << "precious";
  EXPECT_EQ(Write(guest, {.name = "mine", .min_free = kMoreThanAnyDisk}).status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Write(guest, {.name = "other", .min_free = kMoreThanAnyDisk}).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path_), {}), 1) << "nothing is left half-made";
}

TEST_F(WriteVmcoreTest, ASymlinkThatWaitsUnderTheNameIsNotFollowed) {
  LinuxGuest guest;
  std::ofstream(path_ + "/victim") << "precious";
  ASSERT_EQ(symlink("victim", (path_ + "/vmcore").c_str()), 0);
  ASSERT_EQ(symlink("victim", (path_ + "/vmcore.1.gdb").c_str()), 0);
  EXPECT_EQ(Write(guest)->path, path_ + "/vmcore.1");
  EXPECT_EQ(Content(path_ + "/victim"), "precious");
}

// An attacker who may write to the directory puts links at the names of our files, present and future, over and over.
TEST_F(WriteVmcoreTest, LinksThatAreSwappedInWhileADumpIsWrittenAreNotFollowed) {
  LinuxGuest guest;
  const std::string victims = path_ + ".victims";
  ASSERT_EQ(mkdir(victims.c_str(), 0700), 0);
  std::ofstream(victims + "/victim") << "precious";
  std::atomic<bool> stop = false;
  std::atomic<int> swaps = 0;
  std::thread attacker([&] {
    while (!stop) {
      for (const std::string& name : Files()) {
        const std::string at = path_ + "/" + name;
        swaps += unlink(at.c_str()) == 0 && symlink((victims + "/victim").c_str(), at.c_str()) == 0;
      }
      for (const char* name : {"/vmcore", "/vmcore.1", "/vmcore.gdb"}) {
        swaps += symlink((victims + "/new").c_str(), (path_ + name).c_str()) == 0;
        unlink((path_ + name).c_str());
      }
    }
  });
  const OutputDir dir = *OutputDir::Open(path_);
  int whole = 0, refused = 0;
  while (whole + refused < 20 || swaps < 1000) {
    const auto report = WriteVmcore(guest.snapshot(), dir, {.keep = 1, .notes_json = "{}"});
    ++(report.ok() ? whole : refused);
  }
  stop = true;
  attacker.join();
  EXPECT_EQ(Content(victims + "/victim"), "precious");
  EXPECT_NE(access((victims + "/new").c_str(), F_OK), 0) << "no file was made through a link";
  EXPECT_GT(refused, 0);
  std::printf("%d links swapped in; %d dumps whole, %d refused\n", swaps.load(), whole, refused);
}

TEST_F(WriteVmcoreTest, WithoutVmcoreInfoTheKernelIsFoundThroughCr3) {
  LinuxGuest guest({.vmcoreinfo = false});
  const auto report = Write(guest);
  ASSERT_TRUE(report.ok());
  EXPECT_FALSE(report->has_vmcoreinfo);
  EXPECT_EQ(report->mapping, "kernel");
  EXPECT_EQ(ReadVirtual(Content(report->path), LinuxGuest::kText, 11), "kernel text");
}

TEST_F(WriteVmcoreTest, WhoCanReadItIsToldWithAReasonForEachNo) {
  LinuxGuest guest;
  guest.Put(GuestAddr{LinuxGuest::kImagePhys + 0x100000}, "Linux version 6.1.0-56-cloud-amd64 (debian-kernel");
  const auto with_note = Write(guest);
  for (const ReadableBy& reader : with_note->readable_by) {
    EXPECT_EQ(reader.why_not, std::nullopt) << NameOf(reader.reader);
  }
  guest.PutWord(LinuxGuest::kNote, 0);
  std::map<Reader, std::string> why_not;
  const auto without = Write(guest);
  for (const ReadableBy& reader : without->readable_by) why_not[reader.reader] = reader.why_not.value_or("");
  EXPECT_EQ(why_not.size(), 4u);
  EXPECT_EQ(why_not[Reader::kCrash], "");
  EXPECT_EQ(why_not[Reader::kGdb], "");
  EXPECT_THAT(why_not[Reader::kDrgn], HasSubstr("VMCOREINFO"));
  EXPECT_THAT(why_not[Reader::kMakedumpfile], HasSubstr("VMCOREINFO"));
}

TEST_F(WriteVmcoreTest, AModuleHasItsKernelAddressWhereAllMappingsAreWanted) {
  LinuxGuest guest;
  constexpr uint64_t kModule = 0xffffffffc0a00000;
  guest.Map(guest.swapper(), kModule, GuestAddr{0x3000000}, kPageSize);
  guest.Put(GuestAddr{0x3000000}, "module text");
  const auto needed = Write(guest);
  ASSERT_TRUE(needed.ok());
  EXPECT_EQ(ReadVirtual(Content(needed->path), kModule, 11), "");
  const auto all = Write(guest, {.mappings = CoreMappings::kAll});
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(ReadVirtual(Content(all->path), kModule, 11), "module text");
  EXPECT_EQ(ReadVirtual(Content(all->path), guest.stack(1), 14), "stack 1 page 0");
}

TEST_F(WriteVmcoreTest, AGuestWithoutAKernelIsDumpedAllTheSame) {
  LinuxGuest guest({.vmcoreinfo = false});
  for (CpuState& cpu : guest.snapshot().cpus) cpu = CpuState{};
  const auto report = Write(guest);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->mapping, StartsWith("fallback: no VMCOREINFO"));
  EXPECT_EQ(ReadVirtual(Content(report->path), 0x8000000000000000 + LinuxGuest::kImagePhys, 11), "kernel text");
}

// RLIMIT_FSIZE stands in for a full disk: it stops the write in the middle.
TEST_F(WriteVmcoreTest, AFileThatMayNotGrowLeavesNothing) {
  LinuxGuest guest;
  signal(SIGXFSZ, SIG_IGN);
  rlimit before = {};
  getrlimit(RLIMIT_FSIZE, &before);
  for (const uint64_t limit : {0ull, 1ull << 20, 64ull << 20}) {
    const rlimit small{limit, before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto report = Write(guest);
    setrlimit(RLIMIT_FSIZE, &before);
    EXPECT_THAT(std::string(report.status().message()), HasSubstr("File too large"));
    EXPECT_THAT(std::string(report.status().message()), HasSubstr(path_));
    EXPECT_TRUE(Files().empty());
  }
  EXPECT_TRUE(Write(guest).ok()) << "the guest is still there to be dumped again";
}

TEST_F(WriteVmcoreTest, AFullDiskIsToldWithSpaceNeededAndFree) {
  if (mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=1m") != 0) GTEST_SKIP() << "may not mount a tmpfs";
  LinuxGuest guest;
  guest.Put(GuestAddr{0x3000000}, std::string(2 << 20, 'x'));
  const auto report = Write(guest);
  const std::string message(report.status().message());
  EXPECT_THAT(message, HasSubstr("No space left on device"));
  EXPECT_THAT(message, HasSubstr("needed: up to 3 MiB; free: 1 MiB"));
  EXPECT_TRUE(Files().empty());
  umount(path_.c_str());
}

TEST_F(WriteVmcoreTest, AReadOnlyFileSystemIsTold) {
  if (mount("tmpfs", path_.c_str(), "tmpfs", MS_RDONLY, "") != 0) GTEST_SKIP() << "may not mount a tmpfs";
  LinuxGuest guest;
  EXPECT_THAT(std::string(Write(guest).status().message()), HasSubstr("Read-only file system"));
  umount(path_.c_str());
}

TEST_F(WriteVmcoreTest, ADirectoryThatWentAwayIsTold) {
  LinuxGuest guest;
  const OutputDir dir = *OutputDir::Open(path_);
  ASSERT_EQ(rmdir(path_.c_str()), 0);
  const auto report = WriteVmcore(guest.snapshot(), dir, {});
  EXPECT_THAT(std::string(report.status().message()), HasSubstr("No such file or directory"));
}

TEST_F(WriteVmcoreTest, AGuestWithoutVcpusOrMemoryIsRefusedNotWritten) {
  LinuxGuest guest;
  guest.snapshot().cpus.clear();
  EXPECT_EQ(Write(guest).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(Files().empty());
}

}  // namespace
}  // namespace vmm
