#include "vmm/boot/image_kind.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "absl/strings/str_format.h"
#include "base/printable.h"
#include "vmm/boot/abi/pe_abi.h"
#include "vmm/boot/machine_names.h"

namespace vmm {
namespace {

using Head = std::span<const uint8_t>;

constexpr std::string_view kX86Only = "vmm runs x86-64 only";

bool HasAt(Head head, uint64_t offset, std::string_view bytes) {
  return offset <= head.size() && bytes.size() <= head.size() - offset &&
         std::memcmp(head.data() + offset, bytes.data(), bytes.size()) == 0;
}

// Reads a little-endian word; 0 if the file ends before it does.
uint32_t Word(Head head, uint64_t offset) {
  uint32_t word = 0;
  if (offset <= head.size() && sizeof(word) <= head.size() - offset) {
    std::memcpy(&word, head.data() + offset, sizeof(word));
  }
  return word;
}
uint32_t BigEndianWord(Head head, uint64_t offset) { return __builtin_bswap32(Word(head, offset)); }

// Returns the printable characters from `offset`, at most `max`.
std::string TextAt(Head head, uint64_t offset, uint64_t max) {
  std::string text;
  for (uint64_t at = offset; at < head.size() && text.size() < max; ++at) {
    if (!IsPrintable(static_cast<char>(head[at]))) break;
    text.push_back(static_cast<char>(head[at]));
  }
  return text;
}

// ---- kernels for other processors, and in other loaders' containers

// struct linux_efi_zboot_header, drivers/firmware/efi/libstub/zboot-header.S
std::optional<std::string> DescribeZboot(Head head) {
  if (!HasAt(head, 0, "MZ") || Word(head, 4) != kZbootMagic) return std::nullopt;
  const std::string codec = TextAt(head, kZbootCompressionOffset, kZbootCompressionMax);
  const uint32_t offset = Word(head, kZbootPayloadOffset);
  const uint32_t size = Word(head, kZbootPayloadOffset + 4);
  const uint32_t pe = Word(head, kDosLfanewOffset);
  const std::string machine =
      Word(head, pe) == kPeSignature
          ? PeMachineName(static_cast<uint16_t>(Word(head, uint64_t{pe} + sizeof(kPeSignature))))
          : "another processor";
  const std::string program = codec == "zstd" ? "zstd" : codec == "lzma" ? "xz" : codec;
  return absl::StrFormat(
      "an EFI zboot image (%s-compressed) for %s: vmm starts no EFI program, and runs x86-64 only; its kernel comes "
      "out by: tail -c +%d FILE | head -c %d | %s -dc > kernel",
      codec, machine, uint64_t{offset} + 1, size, program);
}

std::optional<std::string> DescribeUimage(Head head) {
  constexpr uint64_t kHeader = 64, kArch = 29, kName = 32, kNameSize = 32;
  if (BigEndianWord(head, 0) != 0x27051956 || head.size() < kHeader) return std::nullopt;
  return absl::StrFormat(
      "a U-Boot uImage for %s (\"%s\"): what is in it comes out by: dumpimage -p 0 -o kernel FILE, or: tail -c +%d "
      "FILE "
      "> kernel",
      UbootMachineName(head[kArch]), TextAt(head, kName, kNameSize), kHeader + 1);
}

std::optional<std::string> DescribeDeviceTree(Head head) {
  if (BigEndianWord(head, 0) != 0xd00dfeed) return std::nullopt;
  constexpr std::string_view kNode("\0\0\0\1images", 10);  // FDT_BEGIN_NODE and a name
  if (std::search(head.begin(), head.end(), kNode.begin(), kNode.end()) != head.end()) {
    return "a FIT image of U-Boot: its kernel comes out by: dumpimage -T flat_dt -p 0 -o kernel FILE";
  }
  return "a flattened device tree: a DTB, or a FIT image of U-Boot (its kernel comes out by: dumpimage -T flat_dt -p 0 "
         "-o kernel FILE)";
}

std::optional<std::string> DescribeOtherLoaders(Head head) {
  if (auto zboot = DescribeZboot(head)) return zboot;
  if (auto uimage = DescribeUimage(head)) return uimage;
  if (auto tree = DescribeDeviceTree(head)) return tree;
  const auto foreign = [](std::string_view what) { return absl::StrFormat("%s: %s", what, kX86Only); };
  if (HasAt(head, 0x38, "ARM\x64")) return foreign("an arm64 kernel (Image)");
  if (HasAt(head, 0x30, "RISCV") || HasAt(head, 0x38, "RSC\x05")) return foreign("a riscv kernel (Image)");
  if (HasAt(head, 0, "MZ") && Word(head, 0x38) == kLinuxPeMagic) return foreign("a loongarch kernel (Image)");
  if (Word(head, 0x24) == 0x016f2818 || BigEndianWord(head, 0x24) == 0x016f2818) {
    return foreign("a 32-bit arm kernel (zImage)");
  }
  if (HasAt(head, 0x10008, "S390EP")) return foreign("an s390 kernel (bzImage)");
  if (HasAt(head, 0, "ANDROID!")) {
    return "an Android boot image: kernel and ramdisk come out by: unpack_bootimg --boot_img FILE --out DIR";
  }
  if (HasAt(head, 0, "VNDRBOOT")) {
    return "an Android vendor_boot image, which has no kernel in it: that is in boot.img; the ramdisk comes out by: "
           "unpack_bootimg --boot_img FILE --out DIR";
  }
  return std::nullopt;
}

// 32-bit kernels that a multiboot loader (GRUB) starts. One with a good multiboot 1 header is not asked about here.
std::optional<std::string> DescribeElf32(Head head) {
  if (!HasAt(head, 0, ELFMAG) || head.size() <= EI_CLASS || head[EI_CLASS] != ELFCLASS32) return std::nullopt;
  for (uint64_t at = 0; at + 4 <= std::min<uint64_t>(head.size(), 32768); at += 4) {
    const uint32_t word = Word(head, at);
    if ((word != 0x1badb002 || at >= 8192) && word != 0xe85250d6) continue;
    return absl::StrFormat("a multiboot kernel (ELF class 1, header at %#x) %s", at,
                           word == 0x1badb002
                               ? "with a wrong checksum in its header: magic, flags and checksum must add up to 0"
                               : "with a multiboot 2 header only: vmm starts 32-bit kernels by a multiboot 1 header");
  }
  return std::nullopt;
}

// ---- files that are not kernels at all

struct Magic {
  uint64_t offset;
  std::string_view bytes;
  std::string_view what;
};

using std::string_view_literals::operator""sv;

constexpr Magic kMagics[] = {
    {0, "070701"sv, "a cpio archive, as an initrd is: give the file to --initrd"},
    {0, "070702"sv, "a cpio archive, as an initrd is: give the file to --initrd"},
    {0, "070707"sv, "a cpio archive in an old format, which is not an initrd's (newc)"},
    {0, "\xc7\x71"sv, "a cpio archive in an old format, which is not an initrd's (newc)"},
    {257, "ustar"sv, "a tar archive: unpack the kernel by: tar -xf FILE"},
    {0, "\xed\xab\xee\xdb"sv, "an rpm package: unpack its kernel by: rpm2cpio FILE | cpio -id"},
    {0, "!<arch>\ndebian"sv, "a Debian package: unpack its kernel by: dpkg -x FILE DIR"},
    {0, "!<arch>\n"sv, "an ar archive"},
    {0, "PK\3\4"sv, "a zip archive: unpack the kernel by: unzip FILE"},
    {0, "7z\xbc\xaf\x27\x1c"sv, "a 7z archive: unpack the kernel by: 7z x FILE"},
    {0, "LZIP"sv, "lzip-compressed: unpack it by: lzip -dc FILE > kernel"},
    {0, "\x1f\x9d"sv, "compressed by compress(1): unpack it by: gzip -dc FILE > kernel"},
    {0, "\x1f\xa0"sv, "compressed by compress(1): unpack it by: gzip -dc FILE > kernel"},
    {0, "QFI\xfb"sv, "a qcow2 disk image: vmm boots a kernel file, the one on the disk or another"},
    {0, "KDMV"sv, "a VMDK disk image: vmm boots a kernel file, the one on the disk or another"},
    {0, "vhdxfile"sv, "a VHDX disk image: vmm boots a kernel file, the one on the disk or another"},
    {0, "conectix"sv, "a VHD disk image: vmm boots a kernel file, the one on the disk or another"},
    {0x40, "\x7f\x10\xda\xbe"sv, "a VDI disk image: vmm boots a kernel file, the one on the disk or another"},
    {0x8001, "CD001"sv, "an ISO 9660 image: vmm boots a kernel file; take it out by: bsdtar -xf FILE"},
    {512, "EFI PART"sv, "a disk image with a GPT: vmm boots a kernel file, the one on the disk or another"},
    {4096, "EFI PART"sv, "a disk image with a GPT: vmm boots a kernel file, the one on the disk or another"},
    {0x438, "\x53\xef"sv, "an ext2, ext3 or ext4 file system: vmm boots a kernel file, the one in it or another"},
    {0, "hsqs"sv, "a squashfs file system: take the kernel out by: unsquashfs FILE"},
    {1024, "\xe2\xe1\xf5\xe0"sv, "an EROFS file system: vmm boots a kernel file, the one in it or another"},
    {0, "XFSB"sv, "an XFS file system: vmm boots a kernel file, the one in it or another"},
    {0, "LUKS\xba\xbe"sv, "an encrypted disk (LUKS): vmm boots a kernel file"},
    {0, "KDUMP   "sv, "a dump (kdump-compressed): vmcore info FILE tells of it"},
    {0, "makedumpfile\0"sv, "a dump (flattened by makedumpfile): vmcore info FILE tells of it"},
    {0, "\xcf\xfa\xed\xfe"sv, "a Mach-O file"},
    {0, "#!"sv, "a script"},
};

// A master boot record: 0xaa55 at its end, and four entries. Each entry is empty or a partition.
bool IsPartitioned(Head head) {
  constexpr uint64_t kTable = 446, kEntry = 16;
  if (!HasAt(head, 510, "\x55\xaa")) return false;
  bool any = false;
  for (uint64_t at = kTable; at < kTable + 4 * kEntry; at += kEntry) {
    const uint8_t status = head[at], type = head[at + 4];
    if (status != 0 && status != 0x80) return false;
    any = any || (type != 0 && Word(head, at + 12) != 0);
  }
  return any;
}

// The bytes of the UTF-8 character that `first` begins; 0 if it begins none or is a control character.
size_t Utf8Length(uint8_t first) {
  if (first < 0x80) return first >= 0x20 ? first != 0x7f : first == '\n' || first == '\r' || first == '\t';
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

// True if the first bytes are UTF-8 text. The last character may be cut.
bool IsText(Head head) {
  const Head beginning = head.first(std::min<size_t>(head.size(), 512));
  for (size_t at = 0; at < beginning.size();) {
    const size_t length = Utf8Length(beginning[at]);
    if (length == 0) return false;
    const Head rest = beginning.subspan(at + 1, std::min(length - 1, beginning.size() - at - 1));
    if (!std::all_of(rest.begin(), rest.end(), [](uint8_t byte) { return (byte & 0xc0) == 0x80; })) return false;
    at += length;
  }
  return !beginning.empty();
}

}  // namespace

std::optional<std::string> DescribeImage(Head head) {
  if (auto kernel = DescribeOtherLoaders(head)) return kernel;
  if (auto kernel = DescribeElf32(head)) return kernel;
  if (HasAt(head, 0, ELFMAG)) return std::nullopt;
  for (const Magic& magic : kMagics) {
    if (HasAt(head, magic.offset, magic.bytes)) return std::string(magic.what);
  }
  if (IsPartitioned(head))
    return "a disk image with a partition table: vmm boots a kernel file, the one on it or another";
  if (IsText(head)) return "a text file";
  constexpr size_t kSector = 512;
  if (head.size() >= kSector && std::all_of(head.begin(), head.end(), [](uint8_t byte) { return byte == 0; })) {
    return "a file that begins with zeros";
  }
  return std::nullopt;
}

}  // namespace vmm
