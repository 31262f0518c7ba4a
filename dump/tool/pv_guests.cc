#include "dump/tool/pv_guests.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "base/json_text.h"
#include "base/output_dir.h"
#include "dump/kernel/find_kernel.h"
#include "dump/tool/found_xen.h"
#include "dump/tool/printable.h"
#include "dump/write/write_vmcore.h"

namespace vmm {
namespace {

using Json = nlohmann::ordered_json;

// A domain that is opened costs a walk of its page tables. Real machines have few.
constexpr size_t kMaxListedDomains = 64;

void Say(const Invocation& call, std::string_view words) { call.err() << "vmcore guest: " << Printable(words) << "\n"; }

Json ListedJson(const Vmcore& core, const XenMachine& xen, size_t domain) {
  Json json = Json::parse(JsonOf(xen, domain));
  if (domain >= kMaxListedDomains) return json;
  const absl::StatusOr<PvGuest> guest = OpenPvGuest(core, xen.domains[domain]);
  if (!guest.ok()) {
    json["error"] = Printable(std::string(guest.status().message()));
    return json;
  }
  const FoundKernel kernel = FindKernel(guest->snapshot);
  if (kernel.vmcoreinfo.has_value()) json["release"] = Printable(kernel.vmcoreinfo->release());
  json["page_tables"] = {{"roots", guest->memory->roots()}, {"tables", guest->memory->tables()}};
  json["vcpus"] = Json::array();
  for (const PvVcpu& vcpu : guest->vcpus) {
    json["vcpus"].push_back({{"id", vcpu.id},
                             {"domain", vcpu.domain_id},
                             {"cpu", vcpu.physical_cpu},
                             {"rip", absl::StrFormat("%#x", vcpu.registers.rip)},
                             {"rsp", absl::StrFormat("%#x", vcpu.registers.rsp)},
                             {"registers_from", vcpu.registers_from}});
  }
  return json;
}

void PrintListed(const Vmcore& core, const PvDomain& domain, std::ostream& out) {
  const absl::StatusOr<PvGuest> guest = OpenPvGuest(core, domain);
  if (!guest.ok()) {
    out << "   memory  " << Printable(std::string(guest.status().message())) << "\n";
    return;
  }
  const FoundKernel kernel = FindKernel(guest->snapshot);
  out << "   kernel  "
      << (kernel.vmcoreinfo.has_value() ? Printable(kernel.vmcoreinfo->release())
                                        : "not found: " + Printable(kernel.why_not))
      << "\n";
  out << absl::StrFormat("   memory  %s; %d page tables under %d roots\n", Size(domain.p2m->pages() * kPageSize),
                         guest->memory->tables(), guest->memory->roots());
  for (const PvVcpu& vcpu : guest->vcpus) {
    out << absl::StrFormat("   vCPU %d  rip %016x rsp %016x cr3 %x, domain %d\n           registers: %s\n", vcpu.id,
                           vcpu.registers.rip, vcpu.registers.rsp, vcpu.registers.cr3, vcpu.domain_id,
                           vcpu.registers_from);
  }
}

}  // namespace

int ListPvGuests(const Invocation& call, const Vmcore& core, const XenMachine& xen) {
  if (call.json()) {
    Json json = {{"guests", Json::array()}, {"remarks", Json::array()}};
    for (size_t i = 0; i < xen.domains.size(); ++i) json["guests"].push_back(ListedJson(core, xen, i));
    for (const std::string& remark : xen.remarks) json["remarks"].push_back(Printable(remark));
    if (!call.cut_short().empty()) json["cut_short"] = call.cut_short();
    call.out() << JsonText(json, /*indent=*/1, JsonCharset::kAscii) << "\n";
    return kExitFine;
  }
  for (size_t i = 0; i < xen.domains.size(); ++i) {
    call.out() << i << ": " << TitleOf(xen, i) << "\n";
    if (i < kMaxListedDomains) PrintListed(core, xen.domains[i], call.out());
  }
  if (xen.domains.empty()) call.out() << "no guests: Xen runs here, but no PV domain was found\n";
  return kExitFine;
}

int ExtractPvGuest(const Invocation& call, const Vmcore& core, const XenMachine& xen) {
  uint32_t index = 0;
  if (!absl::SimpleAtoi(*call.Value("extract"), &index) || index >= xen.domains.size()) {
    return call.Misused(absl::StrFormat("--extract=%s: there are %d guests, numbered from 0", *call.Value("extract"),
                                        xen.domains.size()));
  }
  const absl::StatusOr<PvGuest> guest = OpenPvGuest(core, xen.domains[index]);
  if (!guest.ok()) return call.Fail(guest.status());

  const std::filesystem::path path = *call.Value("output");
  if (!path.has_filename()) return call.Misused("--output is the vmcore's name, not a folder's");
  const absl::StatusOr<OutputDir> dir = OutputDir::Open(path.has_parent_path() ? path.parent_path().string() : ".");
  if (!dir.ok()) return call.Fail(dir.status());
  VmcoreOptions options = {.name = path.filename().string()};
  Json about = {{"extracted_guest", Json::parse(JsonOf(xen, index))}};
  if (!call.cut_short().empty()) about["cut_short"] = call.cut_short();
  options.notes_json = JsonText(about, /*indent=*/-1);
  const absl::StatusOr<VmcoreReport> report = WriteVmcore(guest->snapshot, *dir, options);
  if (!report.ok()) return call.Fail(report.status());

  for (const PvVcpu& vcpu : guest->vcpus) {
    Say(call, absl::StrFormat("vCPU %d: registers from %s", vcpu.id, vcpu.registers_from));
  }
  if (guest->vcpus.empty()) Say(call, "no CPU ran a vCPU of this domain: there are no registers");
  const uint64_t bytes = xen.domains[index].p2m->pages() * kPageSize;
  if (call.json()) {
    Json json = {{"path", Printable(report->path)},
                 {"data_bytes", report->data_bytes},
                 {"release", Printable(report->release)},
                 {"mapping", Printable(report->mapping)},
                 {"guest", Json::parse(JsonOf(xen, index))}};
    if (!call.cut_short().empty()) json["cut_short"] = call.cut_short();
    call.out() << JsonText(json, /*indent=*/1, JsonCharset::kAscii) << "\n";
  } else {
    call.out() << absl::StrFormat("%s: %s, %s of %s, mapping: %s\n", Printable(report->path),
                                  report->release.empty() ? "no kernel found" : Printable(report->release),
                                  Size(report->data_bytes), Size(bytes), Printable(report->mapping));
  }
  return kExitFine;
}

}  // namespace vmm
