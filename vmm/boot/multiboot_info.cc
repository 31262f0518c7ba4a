#include "vmm/boot/multiboot_info.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status.h"
#include "base/version.h"
#include "vmm/boot/abi/multiboot_abi.h"
#include "vmm/boot/placement.h"
#include "vmm/boot/protected_mode.h"
#include "vmm/platform/memory_map.h"

namespace vmm {
namespace {

constexpr uint32_t kKib = 1024;

// Bytes for guest RAM. Offsets in it become addresses when its place is known.
class Block {
 public:
  // Appends at a multiple of 8. Returns the offset.
  uint32_t Add(std::span<const uint8_t> bytes) {
    bytes_.resize(AlignUp(bytes_.size(), 8));
    const auto at = static_cast<uint32_t>(bytes_.size());
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return at;
  }

  uint32_t AddText(std::string_view text) {
    const std::string terminated(text);
    return Add({reinterpret_cast<const uint8_t*>(terminated.c_str()), terminated.size() + 1});
  }

  std::span<uint8_t> bytes() { return bytes_; }

 private:
  std::vector<uint8_t> bytes_;
};

// Bytes of RAM from 1 MiB without a gap, in KiB.
uint32_t UpperKib(std::span<const E820Entry> e820) {
  for (const E820Entry& entry : e820) {
    const uint64_t start = entry.addr;
    if (start == kHighMemory.value && entry.type == kE820Ram) return static_cast<uint32_t>(uint64_t{entry.size} / kKib);
  }
  return 0;
}

std::vector<MultibootMmapEntry> MemoryMap(std::span<const E820Entry> e820) {
  std::vector<MultibootMmapEntry> map;
  for (const E820Entry& entry : e820) {
    map.push_back({.size = sizeof(MultibootMmapEntry) - sizeof(uint32_t),
                   .base_addr = entry.addr,
                   .length = entry.size,
                   .type = entry.type});
  }
  return map;
}

template <typename T>
std::span<const uint8_t> BytesOfList(const std::vector<T>& list) {
  return {reinterpret_cast<const uint8_t*>(list.data()), list.size() * sizeof(T)};
}

absl::StatusOr<GuestAddr> FindPlace(const GuestMemory& memory, uint64_t size, std::span<const GuestRange> taken) {
  const std::optional<GuestAddr> place = LowestPlace(
      FreeRanges(memory.Ranges(), taken), {.size = size, .lowest = kBootGdt.value, .highest_end = kEbda.value});
  if (place.has_value()) return *place;
  return absl::ResourceExhaustedError(absl::StrFormat(
      "multiboot information: %d bytes (command line, modules' texts, memory map) do not fit below %#x beside the "
      "kernel",
      size, kEbda.value));
}

}  // namespace

absl::StatusOr<PlacedMultibootInfo> WriteMultibootInfo(GuestMemory& memory, const MultibootInfoParts& parts,
                                                       std::span<const GuestRange> taken) {
  const std::vector<MultibootMmapEntry> map = MemoryMap(parts.e820);
  MultibootInfo info = {
      .flags = kMultibootInfoMemory | kMultibootInfoCmdline | kMultibootInfoMods | kMultibootInfoMemMap |
               kMultibootInfoLoaderName,
      .mem_lower = static_cast<uint32_t>(kEbda.value / kKib),
      .mem_upper = UpperKib(parts.e820),
      .mods_count = static_cast<uint32_t>(parts.modules.size()),
      .mmap_length = static_cast<uint32_t>(map.size() * sizeof(MultibootMmapEntry)),
  };

  Block block;
  const uint32_t gdt_at = block.Add(BytesOf(kFlatGdt));
  const uint32_t info_at = block.Add(BytesOf(info));
  info.mmap_addr = block.Add(BytesOfList(map));
  info.cmdline = block.AddText(parts.command_line);
  info.boot_loader_name = block.AddText(absl::StrFormat("vmm %s", kVersion));
  std::vector<MultibootModule> modules;
  for (const PlacedModule& module : parts.modules) {
    modules.push_back({.mod_start = static_cast<uint32_t>(module.place.start.value),
                       .mod_end = static_cast<uint32_t>(module.place.end().value),
                       .string = block.AddText(module.text)});
  }
  info.mods_addr = block.Add(BytesOfList(modules));

  ASSIGN_OR_RETURN(const GuestAddr place, FindPlace(memory, block.bytes().size(), taken));
  const auto base = static_cast<uint32_t>(place.value);
  for (uint32_t* const address : {&info.mmap_addr, &info.cmdline, &info.boot_loader_name}) *address += base;
  for (MultibootModule& module : modules) module.string += base;
  std::ranges::copy(BytesOfList(modules), block.bytes().begin() + info.mods_addr);
  info.mods_addr += base;
  std::memcpy(block.bytes().data() + info_at, &info, sizeof(info));
  RETURN_IF_ERROR(memory.Write(place, block.bytes()));

  RETURN_IF_ERROR(memory.WriteObject(GuestAddr{kBdaEbdaSegment}, static_cast<uint16_t>(kEbda.value >> 4)));
  RETURN_IF_ERROR(memory.WriteObject(GuestAddr{kBdaBaseMemory}, static_cast<uint16_t>(kEbda.value / kKib)));
  return PlacedMultibootInfo{.gdt = GuestAddr{place.value + gdt_at}, .info = GuestAddr{place.value + info_at}};
}

}  // namespace vmm
