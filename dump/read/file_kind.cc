#include "dump/read/file_kind.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "absl/strings/str_format.h"
#include "base/printable.h"

namespace vmm {
namespace {

using namespace std::string_view_literals;

// Advice for each family of kinds.
constexpr std::string_view kDisk =
    "a disk has no memory in it, and qemu-img convert does not help. Take a dump of the running machine: "
    "virsh dump --memory-only, or QEMU's dump-guest-memory";
constexpr std::string_view kSuspended =
    "memory is in it as the kernel packed it to resume. Boot the machine, and dump it while it runs";
constexpr std::string_view kArchive = "unpack it and give the vmcore that is in it";
constexpr std::string_view kQemuState =
    "resume it (virsh restore, qemu -incoming) and take a dump with dump-guest-memory or virsh dump --memory-only";
constexpr std::string_view kXenState = "restore it (xl restore) and take a dump with xl dump-core, which crash opens";
constexpr std::string_view kVmware = "crash opens it, with the .vmem file beside it: crash VMLINUX FILE.vmss";
constexpr std::string_view kWindows = "WinDbg opens it";
constexpr std::string_view kCrashOpens = "crash opens it with its kernel's vmlinux";
constexpr std::string_view kForensic = "Volatility opens it, and crash the raw memory that is in it";

struct Magic {
  size_t offset;
  std::string_view bytes;
  std::string_view name;
  std::string_view advice;
};

// The first match counts. File systems come before the boot sector because a file system may have a boot sector too.
constexpr std::array kMagics = {
    Magic{0, "\x1f\x8b"sv, "a gzip file", "gunzip it first"},
    Magic{0,
          "\xfd"
          "7zXZ\0"sv,
          "an xz file", "unxz it first"},
    Magic{0, "\x28\xb5\x2f\xfd"sv, "a zstd file", "unzstd it first"},
    Magic{0, "BZh"sv, "a bzip2 file", "bunzip2 it first"},
    Magic{0, "\x04\x22\x4d\x18"sv, "an lz4 file", "unlz4 it first"},
    Magic{0, "\x02\x21\x4c\x18"sv, "an lz4 file", "unlz4 it first"},  // lz4 -l
    Magic{0, "\x89LZO\0\r\n\x1a\n"sv, "an lzop file", "lzop -d it first"},
    Magic{0, "LZIP"sv, "an lzip file", "lzip -d it first"},
    Magic{0, "\x1f\x9d"sv, "a file of compress(1)", "gunzip it first"},
    Magic{0, "\xff\x06\0\0sNaPpY"sv, "a snappy file", "decompress it first"},
    Magic{0, "PK\x03\x04"sv, "a zip archive", kArchive},
    Magic{0, "7z\xbc\xaf\x27\x1c"sv, "a 7z archive", kArchive},
    Magic{0, "Rar!\x1a\x07"sv, "a RAR archive", kArchive},
    Magic{257, "ustar"sv, "a tar archive", kArchive},
    Magic{0, "070701"sv, "a cpio archive", kArchive},
    Magic{0, "070702"sv, "a cpio archive", kArchive},
    Magic{0, "070707"sv, "a cpio archive", kArchive},
    Magic{0, "\xed\xab\xee\xdb"sv, "an RPM package", "unpack it: the dump is the other file, a package has none"},
    Magic{0, "!<arch>\n"sv, "a deb package or an ar archive", "unpack it: the dump is the other file"},

    Magic{0, "\xd0\xbe\xd0\xbe"sv, "a VMware suspended state or snapshot (vmss, vmsn)", kVmware},
    Magic{0, "\xd0\xbe\xd2\xbe"sv, "a VMware suspended state or snapshot (vmss, vmsn)", kVmware},
    Magic{0, "\xd1\xba\xd1\xba"sv, "a VMware suspended state or snapshot (vmss, vmsn)", kVmware},
    Magic{0, "\xd2\xbe\xd2\xbe"sv, "a VMware suspended state or snapshot (vmss, vmsn)", kVmware},
    Magic{0, "\xd3\xbe\xd3\xbe"sv, "a VMware suspended state or snapshot (vmss, vmsn)", kVmware},
    Magic{0, "\x7fVirtualBox SavedState"sv, "a VirtualBox saved state",
          "resume it and take a dump with VBoxManage debugvm NAME dumpvmcore"},
    Magic{0, "Xen saved domain"sv, "a domain saved by xl", kXenState},
    Magic{0, "LinuxGuestRecord"sv, "a domain saved by Xen", kXenState},
    Magic{0, "\xed\xeb\x0f\xf0"sv, "an old core of a Xen domain", "crash opens it with the domain's vmlinux"},
    Magic{0, "\xee\xeb\x0f\xf0"sv, "an old core of a Xen domain", "crash opens it with the domain's vmlinux"},
    Magic{0, "libvirt-xml\n"sv, "a domain saved by libvirt for Xen", kXenState},
    Magic{0, "\xff\xff\xff\xff\xff\xff\xff\xffXENF"sv, "a Xen migration stream", kXenState},
    Magic{0, "LibvirtQemudSave"sv, "a domain saved by libvirt (virsh save, or virsh dump without --memory-only)",
          kQemuState},
    Magic{0, "LibvirtQemudPart"sv, "a domain that libvirt was still saving", kQemuState},
    Magic{0, "QEVM"sv, "a QEMU migration stream", kQemuState},
    Magic{0, "PAGEDU64"sv, "a crash dump of Windows (64 bits)", kWindows},
    Magic{0, "PAGEDUMP"sv, "a crash dump of Windows (32 bits)", kWindows},
    Magic{0, "MDMP"sv, "a minidump of a Windows process", kWindows},
    Magic{0, "hibr"sv, "a hibernation file of Windows", kSuspended},
    Magic{0, "HIBR"sv, "a hibernation file of Windows", kSuspended},
    Magic{0, "wake"sv, "a hibernation file of Windows, resumed already", kSuspended},
    Magic{0, "WAKE"sv, "a hibernation file of Windows, resumed already", kSuspended},
    Magic{0, "RSTR"sv, "a hibernation file of Windows, being resumed", kSuspended},
    Magic{4086, "S1SUSPEND"sv, "a hibernation image of Linux (swsusp)", kSuspended},
    Magic{4086, "S2SUSPEND"sv, "a hibernation image of Linux (swsusp)", kSuspended},
    Magic{4086, "ULSUSPEND"sv, "a hibernation image of Linux (uswsusp)", kSuspended},
    Magic{4086, "LINHIB0001"sv, "a hibernation image of Linux", kSuspended},
    Magic{4086, "SWAPSPACE2"sv, "a swap area of Linux", kDisk},
    Magic{4086, "SWAP-SPACE"sv, "an old swap area of Linux", kDisk},
    Magic{0, "EMiL"sv, "a LiME memory image", kForensic},
    Magic{0, "AVML"sv, "an AVML memory image", kForensic},
    Magic{0, "EVF\x09\x0d\x0a\xff\0"sv, "an EWF (EnCase) image", "export the raw image with ewfexport first"},
    Magic{0, "EVF2\r\n\x81\0"sv, "an EWF (EnCase) image", "export the raw image with ewfexport first"},
    Magic{0, "\xed\x23\x8f\x61\x73\x01\x19\xa8"sv, "an LKCD dump", kCrashOpens},
    Magic{0, "\xcd\x23\x8f\x61\x73\x01\x19\xa8"sv, "an LKCD dump of a live system", kCrashOpens},
    Magic{0, "\xa8\x19\x01\x73\x61\x8f\x23\xed"sv, "an LKCD dump of a big-endian machine", kCrashOpens},
    Magic{0, "\xa8\x19\x01\x73\x61\x8f\x23\xfd"sv, "a stand-alone dump of s390", "crash opens it on an s390x machine"},
    Magic{0, "DISKDUMP"sv, "a diskdump file, from before kdump", kCrashOpens},
    Magic{0, "sadump\0\0"sv, "an sadump file", "makedumpfile makes a kdump file of it"},
    Magic{0, "FreeBSD Kernel Dump"sv, "a dump of FreeBSD", "kgdb opens it"},
    Magic{0, "minidump FreeBSD"sv, "a minidump of FreeBSD", "kgdb opens it"},
    Magic{0, "\xcf\xfa\xed\xfe"sv, "a Mach-O file, of macOS", "lldb opens it"},
    Magic{0, "\xce\xfa\xed\xfe"sv, "a Mach-O file of 32 bits, of macOS", "lldb opens it"},
    Magic{0, "\xfe\xed\xfa\xcf"sv, "a big-endian Mach-O file", "lldb opens it"},
    Magic{0, "\xfe\xed\xfa\xce"sv, "a big-endian Mach-O file", "lldb opens it"},

    Magic{514, "HdrS"sv, "a kernel image (bzImage)", "give the dump; the names of a vmlinux come with --vmlinux=FILE"},
    Magic{56, "ARM\x64"sv, "a kernel image of arm64", "give the dump"},

    Magic{0, "QFI\xfb"sv, "a qcow2 disk image", kDisk},
    Magic{0, "QED\0"sv, "a QED disk image", kDisk},
    Magic{0, "KDMV"sv, "a VMDK disk image", kDisk},
    Magic{0, "COWD"sv, "a VMDK disk image", kDisk},
    Magic{0, "# Disk DescriptorFile"sv, "the description of a VMDK disk image", kDisk},
    Magic{0, "conectix"sv, "a VHD disk image", kDisk},
    Magic{0, "vhdxfile"sv, "a VHDX disk image", kDisk},
    Magic{0x40, "\x7f\x10\xda\xbe"sv, "a VDI disk image", kDisk},
    Magic{0, "WithoutFreeSpace"sv, "a Parallels disk image", kDisk},
    Magic{0, "WithouFreSpacExt"sv, "a Parallels disk image", kDisk},
    Magic{0, "Bochs Virtual HD Image"sv, "a Bochs disk image", kDisk},
    Magic{0, "LUKS\xba\xbe"sv, "an encrypted (LUKS) disk", kDisk},
    Magic{512, "LABELONE"sv, "an LVM physical volume", kDisk},
    Magic{0x8001, "CD001"sv, "an ISO 9660 image", kDisk},
    Magic{0, "XFSB"sv, "an XFS file system", kDisk},
    Magic{0x10040, "_BHRfS_M"sv, "a btrfs file system", kDisk},
    Magic{0, "hsqs"sv, "a squashfs file system", kDisk},
    Magic{1024, "\x10\x20\xf5\xf2"sv, "an F2FS file system", kDisk},
    Magic{1024, "\xe2\xe1\xf5\xe0"sv, "an EROFS file system", kDisk},
    Magic{3, "NTFS    "sv, "an NTFS file system", kDisk},
    Magic{3, "EXFAT   "sv, "an exFAT file system", kDisk},
    Magic{82, "FAT32   "sv, "a FAT file system", kDisk},
    Magic{54, "FAT16   "sv, "a FAT file system", kDisk},
    Magic{54, "FAT12   "sv, "a FAT file system", kDisk},
    Magic{512, "EFI PART"sv, "a raw disk image with a GPT", kDisk},
    Magic{0x438, "\x53\xef"sv, "an ext2, ext3 or ext4 file system", kDisk},
    Magic{510, "\x55\xaa"sv, "a raw disk image with a boot sector", kDisk},

    // The interrupt vectors of a BIOS, at address 0 of a PC's memory.
    Magic{0, "\x53\xff\0\xf0\x53\xff\0\xf0"sv, "raw memory of a PC, without registers",
          "take an ELF core (dump-guest-memory, virsh dump --memory-only); `vmcore compare --raw` reads raw memory"},
};

bool HasBytesAt(std::string_view head, size_t offset, std::string_view bytes) {
  return head.size() >= offset + bytes.size() && head.substr(offset, bytes.size()) == bytes;
}

std::string Sentence(std::string_view name, std::string_view advice) {
  return absl::StrFormat("it is %s, no vmcore: %s", name, advice);
}

struct Machine {
  uint16_t number;
  std::string_view name;
};
constexpr std::array kMachines = {
    Machine{EM_386, "i386"},     Machine{EM_ARM, "arm"},     Machine{EM_AARCH64, "aarch64"},
    Machine{EM_PPC, "ppc"},      Machine{EM_PPC64, "ppc64"}, Machine{EM_S390, "s390x"},
    Machine{EM_RISCV, "riscv"},  Machine{EM_MIPS, "mips"},   Machine{EM_SPARCV9, "sparc64"},
    Machine{EM_IA_64, "ia64"},   Machine{258, "loongarch"},  Machine{EM_X86_64, "x86_64"},
    Machine{EM_PARISC, "parisc"}};

std::string MachineName(uint16_t number) {
  for (const Machine& machine : kMachines) {
    if (machine.number == number) return std::string(machine.name);
  }
  return absl::StrFormat("e_machine %d", number);
}

bool IsCoreNote(const VmcoreNote& note, uint32_t type) { return note.name == "CORE" && note.type == type; }

// Offsets and sizes in Linux's struct elf_prpsinfo on x86_64.
constexpr size_t kPrpsinfoPid = 24;
constexpr size_t kPrpsinfoName = 40;
constexpr size_t kPrpsinfoNameSize = 16;
constexpr size_t kPrpsinfoSize = 136;

// True if all PT_LOADs have a virtual address, as in a program, and no physical one. The kernel writes p_paddr 0 into
// the core of a process.
bool HasOnlyProcessSegments(std::span<const Elf64_Phdr> phdrs) {
  size_t loads = 0;
  for (const Elf64_Phdr& phdr : phdrs) {
    if (phdr.p_type != PT_LOAD) continue;
    ++loads;
    if (phdr.p_paddr != 0 || phdr.p_vaddr == 0) return false;
  }
  return loads > 1;
}

bool IsVmm(std::string_view program) {
  // Names are cut to the length that TASK_COMM_LEN allows.
  constexpr std::array kVmms = {"qemu-"sv,       "kvm"sv,     "vmm"sv,          "cloud-hyperviso"sv, "cloud-hypervis"sv,
                                "firecracker"sv, "crosvm"sv,  "VBoxHeadless"sv, "VirtualBoxVM"sv,    "vmware-vmx"sv,
                                "lkvm"sv,        "kvmtool"sv, "libkrun"sv};
  return std::any_of(kVmms.begin(), kVmms.end(), [program](std::string_view vmm) { return program.starts_with(vmm); });
}

}  // namespace

std::string NameOtherKind(std::string_view head, std::string_view tail) {
  for (const Magic& magic : kMagics) {
    if (HasBytesAt(head, magic.offset, magic.bytes)) return Sentence(magic.name, magic.advice);
  }
  if (tail.size() == kKindTailSize && tail.starts_with("conectix")) return Sentence("a VHD disk image", kDisk);
  if (tail.size() == kKindTailSize && tail.starts_with("koly")) return Sentence("a disk image of macOS", kDisk);
  if (!head.empty() && head.find_first_not_of('\0') == std::string_view::npos) {
    return absl::StrFormat("its first %d bytes are zeros: it is no vmcore, or was never written", head.size());
  }
  return "";
}

std::string NameOtherSuffix(std::string_view path) {
  if (path.ends_with(".vmem")) return Sentence("the raw memory of a VMware machine (.vmem)", kVmware);
  if (path.ends_with(".vsv") || path.ends_with(".vmrs")) {
    return Sentence("a saved state of Hyper-V", "resume the machine, and dump it from inside with kdump");
  }
  return "";
}

std::string NameOtherElf(const Elf64_Ehdr& ehdr) {
  const bool big_endian = ehdr.e_ident[EI_DATA] == ELFDATA2MSB;
  const auto field = [big_endian](uint16_t value) { return big_endian ? __builtin_bswap16(value) : value; };
  const std::string machine = MachineName(field(ehdr.e_machine));
  const uint16_t type = field(ehdr.e_type);
  if (type == ET_REL) {
    return absl::StrFormat("it is an ELF object file or kernel module, and no core (e_type %d): give the dump", type);
  }
  if (type == ET_EXEC || type == ET_DYN) {
    return absl::StrFormat(
        "it is an ELF program, library or vmlinux, and no core (e_type %d): give the dump, and a vmlinux with "
        "`vmcore report --vmlinux=FILE`",
        type);
  }
  if (type != ET_CORE) return absl::StrFormat("it is an ELF file, but no core (e_type %d)", type);
  if (field(ehdr.e_machine) != EM_X86_64 && field(ehdr.e_machine) != EM_386) {
    return absl::StrFormat("it is an ELF core of %s, not of x86_64: a crash for %s opens it with that kernel's vmlinux",
                           machine, machine);
  }
  if (ehdr.e_ident[EI_CLASS] == ELFCLASS32) {
    return absl::StrFormat(
        "it is an ELF core of 32 bits (%s), and those of 64 bits are read here: a crash for x86 opens that of a "
        "32-bit kernel; for a 64-bit kernel load the crash kernel with kexec --elf64-core-headers",
        machine);
  }
  if (ehdr.e_ident[EI_CLASS] != ELFCLASS64 || big_endian) {
    return "it is an ELF file, but not of 64 bits and little endian";
  }
  if (ehdr.e_machine != EM_X86_64) {
    return absl::StrFormat("it is an ELF core of %s, not of x86_64", machine);
  }
  if (ehdr.e_phnum == 0 && ehdr.e_shnum > 0) {
    return "it is an ELF core without program headers, as xl dump-core writes it of a Xen domain: crash opens it with "
           "the domain's vmlinux";
  }
  return "";
}

std::string NameProcessCore(std::span<const VmcoreNote> notes, std::span<const Elf64_Phdr> phdrs) {
  bool process = false;
  const VmcoreNote* info = nullptr;
  for (const VmcoreNote& note : notes) {
    // This is a machine's dump: it can be read, whatever else is in it.
    if (note.name == "QEMU" || note.name == "VMCOREINFO" || note.name == "VBCORE") return "";
    process |= IsCoreNote(note, NT_AUXV) || IsCoreNote(note, NT_FILE) || IsCoreNote(note, NT_SIGINFO);
    if (IsCoreNote(note, NT_PRPSINFO) && info == nullptr) info = &note;
  }
  process |= info != nullptr && HasOnlyProcessSegments(phdrs);
  if (!process) return "";
  std::string who = "a process";
  std::string program;
  if (info != nullptr && info->desc.size() == kPrpsinfoSize) {
    int32_t pid = 0;
    std::memcpy(&pid, info->desc.data() + kPrpsinfoPid, sizeof(pid));
    for (size_t i = 0; i < kPrpsinfoNameSize && info->desc[kPrpsinfoName + i] != 0; ++i) {
      const char c = static_cast<char>(info->desc[kPrpsinfoName + i]);
      program += IsPrintable(c) ? c : '?';
    }
    who = absl::StrFormat("the process `%s` (pid %d)", program, pid);
  }
  return absl::StrFormat(
      "it is the core of %s, not a machine's memory: %s", who,
      IsVmm(program) ? "gdb shows that VMM; of its guest take a dump while it runs (dump-guest-memory, virsh dump "
                       "--memory-only)"
                     : "open it with gdb");
}

}  // namespace vmm
