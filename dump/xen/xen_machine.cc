#include "dump/xen/xen_machine.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/meter.h"
#include "base/status.h"
#include "dump/xen/abi/xen_abi.h"
#include "dump/xen/frame_set.h"
#include "dump/xen/xen_budget.h"
#include "dump/xen/xen_image.h"

namespace vmm {
namespace {

constexpr size_t kMaxDomains = 1024;

bool IsXens(uint64_t vaddr) { return vaddr >= kXenVirtualStart && vaddr < kXenVirtualEnd; }

class Search {
 public:
  Search(const PhysicalMemory& machine, Meter& meter, XenMachine& xen)
      : machine_(machine),
        meter_(meter),
        xen_(xen),
        scratch_(machine.Ranges(), &meter),
        owned_(machine.Ranges(), &meter) {}

  absl::Status Domains() {
    ASSIGN_OR_RETURN(const DomainPages pages, ScanForDomainPages(machine_, meter_));
    if (pages.too_many) {
      Remark(absl::StrFormat("only the first %d pages that look like a domain's were tried", kMaxDomainPages));
    }
    ASSIGN_OR_RETURN(std::vector<PvDomain> found, WithP2m(pages));
    for (PvDomain& domain : found) {
      if (!Accept(domain)) continue;
      xen_.domains.push_back(std::move(domain));
    }
    Dom0();
    return absl::OkStatus();
  }

  const FrameSet& owned() const { return owned_; }

 private:
  void Remark(std::string text) { xen_.remarks.push_back(std::move(text)); }

  // Those with a p2m that stands up to its checks by itself, the most credible first.
  absl::StatusOr<std::vector<PvDomain>> WithP2m(const DomainPages& pages) {
    std::multimap<GuestAddr, const StartInfoPage*> starts;
    for (const StartInfoPage& start : pages.starts) starts.emplace(start.shared_info, &start);
    std::vector<const SharedInfoPage*> order;
    for (const SharedInfoPage& shared : pages.shared) order.push_back(&shared);
    std::stable_partition(order.begin(), order.end(), [&](const auto* shared) { return starts.contains(shared->at); });

    std::vector<PvDomain> found;
    for (const SharedInfoPage* shared : order) {
      if (found.size() == kMaxDomains) {
        Remark(absl::StrFormat("more than %d domains: the rest is left out", kMaxDomains));
        break;
      }
      absl::StatusOr<P2m> p2m = P2m::Read(machine_, shared->list_list, shared->max_pfn, scratch_, meter_);
      RETURN_IF_ERROR(meter_.status());
      if (!p2m.ok()) continue;
      PvDomain domain{.info = *shared, .p2m = std::make_shared<P2m>(*std::move(p2m))};
      const auto [first, last] = starts.equal_range(shared->at);
      for (auto start = first; start != last && !domain.start.has_value(); ++start) {
        if (domain.p2m->PfnOf(start->second->at.value / kPageSize).has_value()) domain.start = *start->second;
      }
      Forget(scratch_, domain.p2m->runs(), domain.p2m->runs().size());
      found.push_back(std::move(domain));
    }
    std::stable_sort(found.begin(), found.end(), [](const PvDomain& a, const PvDomain& b) {
      return std::pair(a.start.has_value(), a.p2m->pages()) > std::pair(b.start.has_value(), b.p2m->pages());
    });
    return found;
  }

  static void Forget(FrameSet& frames, std::span<const P2m::Run> runs, size_t count) {
    for (const P2m::Run& run : runs.first(count)) {
      for (uint64_t i = 0; i < run.count; ++i) frames.Remove(run.mfn + i);
    }
  }

  // True if `domain` contradicts no domain before it, nor itself. Its frames are then owned.
  bool Accept(const PvDomain& domain) {
    const std::string name = absl::StrFormat("the shared_info at %#x", domain.info.at.value);
    const uint64_t page = domain.info.at.value / kPageSize;
    if (owned_.Has(page) || domain.p2m->PfnOf(page).has_value()) {
      Remark(name + " is passed over: it lies in the memory of a domain, and the real one belongs to Xen");
      return false;
    }
    const std::vector<P2m::Run>& runs = domain.p2m->runs();
    for (size_t i = 0; i < runs.size(); ++i) {
      for (uint64_t j = 0; j < runs[i].count; ++j) {
        if (owned_.Add(runs[i].mfn + j)) continue;
        Remark(absl::StrFormat("%s is passed over: frame %#x is another domain's", name, runs[i].mfn + j));
        for (uint64_t k = 0; k < j; ++k) owned_.Remove(runs[i].mfn + k);
        Forget(owned_, runs, i);
        return false;
      }
    }
    return true;
  }

  // Puts dom0 first, if it is known which one that is.
  void Dom0() {
    std::vector<PvDomain>& domains = xen_.domains;
    std::sort(domains.begin(), domains.end(),
              [](const PvDomain& a, const PvDomain& b) { return a.info.at < b.info.at; });
    const auto initial = [](const PvDomain& domain) { return domain.says_initial(); };
    const auto dom0 = std::find_if(domains.begin(), domains.end(), initial);
    const auto claims = std::count_if(domains.begin(), domains.end(), initial);
    if (claims > 1) {
      Remark(absl::StrFormat("%d domains say that they are dom0: none is taken for it", claims));
    } else if (claims == 1) {
      std::rotate(domains.begin(), dom0, dom0 + 1);
      xen_.has_dom0 = true;
    } else if (domains.size() == 1) {
      Remark("the only PV domain is taken for dom0; no start_info says so");
      xen_.has_dom0 = true;
    }
  }

  const PhysicalMemory& machine_;
  Meter& meter_;
  XenMachine& xen_;
  FrameSet scratch_;  // for one p2m at a time
  FrameSet owned_;    // the frames of the accepted domains
};

}  // namespace

bool PvDomain::says_initial() const { return start.has_value() && (start->flags & kXenStartInitialDomain) != 0; }

bool RunsXen(std::span<const CpuState> cpus) {
  return std::any_of(cpus.begin(), cpus.end(),
                     [](const CpuState& cpu) { return cpu.started && (IsXens(cpu.idt.base) || IsXens(cpu.rip)); });
}

absl::StatusOr<XenMachine> FindXen(const PhysicalMemory& machine, std::span<const CpuState> cpus) {
  Meter meter(kXenBudget);
  XenMachine xen;
  Search search(machine, meter, xen);
  RETURN_IF_ERROR(search.Domains());

  std::vector<uint64_t> roots;
  for (const CpuState& cpu : cpus) {
    if (cpu.started && cpu.cr3 != 0) roots.push_back(cpu.cr3);
  }
  for (const PvDomain& domain : xen.domains) roots.push_back(domain.info.p2m_cr3);
  xen.xen_phys_start = FindXenPhysStart(machine, roots);
  const absl::StatusOr<std::optional<XenVersion>> version =
      FindXenVersion(machine, xen.xen_phys_start, search.owned(), meter);
  if (version.ok()) {
    xen.version = *version;
  } else {
    xen.remarks.push_back(absl::StrFormat("Xen's version: %s", std::string(version.status().message())));
  }
  return xen;
}

}  // namespace vmm
