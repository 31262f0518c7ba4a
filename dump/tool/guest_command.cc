#include "dump/tool/guest_command.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "base/json_text.h"
#include "dump/kernel/find_kernel.h"
#include "dump/read/vmcore.h"
#include "dump/tool/found_guests.h"
#include "dump/tool/found_xen.h"
#include "dump/tool/open_core.h"
#include "dump/tool/printable.h"
#include "dump/tool/pv_guests.h"
#include "dump/write/write_vmcore.h"

namespace vmm {
namespace {

using Json = nlohmann::ordered_json;

uint64_t BytesOf(const PhysicalMemory& memory) {
  uint64_t bytes = 0;
  for (const GuestRange& range : memory.Ranges()) bytes += range.size;
  return bytes;
}

void Say(const Invocation& call, std::string_view words) { call.err() << "vmcore guest: " << Printable(words) << "\n"; }

// Opens one guest after another for --list, and stops once they have cost too much. Real guests share little memory,
// but a file can lead thousands of VMCSs to the same memory.
class GuestsToList {
 public:
  explicit GuestsToList(const Vmcore& core)
      : core_(core), bytes_left_(L2Memory::kMaxTimesMapped * BytesOf(core.memory())) {}

  absl::StatusOr<GuestSnapshot> Open(const NestedVm& vm) {
    if (opened_ == kMaxListedGuests || bytes_left_ == 0) {
      return absl::ResourceExhaustedError(
          absl::StrFormat("not looked into, after %d guests before it; --extract does", opened_));
    }
    ++opened_;
    absl::StatusOr<GuestSnapshot> guest = SnapshotOf(core_, vm);
    if (guest.ok()) bytes_left_ -= std::min(bytes_left_, guest->memory->walk().bytes);
    if (absl::IsResourceExhausted(guest.status())) bytes_left_ = 0;  // this guest alone cost as much as all guests may
    return guest;
  }

 private:
  static constexpr int kMaxListedGuests = 256;

