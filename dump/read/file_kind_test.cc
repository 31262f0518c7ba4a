#include "dump/read/file_kind.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "dump/read/vmcore.h"
#include "dump/testing/dumped_guest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using namespace std::string_view_literals;
using testing::HasSubstr;

std::string At(size_t offset, std::string_view bytes, char fill = '\1') {
  std::string head(kKindHeadSize, fill);
  head.replace(offset, bytes.size(), bytes);
  return head;
}

TEST(FileKindTest, EveryKindIsKnownByItsMagicNumber) {
  const struct {
    size_t offset;
    std::string_view magic;
    const char *name, *advice;
  } rows[] = {
      {0, "\x1f\x8b\x08"sv, "a gzip file", "gunzip it first"},
      {0, "\xfd\x37\x7a\x58\x5a\x00"sv, "an xz file", "unxz"},
      {0, "\x28\xb5\x2f\xfd"sv, "a zstd file", "unzstd"},
      {0, "BZh9"sv, "a bzip2 file", "bunzip2"},
      {0, "\x04\"M\x18"sv, "an lz4 file", "unlz4"},
      {0, "\x89LZO\x00\x0d\x0a\x1a\x0a"sv, "an lzop file", "lzop -d"},
      {0, "PK\3\4"sv, "a zip archive", "unpack"},
      {0, "7z\xbc\xaf'\x1c"sv, "a 7z archive", "unpack"},
      {257, "ustar\0"sv, "a tar archive", "unpack"},
      {0, "070701"sv, "a cpio archive", "unpack"},
      {0, "\xed\xab\xee\xdb\3"sv, "an RPM package", ""},
      {0, "!<arch>\ndebian-binary"sv, "a deb package", ""},
      {0, "QFI\xfb\0\0\0\3"sv, "a qcow2 disk image", "qemu-img convert does not help"},
      {0, "KDMV"sv, "a VMDK disk image", "dump-guest-memory"},
      {0, "vhdxfile"sv, "a VHDX disk image", ""},
      {0, "conectix"sv, "a VHD disk image", ""},
      {64, "\x7f\x10\xda\xbe"sv, "a VDI disk image", ""},
      {510, "\x55\xaa"sv, "a raw disk image with a boot sector", "a disk has no memory in it"},
      {512, "EFI PART"sv, "a raw disk image with a GPT", ""},
      {1080, "\x53\xef"sv, "ext4 file system", ""},
      {0, "XFSB"sv, "an XFS file system", ""},
      {65600, "_BHRfS_M"sv, "a btrfs file system", ""},
      {4086, "S1SUSPEND\0"sv, "hibernation image of Linux", "dump it while it runs"},
      {0, "hibr"sv, "hibernation file of Windows", ""},
      {0, "HIBR"sv, "hibernation file of Windows", ""},
      {0, "\xd2\xbe\xd2\xbe"sv, "a VMware suspended state", "crash opens it"},
      {0, "\x7fVirtualBox SavedState V2.0\n"sv, "a VirtualBox saved state", "dumpvmcore"},
      {0, "Xen saved domain, xl format\n \0 \r"sv, "saved by xl", "xl dump-core"},
      {0, "LibvirtQemudSave"sv, "saved by libvirt", "--memory-only"},
      {0, "QEVM\0\0\0\3"sv, "a QEMU migration stream", "dump-guest-memory"},
      {0, "PAGEDU64"sv, "a crash dump of Windows (64 bits)", "WinDbg"},
      {0, "PAGEDUMP"sv, "a crash dump of Windows (32 bits)", "WinDbg"},
      {0, "EMiL\1\0\0\0"sv, "a LiME memory image", ""},
      {0, "AVML\2\0\0\0"sv, "an AVML memory image", ""},
      {0, "EVF\t\r\n\xff\0"sv, "an EWF (EnCase) image", "ewfexport"},
      {0, "\xed\x23\x8f\x61\x73\x01\x19\xa8"sv, "an LKCD dump", "crash opens it"},
      {0, "\xa8\x19\x01\x73\x61\x8f\x23\xfd"sv, "a stand-alone dump of s390", "s390x"},
      {0, "DISKDUMP"sv, "a diskdump file", "crash opens it"},
      {0, "sadump\0\0"sv, "an sadump file", "makedumpfile"},
      {0, "\xcf\xfa\xed\xfe"sv, "a Mach-O file", "lldb"},
      {514, "HdrS"sv, "a kernel image (bzImage)", "--vmlinux"},
      {0, "\x53\xff\0\xf0\x53\xff\0\xf0"sv, "raw memory of a PC", "without registers"},
  };
  for (const auto& row : rows) {
    const std::string said = NameOtherKind(At(row.offset, row.magic), "");
    EXPECT_THAT(said, HasSubstr(row.name)) << row.name;
    EXPECT_THAT(said, HasSubstr(row.advice)) << row.name;
    EXPECT_THAT(said, HasSubstr("no vmcore")) << row.name;
    // If it is cut before its magic number ends, it is not recognized, and nothing is read past the end.
    const std::string cut = At(row.offset, row.magic).substr(0, row.offset + 1);
    EXPECT_THAT(NameOtherKind(cut, ""), testing::Not(HasSubstr(row.name))) << row.name;
  }
}

