#include "vmm/gdb/virtual_memory.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kPaging = 1ull << 31;   // CR0.PG
constexpr uint64_t kLongMode = 1 << 10;    // EFER.LMA
constexpr uint64_t kLa57 = 1 << 12;        // CR4
constexpr uint64_t kUserTables = 1 << 12;  // of CR3, where Linux isolates page tables (arch/x86/mm/pti.c)
constexpr uint64_t kAddress = 0x000ffffffffff000;
constexpr uint64_t kPresent = 1, kUser = 4, kLarge = 0x80;

}  // namespace

// Not dump/paging's walk: that one does not say whether programs may access the page.
absl::StatusOr<PlaceInMemory> VirtualMemory::Walk(uint64_t cr3, uint64_t addr) const {
  const int levels = (cr4_ & kLa57) != 0 ? 5 : 4;
  uint64_t table = cr3 & kAddress;
  bool user = true;
  for (int level = levels; level >= 1; --level) {
    const int shift = 12 + 9 * (level - 1);
    ASSIGN_OR_RETURN(const uint64_t entry, memory_.ReadObject<uint64_t>(GuestAddr{table + (addr >> shift & 511) * 8}));
    if ((entry & kPresent) == 0) break;
    user = user && (entry & kUser) != 0;
    if (level == 1 || ((entry & kLarge) != 0 && level <= 3)) {
      const uint64_t offset = (1ull << shift) - 1;
      return PlaceInMemory{GuestAddr{(entry & kAddress & ~offset) | (addr & offset)}, user};
    }
    table = entry & kAddress;
  }
  return absl::NotFoundError(absl::StrFormat("%#x is not mapped", addr));
}

absl::StatusOr<PlaceInMemory> VirtualMemory::Translate(uint64_t addr) const {
  if (physical_ || (cr0_ & kPaging) == 0) return PlaceInMemory{GuestAddr{addr}};
  if ((efer_ & kLongMode) == 0) {
    return absl::UnimplementedError("the vCPU is in 32-bit paging; maintenance packet Qqemu.PhyMemMode:1 shows RAM");
  }
  const absl::StatusOr<PlaceInMemory> place = WalkAll(addr);
  const bool in_image = addr >= image_.vaddr && addr - image_.vaddr < image_.size;
  if (place.ok() || !in_image || WalkAll(image_.vaddr).ok()) return place;
  return PlaceInMemory{GuestAddr{image_.phys.value + (addr - image_.vaddr)}};
}

absl::StatusOr<PlaceInMemory> VirtualMemory::WalkAll(uint64_t addr) const {
  const absl::StatusOr<PlaceInMemory> place = Walk(cr3_, addr);
  if (place.ok() || (cr3_ & kUserTables) == 0) return place;
  const absl::StatusOr<PlaceInMemory> with_kernel = Walk(cr3_ & ~kUserTables, addr);
  return with_kernel.ok() ? with_kernel : place;
}

absl::StatusOr<size_t> VirtualMemory::Read(uint64_t addr, std::span<uint8_t> out) const {
  size_t done = 0;
  while (done < out.size()) {
    const size_t size = std::min<size_t>(out.size() - done, kPage - (addr + done) % kPage);
    const absl::StatusOr<PlaceInMemory> place = Translate(addr + done);
    const absl::Status read = place.ok() ? memory_.Read(place->phys, out.subspan(done, size)) : place.status();
    if (!read.ok()) return done > 0 ? absl::StatusOr<size_t>(done) : read;
    done += size;
  }
  return done;
}

absl::Status VirtualMemory::Write(uint64_t addr, std::span<const uint8_t> data) const {
  for (size_t done = 0; done < data.size();) {
    const size_t size = std::min<size_t>(data.size() - done, kPage - (addr + done) % kPage);
    ASSIGN_OR_RETURN(const PlaceInMemory place, Translate(addr + done));
    RETURN_IF_ERROR(memory_.Write(place.phys, data.subspan(done, size)));
    done += size;
  }
  return absl::OkStatus();
}

}  // namespace vmm