  const Vmcore& core_;
  uint64_t bytes_left_;
  int opened_ = 0;
};

Json ListedJson(const NestedVm& vm, GuestsToList* guests) {
  Json json = Json::parse(JsonOf(vm));
  const absl::StatusOr<GuestSnapshot> guest = guests->Open(vm);
  if (!guest.ok()) {
    json["error"] = Printable(std::string(guest.status().message()));
    return json;
  }
  const FoundKernel kernel = FindKernel(guest->snapshot);
  if (kernel.vmcoreinfo.has_value()) json["release"] = Printable(kernel.vmcoreinfo->release());
  const L2Memory::Walk& walk = guest->memory->walk();
  json["memory"] = {{"bytes", BytesOf(*guest->memory)},    {"mapped_bytes", walk.bytes},
                    {"mapped_pages", walk.pages},          {"not_ram", walk.not_ram},
                    {"misconfigured", walk.misconfigured}, {"repeated_tables", walk.repeated}};
  return json;
}

void PrintListed(const NestedVm& vm, GuestsToList* guests, std::ostream& out) {
  const absl::StatusOr<GuestSnapshot> guest = guests->Open(vm);
  if (guest.ok()) {
    const FoundKernel kernel = FindKernel(guest->snapshot);
    out << "   kernel  "
        << (kernel.vmcoreinfo.has_value() ? Printable(kernel.vmcoreinfo->release())
                                          : "not found: " + Printable(kernel.why_not))
        << "\n";
    const L2Memory::Walk& walk = guest->memory->walk();
    out << absl::StrFormat("   memory  %s, of which %s are mapped, in %d pages\n", Size(BytesOf(*guest->memory)),
                           Size(walk.bytes), walk.pages);
    if (walk.misconfigured > 0) out << absl::StrFormat("           %d misconfigured entries\n", walk.misconfigured);
    if (walk.repeated > 0) out << absl::StrFormat("           %d tables met more than once\n", walk.repeated);
  } else {
    out << "   memory  " << Printable(std::string(guest.status().message())) << "\n";
  }
  for (size_t i = 0; i < vm.vcpus.size(); ++i) {
    const NestedVcpu& vcpu = vm.vcpus[i];
    out << absl::StrFormat("   vCPU %d  rip %016x rsp %016x cr3 %x\n           registers: %s\n", i, vcpu.registers.rip,
                           vcpu.registers.rsp, vcpu.registers.cr3, vcpu.registers_from);
  }
}

int List(const Invocation& call, const Vmcore& core, const FoundGuests& found) {
  GuestsToList guests(core);
  if (call.json()) {
    Json json = {{"guests", Json::array()}, {"remarks", Json::array()}};
    for (const NestedVm& vm : found.vms) json["guests"].push_back(ListedJson(vm, &guests));
    for (const std::string& remark : found.remarks) json["remarks"].push_back(Printable(remark));
    if (!call.cut_short().empty()) json["cut_short"] = call.cut_short();
    call.out() << JsonText(json, /*indent=*/1, JsonCharset::kAscii) << "\n";
    return kExitFine;
  }
  for (size_t i = 0; i < found.vms.size(); ++i) {
    call.out() << i << ": " << TitleOf(found.vms[i]) << "\n";
    PrintListed(found.vms[i], &guests, call.out());
  }
  if (found.vms.empty()) call.out() << "no guests: this guest was no hypervisor, or its guests are all gone\n";
  return kExitFine;
}

int Extract(const Invocation& call, const Vmcore& core, const FoundGuests& found) {
  uint32_t index = 0;
  if (!absl::SimpleAtoi(*call.Value("extract"), &index) || index >= found.vms.size()) {
    return call.Misused(absl::StrFormat("--extract=%s: there are %d guests, numbered from 0", *call.Value("extract"),
                                        found.vms.size()));
  }
  const NestedVm& vm = found.vms[index];
  const absl::StatusOr<GuestSnapshot> guest = SnapshotOf(core, vm);
  if (!guest.ok()) return call.Fail(guest.status());

  const std::filesystem::path path = *call.Value("output");
  if (!path.has_filename()) return call.Misused("--output is the vmcore's name, not a folder's");
  const absl::StatusOr<OutputDir> dir = OutputDir::Open(DirectoryOf(path));
  if (!dir.ok()) return call.Fail(dir.status());
  VmcoreOptions options = {.name = path.filename().string()};
  Json about = {{"extracted_guest", Json::parse(JsonOf(vm))}};
  if (!call.cut_short().empty()) about["cut_short"] = call.cut_short();
  options.notes_json = JsonText(about, /*indent=*/-1);
  const absl::StatusOr<VmcoreReport> report = WriteVmcore(guest->snapshot, *dir, options);
  if (!report.ok()) return call.Fail(report.status());

  for (size_t i = 0; i < vm.vcpus.size(); ++i) {
    Say(call, absl::StrFormat("vCPU %d: registers from %s", i, vm.vcpus[i].registers_from));
  }
  if (call.json()) {
    Json json = {{"path", Printable(report->path)},
                 {"data_bytes", report->data_bytes},
                 {"release", Printable(report->release)},
                 {"mapping", Printable(report->mapping)},
                 {"guest", Json::parse(JsonOf(vm))}};
    if (!call.cut_short().empty()) json["cut_short"] = call.cut_short();
    call.out() << JsonText(json, /*indent=*/1, JsonCharset::kAscii) << "\n";
  } else {
    call.out() << absl::StrFormat("%s: %s, %s of %s, mapping: %s\n", Printable(report->path),
                                  report->release.empty() ? "no kernel found" : Printable(report->release),
                                  Size(report->data_bytes), Size(BytesOf(*guest->memory)), Printable(report->mapping));
  }
  return kExitFine;
}

int RunGuest(const Invocation& call) {
  const bool extract = call.Has("extract");
  if (extract != call.Has("output")) return call.Misused("--extract=N and --output=FILE go together");
  if (extract && call.Has("list")) return call.Misused("--list or --extract, not both");
  const auto core = OpenCore(call, call.operands()[0]);
  if (!core.ok()) return call.Fail(core.status());
  const absl::StatusOr<std::optional<XenMachine>> xen = XenOf(**core);
  if (!xen.ok()) return call.Fail(xen.status());
  if (xen->has_value()) {
    for (const std::string& remark : (*xen)->remarks) Say(call, remark);
    return extract ? ExtractPvGuest(call, **core, **xen) : ListPvGuests(call, **core, **xen);
  }
  const absl::StatusOr<FoundGuests> found = FindGuests(**core);
  if (!found.ok()) return call.Fail(found.status());
  for (const std::string& remark : found->remarks) Say(call, remark);
  return extract ? Extract(call, **core, *found) : List(call, **core, *found);
}

}  // namespace

Command GuestCommand() {
  Command command;
  command.name = "guest";
  command.operands = "FILE";
  command.summary = "of a guest that was a hypervisor: its own guests, and a vmcore of each";
  command.details =
      "A guest's memory is read through EPT or nested page tables out of FILE; its registers come from FILE where it\n"
      "ran, else from its VMCS or VMCB and from KVM's own struct. What is not known of them is said on stderr.\n"
      "Of a Xen machine, the guests are its PV domains, dom0 first. Their vmcores have the domain's own page numbers,\n"
      "in page tables too, for drgn and gdb; crash wants the core of the whole machine.\n";
  command.options = {{"list", "", "the guests, numbered from 0; what is done if nothing else is asked for"},
                     {"extract", "N", "write the vmcore of guest N"},
                     {"output", "FILE", "its name, which must be free; -o FILE for short"}};
  command.run = RunGuest;
  return command;
}

}  // namespace vmm
