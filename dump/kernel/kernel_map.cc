#include "dump/kernel/kernel_map.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

constexpr uint64_t kCr0Paging = 1ull << 31;
constexpr uint64_t kEferLongModeActive = 1ull << 10;
constexpr uint64_t kPresent = 1;
constexpr uint64_t kAddressMask = 0x000ffffffffff000;

// With PTI a process has two top tables, side by side. Bit 12 of CR3, next to X86_CR3_PTI_PCID_USER_BIT, selects the
// user's table, which lacks the direct map (Linux arch/x86/entry/calling.h).
constexpr uint64_t kPtiUserTable = 1ull << 12;

constexpr uint64_t kDirectMapAlignment = 1ull << 30;  // KASLR moves it by whole PUDs
constexpr uint64_t kReleaseOffset = 130;              // of release in struct new_utsname: each field has 65 bytes

// espfix: one page of stack mapped 65536 times (Linux arch/x86/kernel/espfix_64.c).
constexpr uint64_t kEspfixStart = 0xffffff0000000000;

bool UsesLongModePaging(const CpuState& cpu) {
  return cpu.started && (cpu.cr0 & kCr0Paging) != 0 && (cpu.efer & kEferLongModeActive) != 0 && cpu.cr3 != 0;
}

// The tables that `cpu` runs on. With PTI in user mode, the kernel's twin comes first.
std::vector<PageTables> TablesOf(const PhysicalMemory& memory, const CpuState& cpu) {
  std::vector<PageTables> tables;
  if ((cpu.cr3 & kPtiUserTable) != 0) tables.push_back(PageTables::Of(memory, cpu.cr3 & ~kPtiUserTable, cpu.cr4));
  tables.push_back(PageTables::Of(memory, cpu.cr3, cpu.cr4));
  return tables;
}

absl::Status CheckRelease(const PhysicalMemory& memory, const VmcoreInfo& info, uint64_t phys_base) {
  const std::optional<uint64_t> init_uts_ns = info.Symbol("init_uts_ns");
  const std::optional<uint64_t> name = info.Offset("uts_namespace.name");
  if (!init_uts_ns.has_value() || !name.has_value()) return absl::OkStatus();  // an old kernel does not name them
  std::string release(info.release().size() + 1, '\xff');
  const GuestAddr at{*init_uts_ns - kStartKernelMap + phys_base + *name + kReleaseOffset};
  const absl::Status read = memory.Read(at, {reinterpret_cast<uint8_t*>(release.data()), release.size()});
  if (!read.ok() || release.back() != '\0' || !release.starts_with(info.release())) {
    return absl::FailedPreconditionError(
        absl::StrFormat("VMCOREINFO's release %s is not the one in init_uts_ns", info.release()));
  }
  return absl::OkStatus();
}

bool IsImageAddress(std::optional<uint64_t> vaddr) {
  return vaddr.has_value() && *vaddr >= kStartKernelMap && *vaddr < kKernelImageEnd;
}

}  // namespace

// The image: from the lowest to the highest page that is mapped to vaddr - kStartKernelMap + phys_base. Pages in
// between may be unmapped by now (freed init code), but they are the image's RAM.
absl::StatusOr<KernelMap> KernelMapper::Image(const PageTables& tables, uint64_t phys_base) {
  KernelMap map;
  map.root = tables.root();
  map.levels = tables.levels();
  map.phys_base = phys_base;
  const auto [known, is_new] = images_.try_emplace({{tables.root().value, tables.levels()}, phys_base});
  VirtualSegment& image = known->second;
  if (is_new) {
    tables.ForEachMapping(
        kStartKernelMap, kKernelImageEnd - 1,
        [&](const PageMapping& page) {
          if (page.phys.value != page.vaddr - kStartKernelMap + phys_base) return true;
          if (image.range.size == 0) image = {page.vaddr, {page.phys, 0}};
          image.range.size = page.vaddr + page.size - image.vaddr;
          return true;
        },
        &meter_);
  }
  if (image.range.size == 0) {
    RETURN_IF_ERROR(meter_.status());
    return absl::NotFoundError("no page of the kernel image is mapped");
  }
  map.image = image;
  return map;
}

