#include "dump/check/check_kernel.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "dump/nested/l1_state.h"
#include "dump/paging/page_tables.h"
#include "dump/read/segment_kind.h"

namespace vmm {
namespace {

using enum Reader;
using enum Harm;

constexpr uint64_t kKernelHalf = 1ull << 63;
constexpr uint64_t kReleaseOffset = 130;  // of release in struct new_utsname: each field has 65 bytes
constexpr uint64_t kMaxImageRead = 1ull << 30;
constexpr uint64_t kLargePage = 2 << 20;  // the image is mapped in pages of this size
constexpr size_t kMaxSegments = 1000;     // the page tables are read for at most this many

class KernelCheck {
 public:
  KernelCheck(const Vmcore& core, const FoundKernel& kernel) : core_(core), kernel_(kernel), map_(kernel.map) {
    for (const CpuState& cpu : core.cpus()) {
      if ((cpu.cr4 & 1 << 12) != 0) levels_ = 5;
    }
    if (map_.has_value()) levels_ = map_->levels;
    if (core.elf() == nullptr) return;
    for (size_t i = 0; i < core.elf()->phdrs.size(); ++i) {
      const Elf64_Phdr& phdr = core.elf()->phdrs[i];
      if (phdr.p_type != PT_LOAD || phdr.p_memsz == 0) continue;
      const auto page_offset = map_.has_value() ? map_->page_offset : std::nullopt;
      loads_.push_back({i, &phdr, KindOf(phdr, page_offset, levels_)});
    }
  }

  std::vector<Finding> Run() {
    CheckVirtualAddresses();
    CheckFound();
    if (map_.has_value()) {
      CheckRelease();
      CheckBanner();
      if (core_.elf() != nullptr) {
        CheckImageSegment();
        CheckStackSegments();
        CheckAgainstPageTables();
        CheckPageOffset();
      }
    }
    return std::move(findings_);
  }

 private:
  struct Load {
    size_t index = 0;
    const Elf64_Phdr* phdr = nullptr;
    SegmentKind kind = SegmentKind::kKernel;
  };

  void Add(std::string rule, std::string what, std::vector<Breakage> breaks = {}) {
    findings_.push_back({std::move(rule), std::move(what), std::move(breaks)});
  }

  size_t Count(SegmentKind kind) const {
    return static_cast<size_t>(
        std::count_if(loads_.begin(), loads_.end(), [&](const Load& l) { return l.kind == kind; }));
  }

  std::string OfLoads(size_t count) const { return absl::StrFormat("%d of %d PT_LOADs", count, loads_.size()); }

  void CheckVirtualAddresses() {
    const auto low_addresses = [] {
      return std::vector<Breakage>{
          {kDrgn, kWrong, "it maps user space onto RAM: endless stacks; up to 0.0.26 it reads no kernel address"},
          {kGdb, kWrong, "it goes by p_vaddr alone: no kernel address can be read"}};
    };
    // If p_vaddr is p_paddr everywhere, physical 0 has p_vaddr 0.
    const auto zero_elsewhere = std::find_if(loads_.begin(), loads_.end(), [](const Load& load) {
      return load.kind == SegmentKind::kZero && load.phdr->p_paddr != 0;
    });
    const size_t physical = Count(SegmentKind::kPhysical);
    const size_t zeros = Count(SegmentKind::kZero);
    if (zero_elsewhere != loads_.end() || (zeros != 0 && physical == 0)) {
      Add("p_vaddr-zero", absl::StrFormat("p_vaddr is 0 in %s", OfLoads(zeros)), low_addresses());
    }
    if (physical != 0) {
      Add("p_vaddr-physical", absl::StrFormat("p_vaddr is p_paddr in %s", OfLoads(physical + zeros)), low_addresses());
    }
    if (const size_t users = Count(SegmentKind::kUser); users != 0) {
      Add("p_vaddr-user", absl::StrFormat("p_vaddr is an address of user space in %s", OfLoads(users)),
          {{kDrgn, kLess, "it takes that for the memory of every process"}});
    }
    if (const size_t unknown = Count(SegmentKind::kUnknown); unknown != 0) {
      Add("p_vaddr-unknown",
          absl::StrFormat("p_vaddr is a stand-in (2^63 + p_paddr) in %s: the kernel's addresses were not known",
                          OfLoads(unknown)),
          {{kGdb, kWrong, "it goes by p_vaddr alone: no kernel address can be read"},
           {kDrgn, kLess, "up to 0.0.26 it reads no kernel address"}});
    }
    if (const size_t no_address = Count(SegmentKind::kNonCanonical); no_address != 0) {
      Add("p_vaddr-not-canonical", absl::StrFormat("p_vaddr is no canonical address in %s", OfLoads(no_address)),
          {{kGdb, kLess, "what the segments hold is not found under its true address"}});
    }
  }