TEST(FileKindTest, AFixedVhdIsKnownByItsEnd) {
  std::string tail(kKindTailSize, '\0');
  tail.replace(0, 8, "conectix");
  EXPECT_THAT(NameOtherKind(At(0, ""), tail), HasSubstr("a VHD disk image"));
}

TEST(FileKindTest, WhatIsNotKnownIsNotNamed) {
  EXPECT_EQ(NameOtherKind("", ""), "");
  EXPECT_EQ(NameOtherKind(At(0, "hello"), ""), "");
  EXPECT_EQ(NameOtherKind(At(0, "KDUMP   "), ""), "");
  EXPECT_THAT(NameOtherKind(std::string(4096, '\0'), ""), HasSubstr("its first 4096 bytes are zeros"));
  EXPECT_THAT(NameOtherSuffix("/a/b.vmem"), HasSubstr("VMware"));
  EXPECT_EQ(NameOtherSuffix("/a/vmcore"), "");
}

Elf64_Ehdr Header(uint16_t type, uint16_t machine, uint8_t elf_class = ELFCLASS64, uint8_t data = ELFDATA2LSB) {
  Elf64_Ehdr ehdr = {};
  std::memcpy(ehdr.e_ident, ELFMAG, SELFMAG);
  ehdr.e_ident[EI_CLASS] = elf_class;
  ehdr.e_ident[EI_DATA] = data;
  ehdr.e_type = data == ELFDATA2MSB ? __builtin_bswap16(type) : type;
  ehdr.e_machine = data == ELFDATA2MSB ? __builtin_bswap16(machine) : machine;
  ehdr.e_phnum = 1;
  return ehdr;
}

TEST(FileKindTest, AnElfFileOfAnotherKindOrMachineIsNamed) {
  EXPECT_EQ(NameOtherElf(Header(ET_CORE, EM_X86_64)), "");
  EXPECT_THAT(NameOtherElf(Header(ET_EXEC, EM_X86_64)), HasSubstr("--vmlinux=FILE"));
  EXPECT_THAT(NameOtherElf(Header(ET_DYN, EM_X86_64)), HasSubstr("no core"));
  EXPECT_THAT(NameOtherElf(Header(ET_REL, EM_X86_64)), HasSubstr("kernel module"));
  EXPECT_THAT(NameOtherElf(Header(ET_CORE, EM_AARCH64)), HasSubstr("a crash for aarch64 opens it"));
  EXPECT_THAT(NameOtherElf(Header(ET_CORE, EM_PPC64)), HasSubstr("ppc64"));
  EXPECT_THAT(NameOtherElf(Header(ET_CORE, EM_RISCV)), HasSubstr("riscv"));
  EXPECT_THAT(NameOtherElf(Header(ET_CORE, EM_S390, ELFCLASS64, ELFDATA2MSB)), HasSubstr("s390x"));
  EXPECT_THAT(NameOtherElf(Header(ET_CORE, EM_386, ELFCLASS32)), HasSubstr("32 bits (i386)"));
  EXPECT_THAT(NameOtherElf(Header(ET_CORE, EM_X86_64, ELFCLASS32)), HasSubstr("--elf64-core-headers"));
  Elf64_Ehdr xen = Header(ET_CORE, EM_X86_64);
  xen.e_phnum = 0;
  xen.e_shnum = 5;
  EXPECT_THAT(NameOtherElf(xen), HasSubstr("xl dump-core"));
}

VmcoreNote Prpsinfo(const std::string& program, int32_t pid) {
  VmcoreNote note{.name = "CORE", .type = NT_PRPSINFO, .desc = std::vector<uint8_t>(136)};
  std::memcpy(&note.desc[24], &pid, sizeof(pid));
  std::memcpy(&note.desc[40], program.data(), program.size());
  return note;
}

Elf64_Phdr Load(uint64_t virtual_address, uint64_t physical) {
  Elf64_Phdr phdr = {};
  phdr.p_type = PT_LOAD;
  phdr.p_vaddr = virtual_address;
  phdr.p_paddr = physical;
  return phdr;
}

