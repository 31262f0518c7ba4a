#include "dump/xen/xen_image.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/printable.h"
#include "base/status.h"
#include "dump/paging/page_tables.h"

namespace vmm {
namespace {

// Xen's image is in here: XEN_VIRT_START has moved between versions, always by a multiple of 1 GiB.
constexpr uint64_t kImageFirst = 0xffff82d000000000, kImageLast = 0xffff82dfffffffff;
constexpr uint64_t kGiB = 1 << 30;
constexpr uint64_t kPhysStartAlignment = 2 << 20;
constexpr uint64_t kImageSize = 16 << 20;  // Debian's has 4 MiB
constexpr uint64_t kAddressMask = 0x000ffffffffff000;

constexpr std::string_view kBannerStart = "Xen version ";
constexpr size_t kMaxBanner = 256;

std::optional<XenVersion> Parse(std::string_view text) {
  text = text.substr(0, kMaxBanner);
  const size_t end = std::min(
      text.size(), static_cast<size_t>(std::find_if_not(text.begin(), text.end(), IsPrintable) - text.begin()));
  text = text.substr(0, end);
  XenVersion version{.banner = std::string(text)};
  const char* at = text.data() + kBannerStart.size();
  const char* const last = text.data() + text.size();
  if (at > last) return std::nullopt;
  const auto major = std::from_chars(at, last, version.major);
  if (major.ec != std::errc() || major.ptr == last || *major.ptr != '.') return std::nullopt;
  const auto minor = std::from_chars(major.ptr + 1, last, version.minor);
  if (minor.ec != std::errc() || version.major == 0 || version.major > 99 || version.minor > 999) return std::nullopt;
  return version;
}

std::optional<XenVersion> FindIn(std::span<const uint8_t> bytes) {
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  while (true) {
    const void* const found = memmem(text.data(), text.size(), kBannerStart.data(), kBannerStart.size());
    if (found == nullptr) return std::nullopt;
    text.remove_prefix(static_cast<size_t>(static_cast<const char*>(found) - text.data()));
    if (std::optional<XenVersion> version = Parse(text); version.has_value()) return version;
    text.remove_prefix(1);
  }
}

// Reads `range` in pieces that overlap by the length of a banner, without the pages in `owned`.
absl::StatusOr<std::optional<XenVersion>> Search(const PhysicalMemory& machine, GuestRange range, const FrameSet& owned,
                                                 Meter& meter) {
  constexpr uint64_t kMostPages = 256;
  std::vector<uint8_t> bytes;
  for (uint64_t at = range.start.value; at < range.end().value;) {
    bytes.clear();
    while (at < range.end().value && bytes.size() < kMostPages * kPageSize) {
      if (!meter.Step()) return meter.status();
      const bool skip = owned.Has(at / kPageSize);
      const size_t old = bytes.size();
      if (!skip) {
        bytes.resize(old + kPageSize);
        RETURN_IF_ERROR(machine.Read(GuestAddr{at}, std::span(bytes).subspan(old)));
      }
      at += kPageSize;
      if (skip && old != 0) break;
    }
    if (std::optional<XenVersion> version = FindIn(bytes); version.has_value()) return version;
    // A banner across the border of two pieces begins in the last page of the first one.
    if (bytes.size() == kMostPages * kPageSize && at < range.end().value) at -= kPageSize;
  }
  return std::nullopt;
}

}  // namespace

std::optional<uint64_t> FindXenPhysStart(const PhysicalMemory& machine, std::span<const uint64_t> roots) {
  constexpr size_t kMaxRoots = 64;
  for (const uint64_t root : roots.first(std::min(roots.size(), kMaxRoots))) {
    if ((root & kAddressMask) == 0) continue;
    std::optional<uint64_t> start;
    PageTables(machine, GuestAddr{root & kAddressMask}, 4)
        .ForEachMapping(kImageFirst, kImageLast, [&](const PageMapping& page) {
          start = page.phys.value - (page.vaddr - AlignDown(page.vaddr, kGiB));
          return false;
        });
    if (start.has_value() && *start % kPhysStartAlignment == 0 &&
        machine.ReadObject<uint64_t>(GuestAddr{*start}).ok()) {
      return start;
    }
  }
  return std::nullopt;
}

absl::StatusOr<std::optional<XenVersion>> FindXenVersion(const PhysicalMemory& machine,
                                                         std::optional<uint64_t> phys_start, const FrameSet& owned,
                                                         Meter& meter) {
  ASSIGN_OR_RETURN(const std::vector<GuestRange> extents, machine.DataExtents());
  if (phys_start.has_value()) {
    for (const GuestRange& extent : extents) {
      const uint64_t start = std::max(extent.start.value, *phys_start);
      const uint64_t end = std::min(extent.end().value, *phys_start + kImageSize);
      if (start >= end) continue;
      ASSIGN_OR_RETURN(const auto version, Search(machine, {GuestAddr{start}, end - start}, owned, meter));
      if (version.has_value()) return version;
    }
  }
  for (const GuestRange& extent : extents) {
    ASSIGN_OR_RETURN(const auto version, Search(machine, extent, owned, meter));
    if (version.has_value()) return version;
  }
  return std::nullopt;
}

}  // namespace vmm