  // Checks the note's own data, and the page tables that it leads to.
  void CheckFound() {
    const auto& info = core_.vmcoreinfo();
    if (info.has_value()) {
      const absl::StatusOr<KernelMap> map = MapKernelByVmcoreInfo(core_.memory(), InL1(core_.cpus()), *info);
      if (map.ok()) return;
      const std::string how = "it believes VMCOREINFO, and reads the wrong memory for each kernel address";
      Add("vmcoreinfo-wrong", std::string(map.status().message()),
          {{kCrash, kWrong, how}, {kDrgn, kWrong, how}, {kMakedumpfile, kWrong, how}, {kLibkdumpfile, kWrong, how}});
    } else if (!map_.has_value()) {
      Add("no-kernel", kernel_.why_not,
          {{kCrash, kRefused, "it finds no kernel either"}, {kDrgn, kRefused, "it finds no kernel either"}});
    }
  }

  absl::Status ReadVirtual(uint64_t vaddr, std::span<uint8_t> out) const {
    const PageTables tables(core_.memory(), map_->root, map_->levels);
    while (!out.empty()) {
      const uint64_t size = std::min<uint64_t>(out.size(), kPageSize - vaddr % kPageSize);
      ASSIGN_OR_RETURN(const GuestAddr phys, tables.Translate(vaddr));
      RETURN_IF_ERROR(core_.memory().Read(phys, out.first(size)));
      out = out.subspan(size);
      vaddr += size;
    }
    return absl::OkStatus();
  }

  // Reads the release in init_uts_ns through the page tables, byte for byte as drgn does for its first answer.
  void CheckRelease() {
    const auto& info = core_.vmcoreinfo();
    if (!info.has_value()) return;
    const std::optional<uint64_t> init_uts_ns = info->Symbol("init_uts_ns");
    const std::optional<uint64_t> name = info->Offset("uts_namespace.name");
    if (!init_uts_ns.has_value() || !name.has_value()) return;  // an old kernel does not name them
    std::string release(info->release().size() + 1, '\xff');
    const absl::Status read = ReadVirtual(*init_uts_ns + *name + kReleaseOffset,
                                          {reinterpret_cast<uint8_t*>(release.data()), release.size()});
    if (read.ok() && release.back() == '\0' && release.starts_with(info->release())) return;
    Add("release",
        absl::StrFormat("init_uts_ns does not say %s%s", info->release(),
                        read.ok() ? "" : ": " + std::string(read.message())),
        {{kCrash, kWrong, "memory and VMCOREINFO are not of one kernel"},
         {kDrgn, kWrong, "memory and VMCOREINFO are not of one kernel"}});
  }

  // Looks for linux_banner, by which crash recognises the vmlinux that belongs to the dump. VMCOREINFO does not give
  // its address.
  void CheckBanner() {
    if (!kernel_.vmcoreinfo.has_value()) return;
    const std::string banner = absl::StrFormat("Linux version %s (", kernel_.vmcoreinfo->release());
    constexpr uint64_t kChunk = 1 << 20;
    const GuestRange image = map_->image.range;
    std::string bytes;
    for (uint64_t at = 0; at < std::min(image.size, kMaxImageRead); at += kChunk) {
      // Read far enough past the chunk's end that a banner across that end is whole once.
      bytes.resize(std::min(kChunk + banner.size(), image.size - at));
      const GuestAddr from{image.start.value + at};
      if (!core_.memory().Read(from, {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()}).ok()) continue;
      if (bytes.find(banner) != bytes.npos) return;
    }
    Add("linux-banner", absl::StrFormat("the kernel image does not hold \"%s\"", banner),
        {{kCrash, kRefused, "it compares linux_banner with the vmlinux, and says they do not match"}});
  }

