#include "vmm/boot/load_kernel.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/input_file.h"
#include "base/status.h"
#include "vmm/boot/boot_params.h"
#include "vmm/boot/bzimage.h"
#include "vmm/boot/command_line.h"
#include "vmm/boot/direct_image.h"
#include "vmm/boot/e820.h"
#include "vmm/boot/elf_kernel.h"
#include "vmm/boot/initrd.h"
#include "vmm/boot/kernel_file.h"
#include "vmm/boot/long_mode.h"
#include "vmm/boot/multiboot_kernel.h"
#include "vmm/boot/placement.h"
#include "vmm/boot/setup_data.h"
#include "vmm/platform/memory_map.h"

namespace vmm {
namespace {

constexpr GuestRange kLowMemory{GuestAddr{0}, kHighMemory.value};  // boot structures, ACPI tables
constexpr GuestRange kFirst4GiB{GuestAddr{0}, 4ull << 30};
constexpr uint32_t kInitrdMaxForElf = 0x7fffffff;

absl::Status Bad(std::string message) { return absl::InvalidArgumentError(message); }

absl::Status NoRoom(const GuestMemory& memory, const GuestRange& place, std::string_view why) {
  return Bad(
      absl::StrFormat("the kernel needs %d bytes of RAM at %#x (%s); the guest's %d MiB have them not free there: "
                      "give it more memory",
                      place.size, place.start.value, why, memory.size() >> 20));
}

bool IsFree(std::span<const GuestRange> free, const GuestRange& range) {
  return std::any_of(free.begin(), free.end(), [&](const GuestRange& candidate) { return candidate.Contains(range); });
}

// Places the initrd that the caller made, else the user's, else the UKI's.
absl::StatusOr<GuestRange> PlaceInitrd(const BootConfig& config, const KernelFile& file, const GuestRange& kernel,
                                       uint32_t addr_max, GuestMemory& memory) {
  if (config.initrd.has_value()) {
    return Annotate(LoadInitrd(*config.initrd, kernel, addr_max, memory), "the program and its files");
  }
  if (!config.initrd_path.empty() || !file.initrd.has_value()) {
    return LoadInitrd(config.initrd_path, kernel, addr_max, memory);
  }
  return Annotate(LoadInitrd(*file.initrd, kernel, addr_max, memory), "section .initrd");
}

// ---- vmlinux ELF

absl::StatusOr<PlacedKernel> PlaceElf(const BootConfig& config, const KernelFile& file, GuestMemory& memory) {
  if (config.mode == BootMode::kClassic)
    return Bad("a plain ELF file has no code of its own to start it: not for classic boot");
  if (config.kaslr.mode == Kaslr::Mode::kSeed)
    return Bad("a KASLR seed was given, a plain ELF file has no relocations to move it by");
  RETURN_IF_ERROR(CheckCommandLine(config.command_line, kDefaultCommandLineSize));
  const auto elf_head = std::span(file.head).first(std::min<uint64_t>(file.head.size(), kElfHeadSize));
  ASSIGN_OR_RETURN(const ElfKernel elf, ParseElfKernel(elf_head, file.kernel.size()));
  const std::vector<GuestRange> free = FreeRanges(memory.Ranges(), std::array{kLowMemory});
  if (!IsFree(free, elf.extent)) {
    if (elf.extent.start < kHighMemory) {
      return Bad(absl::StrFormat("PT_LOAD at p_paddr %#x is below %#x, where the boot structures are",
                                 elf.extent.start.value, kHighMemory.value));
    }
    return NoRoom(memory, elf.extent, "its PT_LOADs");
  }
  PlacedKernel image{.loaded = {.is_elf = true,
                                .physical_base = elf.extent.start.value,
                                .image_size = elf.extent.size,
                                .virtual_base = kStartKernelMap + elf.extent.start.value},
                     .header = HeaderForElf(),
                     .place = elf.extent,
                     .entry = GuestAddr{elf.entry},
                     .command_line = config.command_line};
  ASSIGN_OR_RETURN(image.initrd, PlaceInitrd(config, file, elf.extent, kInitrdMaxForElf, memory));
  for (const ElfSegment& segment : elf.segments) {
    ASSIGN_OR_RETURN(const std::span<uint8_t> target, memory.Span({GuestAddr{segment.paddr}, segment.filesz}));
    RETURN_IF_ERROR(file.kernel.Read(segment.offset, target));
  }
  return image;
}

// ---- bzImage, direct

// The kernel's physical place, and its shift in virtual memory.
struct DirectPlace {
  GuestAddr base;
  uint64_t shift = 0;
  std::optional<uint64_t> seed;  // base and shift were drawn with it; none if nothing was drawn
};

bool MayUseAbove4GiB(const SetupHeader& header) { return (header.xloadflags & kXlfCanBeLoadedAbove4G) != 0; }

// Draws the virtual and the physical place independently, as the kernel does.
absl::StatusOr<DirectPlace> DrawPlace(const BootConfig& config, const BzImage& bzimage, const DirectImage& direct,
                                      std::span<const GuestRange> free) {
  const uint64_t alignment = std::max<uint64_t>(bzimage.header.kernel_alignment, kPmdSize);
  ASSIGN_OR_RETURN(const uint64_t seed, KaslrSeed(config.kaslr));
  KaslrDraw draw(seed);
  const std::optional<uint64_t> shift = DrawVirtualShift(draw, direct.linked(), alignment);
  if (!shift.has_value()) {
    return Bad(absl::StrFormat("the kernel is linked at physical %#x and needs %#x bytes: past KERNEL_IMAGE_SIZE %#x",
                               direct.linked().start.value, direct.room, kKernelImageSize));
  }
  DirectPlace place{.base = direct.linked().start, .shift = *shift, .seed = seed};
  // The user may take RAM away with these options. Then the place that the kernel is linked for is the best guess.
  const bool may_lose_ram =
      HasWordBeginning(config.command_line, "mem=") || HasWordBeginning(config.command_line, "memmap=");
  const Room room{.size = direct.room,
                  .alignment = alignment,
                  .lowest = direct.linked().start.value,
                  .highest_end = MayUseAbove4GiB(bzimage.header) ? ~uint64_t{0} : kHole.start.value};
  const uint64_t places = CountPlaces(free, room);
  if (places != 0 && !may_lose_ram) place.base = PlaceAt(free, room, draw.Below(places));
  return place;
}

absl::StatusOr<PlacedKernel> PlaceDirect(const BootConfig& config, const KernelFile& file, const BzImage& bzimage,
                                         const DirectImage& direct, GuestMemory& memory) {
  const std::vector<GuestRange> free = FreeRanges(memory.Ranges(), std::array{kLowMemory});
  if (!IsFree(free, direct.linked())) return NoRoom(memory, direct.linked(), "init_size");
  PlacedKernel image{.header = bzimage.header, .command_line = config.command_line};
  // The initrd stays out of the linked place, so that there is always at least one place to draw.
  ASSIGN_OR_RETURN(image.initrd, PlaceInitrd(config, file, direct.linked(), bzimage.header.initrd_addr_max, memory));

  DirectPlace place{.base = direct.linked().start};
  const bool wants_kaslr = config.kaslr.mode != Kaslr::Mode::kOff && !HasWord(config.command_line, "nokaslr");
  if (wants_kaslr && bzimage.header.relocatable_kernel != 0 && direct.has_relocations()) {
    const std::vector<GuestRange> left = FreeRanges(memory.Ranges(), std::array{kLowMemory, image.initrd});
    ASSIGN_OR_RETURN(place, DrawPlace(config, bzimage, direct, left));
  }
  RETURN_IF_ERROR(PlaceDirectImage(direct, place.base, place.shift, memory));

  constexpr uint16_t kFiveLevel = kXlf5Level | kXlf5LevelEnabled;
  image.place = {place.base, direct.room};
  image.entry = GuestAddr{place.base.value + (direct.elf.entry - direct.linked().start.value)};
  image.kaslr = place.seed.has_value();
  image.takes_five_level =
      (bzimage.header.xloadflags & kFiveLevel) == kFiveLevel && !HasWord(config.command_line, "no5lvl");
  image.loaded = {.direct = true,
                  .physical_base = place.base.value,
                  .image_size = direct.room,
                  .virtual_base = kStartKernelMap + direct.linked().start.value + place.shift,
                  .kaslr_shift = place.shift,
                  .kaslr_seed = place.seed,
                  .version = bzimage.version};
  return image;
}

// ---- bzImage, classic

absl::Status Check64BitEntry(const SetupHeader& header) {
  if (header.version < 0x20c) {
    return Bad(
        absl::StrFormat("boot protocol %d.%02d has no 64-bit entry (xloadflags came with 2.12): it would need a "
                        "BIOS or a 32-bit start",
                        header.version >> 8, header.version & 0xff));
  }
  if ((header.xloadflags & kXlfKernel64) == 0) {
    return Bad(absl::StrFormat("the image is 32-bit only: xloadflags %#x has no bit 0, so there is no 64-bit entry",
                               uint16_t{header.xloadflags}));
  }
  return absl::OkStatus();
}

// Returns pref_address if that is free, else the lowest aligned place if the image can run anywhere.
absl::StatusOr<GuestRange> ClassicPlace(const BzImage& bzimage, const GuestMemory& memory) {
  const SetupHeader& header = bzimage.header;
  const GuestRange preferred{GuestAddr{header.pref_address},
                             std::max<uint64_t>(header.init_size, bzimage.protected_size)};
  const std::vector<GuestRange> free = FreeRanges(memory.Ranges(), std::array{kLowMemory});
  if (IsFree(free, preferred)) return preferred;
  if (header.relocatable_kernel != 0) {
    const std::optional<GuestAddr> base =
        LowestPlace(free, {.size = preferred.size,
                           .alignment = header.kernel_alignment,
                           .highest_end = MayUseAbove4GiB(header) ? ~uint64_t{0} : kHole.start.value});
    if (base.has_value()) return GuestRange{*base, preferred.size};
  }
  return NoRoom(
      memory, preferred,
      absl::StrFormat("init_size %#x, pref_address %#x", uint32_t{header.init_size}, uint64_t{header.pref_address}));
}

absl::StatusOr<PlacedKernel> PlaceClassic(const BootConfig& config, const KernelFile& file, const BzImage& bzimage,
                                          GuestMemory& memory) {
  RETURN_IF_ERROR(Check64BitEntry(bzimage.header));
  PlacedKernel image{.header = bzimage.header, .command_line = config.command_line};
  ASSIGN_OR_RETURN(image.place, ClassicPlace(bzimage, memory));
  ASSIGN_OR_RETURN(image.initrd, PlaceInitrd(config, file, image.place, bzimage.header.initrd_addr_max, memory));
  ASSIGN_OR_RETURN(const std::span<uint8_t> target, memory.Span({image.place.start, bzimage.protected_size}));
  RETURN_IF_ERROR(file.kernel.Read(bzimage.protected_offset, target));
  image.entry = GuestAddr{image.place.start.value + kEntry64Offset};
  image.loaded = {.physical_base = image.place.start.value, .version = bzimage.version};
  return image;
}

// Classic boot leaves KASLR to the image's own code, which obeys only the word "nokaslr".
absl::StatusOr<BootConfig> ForClassic(const BootConfig& config) {
  if (config.kaslr.mode == Kaslr::Mode::kSeed)
    return Bad("a KASLR seed was given, but in classic boot the image draws its own place");
  BootConfig classic = config;
  if (config.kaslr.mode == Kaslr::Mode::kOff && !HasWord(config.command_line, "nokaslr")) {
    if (!classic.command_line.empty()) classic.command_line += ' ';
    classic.command_line += "nokaslr";
  }
  return classic;
}

absl::StatusOr<PlacedKernel> PlaceBzImage(const BootConfig& config, const KernelFile& file, GuestMemory& memory) {
  ASSIGN_OR_RETURN(const BzImage bzimage, ParseBzImage(file.head, file.kernel.size()));
  RETURN_IF_ERROR(CheckCommandLine(config.command_line, bzimage.header.cmdline_size));
  // A 64-bit kernel from before 2.12 cannot say so in its header. Its payload shows it.
  if (bzimage.header.version >= 0x20c) RETURN_IF_ERROR(Check64BitEntry(bzimage.header));

  if (config.mode != BootMode::kClassic) {
    absl::StatusOr<DirectImage> direct = ReadDirectImage(file.kernel, bzimage);
    if (direct.ok()) return PlaceDirect(config, file, bzimage, *direct, memory);
    if (config.mode == BootMode::kDirect || !absl::IsUnimplemented(direct.status())) return direct.status();
  }
  ASSIGN_OR_RETURN(const BootConfig classic, ForClassic(config));
  RETURN_IF_ERROR(CheckCommandLine(classic.command_line, bzimage.header.cmdline_size));
  return PlaceClassic(classic, file, bzimage, memory);
}

absl::StatusOr<PlacedKernel> Place(const BootConfig& config, GuestMemory& memory) {
  ASSIGN_OR_RETURN(const KernelFile file, OpenKernelFile(config.kernel_path));
  if (file.is_multiboot) return PlaceMultiboot(config, file, memory);
  if (!config.modules.empty()) {
    return Bad(
        absl::StrFormat("--module=%s: boot modules are for multiboot kernels, and this is none: give Linux its "
                        "initrd by --initrd; its own modules are loaded for a program: vmm [flags] -- PROGRAM",
                        config.modules.front()));
  }
  BootConfig effective = config;
  if (config.command_line.empty() && file.command_line.has_value()) effective.command_line = *file.command_line;
  return file.is_elf ? PlaceElf(effective, file, memory) : PlaceBzImage(effective, file, memory);
}

// The part that is the same for every image: writes everything around it that the kernel will look at.
absl::StatusOr<LoadedKernel> Enter(const BootConfig& config, const PlacedKernel& placed, GuestMemory& memory) {
  if (placed.loaded.is_multiboot) return EnterMultiboot(placed, memory);
  RETURN_IF_ERROR(WriteCommandLine(memory, placed.command_line));
  RETURN_IF_ERROR(WriteSetupData(memory));
  const std::vector<E820Entry> e820 = MakeE820(memory.Ranges());
  RETURN_IF_ERROR(WriteBootParams(memory, {.header = placed.header,
                                           .initrd = placed.initrd,
                                           .acpi_rsdp = config.acpi_rsdp,
                                           .setup_data = kSetupData,
                                           .e820 = e820,
                                           .kaslr = placed.kaslr}));
  RETURN_IF_ERROR(WriteBootGdt(memory));
  LoadedKernel loaded = placed.loaded;
  loaded.five_level = config.cpu_has_la57 && placed.takes_five_level;
  RETURN_IF_ERROR(WriteIdentityMap(memory, std::array{kFirst4GiB, placed.place}, loaded.five_level));
  loaded.entry = LongModeEntry(placed.entry, loaded.five_level);
  return loaded;
}

}  // namespace

absl::StatusOr<PlacedKernel> PlaceKernel(const BootConfig& config, GuestMemory& memory) {
  return Annotate(Place(config, memory), absl::StrFormat("kernel %s", config.kernel_path));
}

absl::StatusOr<LoadedKernel> EnterKernel(const BootConfig& config, const PlacedKernel& placed, GuestMemory& memory) {
  return Annotate(Enter(config, placed, memory), absl::StrFormat("kernel %s", config.kernel_path));
}

absl::StatusOr<LoadedKernel> LoadKernel(const BootConfig& config, GuestMemory& memory) {
  ASSIGN_OR_RETURN(const PlacedKernel placed, PlaceKernel(config, memory));
  return EnterKernel(config, placed, memory);
}

}  // namespace vmm
