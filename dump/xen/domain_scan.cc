#include "dump/xen/domain_scan.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>

#include "base/status.h"
#include "dump/xen/abi/xen_abi.h"
#include "dump/xen/frame_set.h"
#include "dump/xen/p2m.h"

namespace vmm {
namespace {

constexpr uint64_t kChunk = 1 << 20;
constexpr uint32_t kNanosecondsPerSecond = 1'000'000'000;

template <typename T>
T ObjectAt(std::span<const uint8_t> page) {
  T object;
  std::memcpy(&object, page.data(), sizeof(object));
  return object;
}

// kXenStartMagic, then perhaps a "p" (Xen writes it for 64-bit domains, too), then zeros. The whole field counts:
// Linux's own image has strings that begin like it.
bool IsStart(std::span<const uint8_t> page) {
  constexpr std::string_view kMagic = kXenStartMagic;
  std::string_view field(reinterpret_cast<const char*>(page.data()), sizeof(XenStartInfo::magic));
  if (!field.starts_with(kMagic)) return false;
  field.remove_prefix(kMagic.size());
  if (field.starts_with('p')) field.remove_prefix(1);
  return std::ranges::all_of(field, [](char c) { return c == '\0'; });
}

class Scan {
 public:
  Scan(const PhysicalMemory& machine, Meter& meter)
      : machine_(machine), meter_(meter), frames_(machine.Ranges(), &meter) {}

  absl::StatusOr<DomainPages> Run() {
    ASSIGN_OR_RETURN(const std::vector<GuestRange> extents, machine_.DataExtents());
    std::vector<uint8_t> buffer(kChunk);
    for (const GuestRange& extent : extents) {
      for (uint64_t done = 0; done < extent.size; done += kChunk) {
        const GuestRange chunk{GuestAddr{extent.start.value + done}, std::min(kChunk, extent.size - done)};
        std::span<const uint8_t> bytes = machine_.Lend(chunk);
        if (bytes.empty()) {
          RETURN_IF_ERROR(machine_.Read(chunk.start, std::span(buffer).first(chunk.size)));
          bytes = std::span(buffer).first(chunk.size);
        }
        for (uint64_t page = 0; page + kPageSize <= chunk.size; page += kPageSize) {
          if (!meter_.Step()) return meter_.status();
          Look(GuestAddr{chunk.start.value + page}, bytes.subspan(page, kPageSize));
        }
      }
    }
    return std::move(found_);
  }

 private:
  void Look(GuestAddr at, std::span<const uint8_t> page) {
    uint64_t arch[2];
    std::memcpy(arch, &page[offsetof(XenSharedInfo, max_pfn)], sizeof(arch));
    const auto [max_pfn, list_list] = arch;
    if (max_pfn >= kMinP2mPages && max_pfn <= kXenMaxP2mPfns && list_list != 0 && frames_.IsRam(list_list)) {
      const auto info = ObjectAt<XenSharedInfo>(page);
      const bool is_time = info.wc_nsec < kNanosecondsPerSecond;
      if (is_time) Keep(found_.shared, {at, max_pfn, list_list, info.p2m_cr3, info.p2m_vaddr});
    }
    if (IsStart(page)) {
      const auto start = ObjectAt<XenStartInfo>(page);
      if (start.shared_info % kPageSize == 0) {
        Keep(found_.starts, {at, GuestAddr{start.shared_info}, start.nr_pages, start.flags});
      }
    }
  }

  template <typename T>
  void Keep(std::vector<T>& pages, const T& page) {
    if (pages.size() == kMaxDomainPages) {
      found_.too_many = true;
    } else {
      pages.push_back(page);
    }
  }

  const PhysicalMemory& machine_;
  Meter& meter_;
  FrameSet frames_;
  DomainPages found_;
};

}  // namespace

absl::StatusOr<DomainPages> ScanForDomainPages(const PhysicalMemory& machine, Meter& meter) {
  return Scan(machine, meter).Run();
}

}  // namespace vmm