  bool IsCovered(uint64_t vaddr) const {
    return std::any_of(loads_.begin(), loads_.end(), [&](const Load& load) {
      return vaddr >= load.phdr->p_vaddr && vaddr - load.phdr->p_vaddr < load.phdr->p_memsz;
    });
  }

  void CheckImageSegment() {
    const uint64_t swapper = map_->root.value - map_->phys_base + kStartKernelMap;
    // The kernel ends (_end) within the last large page that is mapped. kdump's segment ends there too.
    const uint64_t last_page = AlignDown(map_->image.vaddr + (map_->image.range.size - 1), kLargePage);
    if (IsCovered(map_->image.vaddr) && IsCovered(std::max(last_page, map_->image.vaddr))) return;
    std::vector<Breakage> breaks = {{kGdb, kWrong, "it can read neither kernel text nor data"}};
    if (!IsCovered(swapper)) {
      breaks.push_back({kDrgn, kWrong,
                        "up to 0.0.26 (Debian 12 has 0.0.22) it reads the page tables' root through that "
                        "segment, and so no kernel address"});
    }
    Add("no-image", absl::StrFormat("no PT_LOAD has the kernel image at %#x", map_->image.vaddr), breaks);
  }

  void CheckStackSegments() {
    const PageTables tables(core_.memory(), map_->root, map_->levels);
    std::string missing;
    for (size_t i = 0; i < core_.cpus().size(); ++i) {
      const CpuState& cpu = core_.cpus()[i];
      if (!cpu.started || cpu.rsp < kKernelHalf || IsCovered(cpu.rsp) || !tables.Translate(cpu.rsp).ok()) continue;
      missing += missing.empty() ? absl::StrFormat("%d", i) : absl::StrFormat(", %d", i);
    }
    if (missing.empty()) return;
    Add("no-stack", absl::StrFormat("no PT_LOAD has the stack of CPU %s", missing),
        {{kGdb, kLess, "backtraces end after a frame or two: it knows no page tables"}});
  }

  void CheckAgainstPageTables() {
    const PageTables tables(core_.memory(), map_->root, map_->levels);
    for (size_t i = 0; i < std::min(loads_.size(), kMaxSegments); ++i) {
      const Elf64_Phdr& phdr = *loads_[i].phdr;
      if (loads_[i].kind != SegmentKind::kImage && loads_[i].kind != SegmentKind::kKernel) continue;
      const absl::StatusOr<GuestAddr> phys = tables.Translate(phdr.p_vaddr);
      if (!phys.ok() || phys->value == phdr.p_paddr) continue;
      Add("p_vaddr-elsewhere",
          absl::StrFormat("program header %d has %#x at physical %#x; the kernel has it at %#x", loads_[i].index,
                          phdr.p_vaddr, phdr.p_paddr, phys->value),
          {{kGdb, kWrong, "it reads other memory than the kernel did"},
           {kDrgn, kWrong, "it takes segments before page tables, and reads other memory than the kernel did"}});
      return;
    }
  }

  // makedumpfile takes page_offset from the last PT_LOAD below the image that has an address.
  void CheckPageOffset() {
    if (!map_->page_offset.has_value()) return;
    const auto last = std::find_if(loads_.rbegin(), loads_.rend(), [](const Load& load) {
      return load.phdr->p_vaddr != 0 && load.phdr->p_vaddr < kStartKernelMap;
    });
    if (last == loads_.rend() || last->phdr->p_vaddr - last->phdr->p_paddr == *map_->page_offset) return;
    // If no segment has a real address, another finding says so already.
    if (last->kind != SegmentKind::kKernel) return;
    Add("ram-not-last",
        absl::StrFormat("the last PT_LOAD below the image, at %#x, is not of the direct map at %#x",
                        last->phdr->p_vaddr, *map_->page_offset),
        {{kMakedumpfile, kWrong, "it takes page_offset from that one"}});
  }

  const Vmcore& core_;
  const FoundKernel& kernel_;
  const std::optional<KernelMap>& map_;
  int levels_ = 4;
  std::vector<Load> loads_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> CheckKernel(const Vmcore& core, const FoundKernel& kernel) {
  return KernelCheck(core, kernel).Run();
}

}  // namespace vmm