TEST(FileKindTest, TheCoreOfAProcessIsNamedWithItsProgram) {
  const std::vector<VmcoreNote> notes = {
      {.name = "CORE", .type = NT_PRSTATUS}, Prpsinfo("sleep", 4711), {.name = "CORE", .type = NT_AUXV}};
  EXPECT_EQ(NameProcessCore(notes, {}),
            "it is the core of the process `sleep` (pid 4711), not a machine's memory: open it with gdb");
  EXPECT_THAT(NameProcessCore(std::vector{Prpsinfo("qemu-system-x86", 1), notes[2]}, {}),
              HasSubstr("of its guest take a dump while it runs"));
  EXPECT_THAT(NameProcessCore(std::vector{notes[2]}, {}), HasSubstr("the core of a process"));
  EXPECT_THAT(NameProcessCore(std::vector{Prpsinfo("\x1b[2J", 1), notes[2]}, {}), HasSubstr("`?[2J`"));
  const std::vector<Elf64_Phdr> segments = {Load(0x400000, 0), Load(0x7fff00000000, 0)};
  EXPECT_THAT(NameProcessCore(std::vector{notes[0], notes[1]}, segments), HasSubstr("`sleep`"));
}

TEST(FileKindTest, TheCoreOfAMachineIsNoProcess) {
  const VmcoreNote prstatus{.name = "CORE", .type = NT_PRSTATUS};
  EXPECT_EQ(NameProcessCore(std::vector{prstatus}, {}), "");
  EXPECT_EQ(NameProcessCore(std::vector{prstatus, VmcoreNote{.name = "QEMU"}}, {}), "");
  // /proc/kcore has NT_PRPSINFO.
  const std::vector<Elf64_Phdr> kcore = {Load(0xffffffff81000000, 0x1000000), Load(0xffff888000001000, 0x1000)};
  EXPECT_EQ(NameProcessCore(std::vector{prstatus, Prpsinfo("vmlinux", 0)}, kcore), "");
  EXPECT_EQ(
      NameProcessCore(std::vector{VmcoreNote{.name = "VMCOREINFO"}, VmcoreNote{.name = "CORE", .type = NT_AUXV}}, {}),
      "");
}

// ---- Files made by other tools.

std::string Shell(const std::string& command) {
  const int status = std::system(command.c_str());
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? "" : "`" + command + "` failed";
}

std::string OpenError(const std::string& path) {
  const auto core = Vmcore::Open(path);
  return core.ok() ? "it was opened" : std::string(core.status().message());
}

TEST(FileKindOfToolsTest, ACompressedDumpSaysHowToDecompressIt) {
  const DumpedGuest dump;
  const std::string plain = dump.folder() + "/plain";
  std::ofstream(plain) << "some bytes of a dump";
  for (const auto& [tool, said] : {std::pair{"gzip", "gunzip it first"}, std::pair{"xz", "unxz it first"},
                                   std::pair{"zstd -q", "unzstd it first"}, std::pair{"bzip2", "bunzip2 it first"},
                                   std::pair{"lz4 -q", "unlz4 it first"}, std::pair{"lzop", "lzop -d it first"}}) {
    const std::string name = std::string(tool).substr(0, std::string_view(tool).find(' '));
    if (!Shell("command -v " + name + " >/dev/null").empty()) continue;
    const std::string out = plain + "." + name;
    ASSERT_EQ(Shell(std::string(tool) + " -c <" + plain + " >" + out), "");
    EXPECT_THAT(OpenError(out), HasSubstr(said));
    unlink(out.c_str());
  }
  unlink(plain.c_str());
}

TEST(FileKindOfToolsTest, OurOwnProgramIsNoDump) { EXPECT_THAT(OpenError("/proc/self/exe"), HasSubstr("--vmlinux")); }

TEST(FileKindOfToolsTest, TheCoreThatGcoreMakesOfAProcessIsNamed) {
  if (!Shell("command -v gcore >/dev/null").empty()) GTEST_SKIP() << "gcore is not installed";
  const DumpedGuest dump;
  const pid_t pid = fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    execlp("sleep", "sleep", "100", nullptr);
    _exit(1);
  }
  const std::string prefix = dump.folder() + "/process";
  usleep(200'000);  // for the exec
  const std::string failed = Shell("gcore -o " + prefix + " " + std::to_string(pid) + " >/dev/null 2>&1");
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  if (!failed.empty()) GTEST_SKIP() << failed << ": ptrace is not allowed here";
  const std::string core = prefix + "." + std::to_string(pid);
  EXPECT_THAT(OpenError(core),
              HasSubstr("it is the core of the process `sleep` (pid " + std::to_string(pid) + "), not a machine's"));
  unlink(core.c_str());
}

}  // namespace
}  // namespace vmm