// The direct map is the largest thing mapped below the image. All its pages have the same distance between virtual and
// physical address, so the distance with the most bytes is its base.
absl::StatusOr<KernelMap> KernelMapper::Whole(const PageTables& tables, uint64_t phys_base) {
  constexpr size_t kMaxDistances = 256;
  ASSIGN_OR_RETURN(KernelMap map, Image(tables, phys_base));
  const auto [known, is_new] = page_offsets_.try_emplace({tables.root().value, tables.levels()});
  if (is_new) {
    std::map<uint64_t, uint64_t> bytes_at;
    tables.ForEachMapping(
        FirstOfKernelHalf(tables.levels()), kEspfixStart - 1,
        [&](const PageMapping& page) {
          const uint64_t distance = page.vaddr - page.phys.value;
          if (distance % kDirectMapAlignment != 0) return true;
          if (bytes_at.size() < kMaxDistances || bytes_at.contains(distance)) bytes_at[distance] += page.size;
          return true;
        },
        &meter_);
    const auto most = std::max_element(bytes_at.begin(), bytes_at.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    if (most != bytes_at.end()) known->second = most->first;
  }
  map.page_offset = known->second;
  return map;
}

// Derives phys_base from the lowest page mapped in the image's range.
std::optional<uint64_t> KernelMapper::PhysBaseOf(const PageTables& tables) {
  const auto [known, is_new] = phys_bases_.try_emplace({tables.root().value, tables.levels()});
  std::optional<uint64_t>& phys_base = known->second;
  if (is_new) {
    tables.ForEachMapping(
        kStartKernelMap, kKernelImageEnd - 1,
        [&](const PageMapping& page) {
          phys_base = page.phys.value - (page.vaddr - kStartKernelMap);
          return false;
        },
        &meter_);
  }
  return phys_base;
}

// All page tables of one kernel share the kernel's top entries, so the image's entry must be the same in a running
// vCPU's tables. If no vCPU uses paging, there is no evidence against `swapper`.
absl::Status KernelMapper::CheckAgainstCpus(const PageTables& swapper) {
  ASSIGN_OR_RETURN(const uint64_t ours, swapper.TopEntry(kStartKernelMap));
  if (!top_entries_.has_value()) {
    top_entries_.emplace();
    for (const CpuState& cpu : cpus_) {
      if (!UsesLongModePaging(cpu)) continue;
      for (const PageTables& tables : TablesOf(memory_, cpu)) {
        const absl::StatusOr<uint64_t> theirs = tables.TopEntry(kStartKernelMap);
        if (!theirs.ok() || (*theirs & kPresent) == 0) continue;
        top_entries_->emplace(tables.levels(), *theirs & kAddressMask);
      }
    }
  }
  if (top_entries_->empty() || top_entries_->contains({swapper.levels(), ours & kAddressMask})) return absl::OkStatus();
  return absl::FailedPreconditionError("no running vCPU uses the page tables that VMCOREINFO names");
}

absl::StatusOr<KernelMap> KernelMapper::ByVmcoreInfo(const VmcoreInfo& info) {
  const std::optional<uint64_t> stext = info.Symbol("_stext");
  const std::optional<uint64_t> swapper = info.Symbol("swapper_pg_dir");
  const std::optional<int64_t> number = info.Number("phys_base");
  if (info.Value("PAGESIZE") != "4096" || !IsImageAddress(stext) || !IsImageAddress(swapper) || !number.has_value()) {
    return absl::FailedPreconditionError(
        "VMCOREINFO lacks a sane PAGESIZE, _stext, swapper_pg_dir or phys_base of an x86_64 kernel");
  }
  const uint64_t phys_base = static_cast<uint64_t>(*number);
  const GuestAddr root{*swapper - kStartKernelMap + phys_base};
  if (root.value % kPageSize != 0) {
    return absl::FailedPreconditionError(absl::StrFormat("swapper_pg_dir at %#x is not page-aligned", root.value));
  }
  const PageTables tables(memory_, root, info.Number("pgtable_l5_enabled") == 1 ? 5 : 4);
  const absl::StatusOr<GuestAddr> text = tables.Translate(*stext);
  if (!text.ok() || text->value != *stext - kStartKernelMap + phys_base) {
    return absl::FailedPreconditionError("VMCOREINFO's swapper_pg_dir does not map _stext where phys_base says");
  }
  RETURN_IF_ERROR(CheckRelease(memory_, info, phys_base));
  RETURN_IF_ERROR(CheckAgainstCpus(tables));
  return Whole(tables, phys_base);
}

absl::StatusOr<KernelMap> KernelMapper::ByCr3() {
  std::optional<KernelMap> without_direct_map;
  for (const CpuState& cpu : cpus_) {
    if (!UsesLongModePaging(cpu)) continue;
    for (const PageTables& tables : TablesOf(memory_, cpu)) {
      if (meter_.spent()) break;
      const std::optional<uint64_t> phys_base = PhysBaseOf(tables);
      if (!phys_base.has_value()) continue;
      absl::StatusOr<KernelMap> map = Whole(tables, *phys_base);
      if (map.ok() && map->page_offset.has_value()) return map;
      if (map.ok() && !without_direct_map.has_value()) without_direct_map = *std::move(map);
    }
  }
  if (without_direct_map.has_value()) return *std::move(without_direct_map);
  RETURN_IF_ERROR(meter_.status());
  return absl::NotFoundError("no vCPU runs on page tables that map a kernel");
}

absl::StatusOr<KernelMap> KernelMapper::ImageByCr3(const CpuState& cpu) {
  if (UsesLongModePaging(cpu)) {
    for (const PageTables& tables : TablesOf(memory_, cpu)) {
      const std::optional<uint64_t> phys_base = PhysBaseOf(tables);
      if (phys_base.has_value()) return Image(tables, *phys_base);
    }
  }
  return absl::NotFoundError("the vCPU does not run on page tables that map a kernel");
}

absl::StatusOr<KernelMap> MapKernelByVmcoreInfo(const PhysicalMemory& memory, std::span<const CpuState> cpus,
                                                const VmcoreInfo& info) {
  return KernelMapper(memory, cpus).ByVmcoreInfo(info);
}

absl::StatusOr<KernelMap> MapKernelByCr3(const PhysicalMemory& memory, std::span<const CpuState> cpus) {
  return KernelMapper(memory, cpus).ByCr3();
}

}  // namespace vmm
