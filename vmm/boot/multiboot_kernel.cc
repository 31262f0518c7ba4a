#include "vmm/boot/multiboot_kernel.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/input_file.h"
#include "base/status.h"
#include "vmm/boot/abi/multiboot_abi.h"
#include "vmm/boot/bios_stub.h"
#include "vmm/boot/command_line.h"
#include "vmm/boot/e820.h"
#include "vmm/boot/image_bytes.h"
#include "vmm/boot/multiboot_image.h"
#include "vmm/boot/multiboot_info.h"
#include "vmm/boot/placement.h"
#include "vmm/boot/protected_mode.h"
#include "vmm/platform/memory_map.h"

namespace vmm {
namespace {

// Not for a kernel: interrupt table and BIOS data area; EBDA, ACPI and SMBIOS tables.
constexpr std::array kReserved{GuestRange{GuestAddr{0}, kBootGdt.value},
                               GuestRange{kEbda, kHighMemory.value - kEbda.value}};

absl::Status Bad(std::string message) { return absl::InvalidArgumentError(message); }

absl::Status CheckConfig(const BootConfig& config) {
  if (config.initrd.has_value()) return Bad("a multiboot kernel runs no program of the user's: that takes Linux");
  if (config.mode == BootMode::kClassic)
    return Bad("a multiboot kernel has no code of its own to start it: not for classic boot");
  if (config.kaslr.mode == Kaslr::Mode::kSeed)
    return Bad("a KASLR seed was given, a multiboot kernel has one place only");
  const size_t modules = config.modules.size() + (config.initrd_path.empty() ? 0 : 1);
  if (modules > kMaxModules) return Bad(absl::StrFormat("%d modules, the limit is %d", modules, kMaxModules));
  return CheckCommandLine(config.command_line, kCommandLineMax);
}

absl::Status PlacePiece(const ElfSegment& piece, const KernelFile& file, GuestMemory& memory) {
  const GuestRange place{GuestAddr{piece.paddr}, piece.memsz};
  const std::vector<GuestRange> free = FreeRanges(memory.Ranges(), kReserved);
  if (!std::ranges::any_of(free, [&](const GuestRange& range) { return range.Contains(place); })) {
    return Bad(absl::StrFormat(
        "the kernel wants the memory %#x..+%#x: of the guest's %d MiB it may have RAM from %#x to %#x, and from %#x to "
        "the hole at %#x",
        piece.paddr, piece.memsz, memory.size() >> 20, kBootGdt.value, kEbda.value, kHighMemory.value,
        kHole.start.value));
  }
  ASSIGN_OR_RETURN(const std::span<uint8_t> target, memory.Span({place.start, piece.filesz}));
  return file.kernel.Read(piece.offset, target);
}

// Reads the file that `text` begins with to the first free page at `lowest` or above.
absl::StatusOr<PlacedModule> PlaceModule(const std::string& text, uint64_t lowest, GuestMemory& memory) {
  const std::string path = text.substr(0, text.find(' '));
  ASSIGN_OR_RETURN(InputFile input, InputFile::Open(path));
  const ImageBytes file(std::move(input));
  const std::optional<GuestAddr> start =
      LowestPlace(memory.Ranges(), {.size = file.size(), .lowest = lowest, .highest_end = kHole.start.value});
  if (!start.has_value()) {
    return Bad(
        absl::StrFormat("%d bytes do not fit into the guest's %d MiB below %#x, above the kernel and the modules "
                        "before it (%#x): give it more memory",
                        file.size(), memory.size() >> 20, kHole.start.value, lowest));
  }
  PlacedModule module{.place = {*start, file.size()}, .text = text};
  ASSIGN_OR_RETURN(const std::span<uint8_t> target, memory.Span(module.place));
  RETURN_IF_ERROR(file.Read(0, target));
  return module;
}

}  // namespace

absl::StatusOr<PlacedKernel> PlaceMultiboot(const BootConfig& config, const KernelFile& file, GuestMemory& memory) {
  RETURN_IF_ERROR(CheckConfig(config));
  ASSIGN_OR_RETURN(const MultibootImage image, ParseMultiboot(file.head, file.kernel.size()));
  for (const ElfSegment& piece : image.segments) RETURN_IF_ERROR(PlacePiece(piece, file, memory));

  PlacedKernel placed{
      .loaded = {.is_multiboot = true, .physical_base = image.extent.start.value, .image_size = image.extent.size},
      .place = image.extent,
      .entry = GuestAddr{image.entry},
      .command_line = config.kernel_path};
  if (!config.command_line.empty()) placed.command_line += " " + config.command_line;
  uint64_t lowest = std::max(image.extent.end().value, kHighMemory.value);
  const auto add = [&](const std::string& text, std::string_view kind) -> absl::Status {
    ASSIGN_OR_RETURN(const PlacedModule module,
                     Annotate(PlaceModule(text, lowest, memory), absl::StrFormat("%s %s", kind, text)));
    lowest = module.place.end().value;
    placed.modules.push_back(module);
    return absl::OkStatus();
  };
  if (!config.initrd_path.empty()) RETURN_IF_ERROR(add(config.initrd_path, "initrd"));
  for (const std::string& text : config.modules) RETURN_IF_ERROR(add(text, "module"));
  return placed;
}

absl::StatusOr<LoadedKernel> EnterMultiboot(const PlacedKernel& placed, GuestMemory& memory) {
  RETURN_IF_ERROR(WriteBiosStub(memory));
  const std::vector<E820Entry> e820 = MakeE820(memory.Ranges());
  ASSIGN_OR_RETURN(
      const PlacedMultibootInfo info,
      WriteMultibootInfo(memory, {.command_line = placed.command_line, .modules = placed.modules, .e820 = e820},
                         std::array{placed.place}));
  LoadedKernel loaded = placed.loaded;
  loaded.entry = ProtectedModeEntry(static_cast<uint32_t>(placed.entry.value), info.gdt);
  loaded.entry.rax = kMultibootBootloaderMagic;
  loaded.entry.rbx = info.info.value;
  return loaded;
}

}  // namespace vmm
