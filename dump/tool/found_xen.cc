#include "dump/tool/found_xen.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/json_text.h"
#include "base/status.h"
#include "dump/read/kernel_of.h"
#include "dump/xen/abi/xen_note_abi.h"

namespace vmm {
namespace {

std::string Hex(uint64_t value) { return absl::StrFormat("%#x", value); }

bool IsDom0(const XenMachine& xen, size_t domain) { return xen.has_dom0 && domain == 0; }

absl::StatusOr<PvGuest> OpenDom0(const Vmcore& core, const absl::StatusOr<std::optional<XenMachine>>& xen) {
  RETURN_IF_ERROR(xen.status());
  if (!(*xen)->has_dom0) return absl::NotFoundError("it is not known which domain is dom0");
  return OpenPvGuest(core, (*xen)->domains[0]);
}

}  // namespace

absl::StatusOr<std::optional<XenMachine>> XenOf(const Vmcore& core) {
  const bool says_so = std::ranges::any_of(
      core.notes(), [](const VmcoreNote& note) { return note.name == kXenNoteName && note.type == kXenCrashInfoType; });
  if (!says_so && !RunsXen(core.cpus())) return std::nullopt;
  ASSIGN_OR_RETURN(XenMachine xen, FindXen(core.memory(), core.cpus()));
  return xen;
}

absl::StatusOr<PvGuest> OpenPvGuest(const Vmcore& core, const PvDomain& domain) {
  PvGuest guest;
  ASSIGN_OR_RETURN(guest.memory, PvMemory::Create(core.memory(), domain.p2m));
  guest.vcpus = FindPvVcpus(core.memory(), core.cpus(), domain);
  guest.snapshot.memory = guest.memory.get();
  guest.snapshot.cpus = CpusOf(guest.vcpus);
  return guest;
}

std::string TitleOf(const XenMachine& xen, size_t domain) {
  const PvDomain& each = xen.domains[domain];
  return absl::StrFormat("Xen PV, %s, %d pages, shared_info at %#x", IsDom0(xen, domain) ? "dom0" : "a domain",
                         each.p2m->pages(), each.info.at.value);
}

std::string JsonOf(const XenMachine& xen, size_t domain) {
  const PvDomain& each = xen.domains[domain];
  const nlohmann::ordered_json json = {{"kind", "Xen PV"},
                                       {"dom0", IsDom0(xen, domain)},
                                       {"pages", each.p2m->pages()},
                                       {"shared_info", Hex(each.info.at.value)},
                                       {"max_pfn", each.info.max_pfn},
                                       {"pfn_to_mfn_frame_list_list", Hex(each.info.list_list)},
                                       {"p2m_cr3", Hex(each.info.p2m_cr3)}};
  return JsonText(json, /*indent=*/-1);
}

LinuxOf FindLinux(const Vmcore& core) {
  LinuxOf found;
  const absl::StatusOr<std::optional<XenMachine>> xen = XenOf(core);
  if (!xen.ok() || xen->has_value()) {
    absl::StatusOr<PvGuest> dom0 = OpenDom0(core, xen);
    if (dom0.ok()) {
      found.dom0 = std::make_unique<PvGuest>(*std::move(dom0));
      found.memory = found.dom0->memory.get();
      found.cpus = found.dom0->snapshot.cpus;
      found.kernel = FindKernel(found.dom0->snapshot);
      return found;
    }
    found.remarks.push_back(absl::StrFormat("Xen: %s", std::string(dom0.status().message())));
  }
  found.memory = &core.memory();
  found.cpus = core.cpus();
  found.kernel = KernelOf(core);
  return found;
}

}  // namespace vmm
