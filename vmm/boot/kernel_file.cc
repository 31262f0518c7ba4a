#include "vmm/boot/kernel_file.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "base/input_file.h"
#include "base/status.h"
#include "vmm/boot/abi/bzimage_abi.h"
#include "vmm/boot/abi/pe_abi.h"
#include "vmm/boot/bzimage.h"
#include "vmm/boot/elf_kernel.h"
#include "vmm/boot/image_kind.h"
#include "vmm/boot/machine_names.h"
#include "vmm/boot/multiboot_image.h"
#include "vmm/boot/uki.h"
#include "vmm/boot/unwrap.h"
#include "vmm/platform/memory_map.h"

namespace vmm {
namespace {

// The largest kernel or UKI file, in bytes. A vmlinux with all its debug information has less than 1 GiB.
constexpr uint64_t kMaxKernelFile = 4ull << 30;

absl::Status Bad(std::string message) { return absl::InvalidArgumentError(message); }

absl::StatusOr<std::vector<uint8_t>> ReadHead(const ImageBytes& bytes) {
  std::vector<uint8_t> head(std::min(bytes.size(), kBzImageHeadSize));
  RETURN_IF_ERROR(bytes.Read(0, head));
  return head;
}

// A bzImage with an EFI stub is also a PE file, so this check comes first.
bool HasSetupHeader(std::span<const uint8_t> head) {
  constexpr uint64_t kMagic = kSetupHeaderOffset + offsetof(SetupHeader, header);
  uint32_t magic = 0;
  if (head.size() < kMagic + sizeof(magic)) return false;
  std::memcpy(&magic, head.data() + kMagic, sizeof(magic));
  return magic == kSetupHeaderMagic;
}

bool IsMultiboot(std::span<const uint8_t> head) {
  return !HasSetupHeader(head) && FindMultibootHeader(head).has_value();
}

bool MayBeKernel(std::span<const uint8_t> head) { return IsElf(head) || HasSetupHeader(head) || IsMultiboot(head); }

// Returns an error unless `file` may be a kernel in a form that can be loaded.
absl::Status CheckKind(const KernelFile& file) {
  if (HasSetupHeader(file.head)) return absl::OkStatus();
  if (const std::optional<std::string> kind = DescribeImage(file.head); kind.has_value()) {
    return Bad(absl::StrFormat("it is %s", *kind));
  }
  if (file.is_elf) return absl::OkStatus();
  if (const std::optional<Codec> codec = IdentifyWrapping(file.head); codec.has_value()) {
    return Bad(absl::StrFormat("it is %s-compressed here: unpack it by: %s", CodecName(*codec), UnpackCommand(*codec)));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadCommandLine(const ImageBytes& file, const PeSection& section) {
  if (section.size > kCommandLineMax) {
    return Bad(absl::StrFormat("section .cmdline has %d bytes, the limit is %d", section.size, kCommandLineMax));
  }
  std::string line(section.size, '\0');
  RETURN_IF_ERROR(file.Read(section.offset, {reinterpret_cast<uint8_t*>(line.data()), line.size()}));
  while (!line.empty() && line.back() == '\0') line.pop_back();
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c != '\0' && static_cast<unsigned char>(c) < ' '; }, ' ');
  return std::string(absl::StripAsciiWhitespace(line));
}

// Replaces `file`, which is a UKI, by the UKI's parts.
absl::Status TakeApart(KernelFile& file) {
  ASSIGN_OR_RETURN(const Uki uki, ParseUki(file.head, file.kernel.size()));
  const std::string machine = PeMachineName(uki.machine);
  if (!uki.kernel.has_value()) {
    return Bad(absl::StrFormat(
        "it is an EFI program for %s, which vmm does not start: boot a bzImage, a vmlinux or a UKI (a UKI has its "
        "kernel in a section .linux; this has none; objcopy -O binary -j .linux UKI kernel takes one out)",
        machine));
  }
  if (uki.machine != kPeMachineAmd64) return Bad(absl::StrFormat("it is a UKI for %s: vmm runs x86-64 only", machine));
  if (uki.kernel->size == 0) return Bad("section .linux of the UKI is empty");
  const ImageBytes whole = file.kernel;
  if (uki.initrd.has_value() && uki.initrd->size != 0) file.initrd = whole.Part(uki.initrd->offset, uki.initrd->size);
  if (uki.cmdline.has_value() && uki.cmdline->size != 0) {
    ASSIGN_OR_RETURN(file.command_line, ReadCommandLine(whole, *uki.cmdline));
  }
  file.kernel = whole.Part(uki.kernel->offset, uki.kernel->size);
  ASSIGN_OR_RETURN(file.head, ReadHead(file.kernel));
  file.is_elf = IsElf(file.head);
  if (MayBeKernel(file.head)) return absl::OkStatus();
  if (IsPe(file.head)) return Bad("section .linux: it is an EFI program, not a bzImage");
  return Annotate(CheckKind(file), "section .linux");
}

// Inspects `file`, which is not compressed, or was already unpacked.
absl::Status Look(KernelFile& file) {
  file.is_elf = IsElf(file.head);
  file.is_multiboot = IsMultiboot(file.head);
  if (file.is_multiboot) return absl::OkStatus();
  if (MayBeKernel(file.head)) return CheckKind(file);
  // Kernels for other processors are EFI programs, too, but DescribeImage() has better names for them.
  const std::optional<std::string> kind = DescribeImage(file.head);
  if (!kind.has_value() && IsPe(file.head)) return TakeApart(file);
  return CheckKind(file);
}

}  // namespace

absl::StatusOr<KernelFile> OpenKernelFile(const std::string& path) {
  ASSIGN_OR_RETURN(InputFile input, InputFile::Open(path, {.most = kMaxKernelFile}));
  KernelFile file{.kernel = ImageBytes(std::move(input))};
  ASSIGN_OR_RETURN(file.head, ReadHead(file.kernel));
  std::optional<Codec> codec;
  if (!MayBeKernel(file.head)) codec = IdentifyWrapping(file.head);
  if (!codec.has_value()) {
    RETURN_IF_ERROR(Look(file));
    return file;
  }
  ASSIGN_OR_RETURN(file.kernel, Unwrap(file.kernel, *codec));
  ASSIGN_OR_RETURN(file.head, ReadHead(file.kernel));
  RETURN_IF_ERROR(Annotate(Look(file), absl::StrFormat("inside of %s", CodecName(*codec))));
  return file;
}

}  // namespace vmm
