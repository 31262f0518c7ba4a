#include "dump/tool/info_text.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_format.h"
#include "dump/kernel/kernel_stack.h"
#include "dump/read/registers.h"
#include "dump/read/segment_kind.h"
#include "dump/tool/found_xen.h"
#include "dump/tool/hang_registers_text.h"
#include "dump/tool/pretty_json.h"
#include "dump/tool/printable.h"

namespace vmm {
namespace {

constexpr size_t kFewRows = 24;

class InfoText {
 public:
  InfoText(const Inspected& seen, const InfoTextOptions& options, std::ostream& out)
      : seen_(seen), core_(*seen.core), options_(options), out_(out) {}

  void Print() {
    PrintFile();
    PrintXen();
    PrintKernel();
    PrintMemory();
    PrintCpus();
    PrintHangRegisters(
        core_, [](uint64_t) { return std::string(); }, out_);
    PrintSegments();
    PrintNotes();
    PrintMetadata();
    PrintFaults();
  }

 private:
  void Heading(std::string_view text) { out_ << "\n" << text << "\n"; }
  void Row(std::string_view label, const std::string& value) { out_ << absl::StrFormat("  %-14s%s\n", label, value); }

  void PrintFile() {
    const CoreFile& file = core_.file();
    out_ << absl::StrFormat("%s: %s, %s, of which %s are on the disk\n", Printable(file.path()), NameOf(core_.format()),
                            Size(file.size()), Size(file.allocated()));
    if (core_.cut_short().has_value()) out_ << "  It " << Printable(core_.cut_short()->Text()) << ".\n";
    for (const auto& [name, value] : core_.facts()) Row(Printable(name), Printable(value));
  }

  void PrintXen() {
    if (!seen_.no_xen.empty()) Heading("Xen: " + Printable(seen_.no_xen));
    if (!seen_.xen.has_value()) return;
    const XenMachine& xen = *seen_.xen;
    Heading("Xen");
    if (xen.version.has_value()) Row("version", Printable(xen.version->banner));
    if (xen.xen_phys_start.has_value()) Row("image", "xen_phys_start " + absl::StrFormat("%#x", *xen.xen_phys_start));
    for (size_t i = 0; i < xen.domains.size() && i < kFewRows; ++i) {
      Row(absl::StrFormat("guest %d", i), TitleOf(xen, i));
      Row("", absl::StrFormat("pfn_to_mfn_frame_list_list %#x, p2m_cr3 %#x", xen.domains[i].info.list_list,
                              xen.domains[i].info.p2m_cr3));
    }
    if (xen.domains.size() > kFewRows) out_ << absl::StrFormat("  and %d more\n", xen.domains.size() - kFewRows);
    for (size_t i = 0; i < xen.remarks.size() && i < kFewRows; ++i) Row("remark", Printable(xen.remarks[i]));
  }

  void PrintKernel() {
    Heading("Kernel");
    const std::optional<VmcoreInfo>& info =
        core_.vmcoreinfo().has_value() ? core_.vmcoreinfo() : seen_.kernel.vmcoreinfo;
    if (info.has_value()) {
      Row("release", std::string(info->release()));
      if (const auto id = info->Value("BUILD-ID"); id.has_value()) Row("build ID", Printable(*id));
    }
    if (const auto offset = seen_.kernel.kernel_offset; offset.has_value()) {
      Row("KASLR offset", absl::StrFormat("%#x", *offset));
    }
    if (const auto& map = seen_.kernel.map; map.has_value()) {
      Row("phys_base", absl::StrFormat("%#x", map->phys_base));
      Row("page tables", absl::StrFormat("%d levels, root at physical %#x", map->levels, map->root.value));
      Row("image", absl::StrFormat("%#x, %s, at physical %#x", map->image.vaddr, Size(map->image.range.size),
                                   map->image.range.start.value));
      if (map->page_offset.has_value()) Row("direct map", absl::StrFormat("%#x", *map->page_offset));
    }
    if (!seen_.kernel.why_not.empty()) Row("missing", Printable(seen_.kernel.why_not));
  }

  void PrintMemory() {
    Heading(absl::StrFormat("Memory: %s; %s in %d runs hold data, the rest reads as zeros", Size(seen_.ram_bytes),
                            Size(seen_.data_bytes), seen_.data_runs));
    for (size_t i = 0; i < seen_.ram.size(); ++i) {
      if (i == kFewRows && !options_.all_segments) {
        out_ << absl::StrFormat("  and %d more ranges (--all)\n", seen_.ram.size() - i);
        return;
      }
      const GuestRange& range = seen_.ram[i];
      out_ << absl::StrFormat("  0x%012x-0x%012x  %s\n", range.start.value, range.end().value - 1, Size(range.size));
    }
  }

  void PrintCpus() {
    Heading(absl::StrFormat("CPUs: %d", core_.cpus().size()));
    for (size_t i = 0; i < core_.cpus().size(); ++i) {
      const CpuState& cpu = core_.cpus()[i];
      if (!options_.all_registers || !cpu.started) {
        out_ << absl::StrFormat("  %-3d %-11s", i, ModeOf(cpu));
        if (cpu.started) out_ << absl::StrFormat(" rip 0x%016x  rsp 0x%016x  cr3 0x%x", cpu.rip, cpu.rsp, cpu.cr3);
        out_ << "\n";
        continue;
      }
      out_ << absl::StrFormat("  CPU %d, %s\n", i, ModeOf(cpu));
      PrintRegisters(cpu);
    }
  }

  void PrintRegisters(const CpuState& cpu) {
    const auto registers = RegistersOf(cpu);
    for (size_t i = 0; i < registers.size(); ++i) {
      const auto& [name, value] = registers[i];
      const bool ends_line = i % 4 == 3 || i + 1 == registers.size();
      out_ << absl::StrFormat("%s%7s %016x%s", i % 4 == 0 ? "  " : "", name == "kernel_gs_base" ? "kgs" : name, value,
                              ends_line ? "\n" : "");
    }
    for (const auto& [name, segment] : SegmentsOf(cpu)) {
      out_ << absl::StrFormat("  %6s %04x  base %016x  limit %08x  type %x dpl %d%s%s%s\n", name, segment.selector,
                              segment.base, segment.limit, segment.type, segment.dpl, segment.present ? " present" : "",
                              segment.l ? " 64-bit" : "", segment.db ? " 32-bit" : "");
    }
  }

  void PrintSegments() {
    const ElfHeaders* elf = core_.elf();
    if (elf == nullptr) return;
    Heading(absl::StrFormat("Program headers: %d at %#x", elf->phdrs.size(), elf->ehdr.e_phoff));
    out_ << "      virtual             physical        offset             size\n";
    const std::optional<KernelMap>& map = seen_.kernel.map;
    for (size_t i = 0; i < elf->phdrs.size(); ++i) {
      if (i == kFewRows && !options_.all_segments) {
        out_ << absl::StrFormat("  and %d more (--all)\n", elf->phdrs.size() - i);
        return;
      }
      const Elf64_Phdr& phdr = elf->phdrs[i];
      const SegmentKind kind =
          KindOf(phdr, map.has_value() ? map->page_offset : std::nullopt, map.has_value() ? map->levels : 4);
      out_ << absl::StrFormat("  %-3d 0x%016x  0x%012x  0x%09x  %10s  %s\n", i, phdr.p_vaddr, phdr.p_paddr,
                              phdr.p_offset, Size(phdr.p_memsz != 0 ? phdr.p_memsz : phdr.p_filesz), What(phdr, kind));
    }
  }

  std::string What(const Elf64_Phdr& phdr, SegmentKind kind) {
    if (kind != SegmentKind::kKernel) return std::string(NameOf(kind));
    for (size_t i = 0; i < core_.cpus().size(); ++i) {
      const uint64_t rsp = core_.cpus()[i].rsp;
      // A stack is aligned to its size, and may consist of several runs of pages.
      const bool same_stack = (rsp ^ phdr.p_vaddr) < kThreadSize || rsp - phdr.p_vaddr < phdr.p_memsz;
      if (core_.cpus()[i].started && same_stack) return absl::StrFormat("stack of CPU %d", i);
    }
    return std::string(NameOf(kind));
  }

  void PrintNotes() {
    struct Count {
      size_t notes = 0, bytes = 0;
    };
    std::map<std::pair<std::string, uint32_t>, Count> kinds;
    for (const VmcoreNote& note : core_.notes()) {
      Count& count = kinds[{note.name, note.type}];
      ++count.notes;
      count.bytes += note.desc.size();
    }
    Heading(absl::StrFormat("Notes: %d", core_.notes().size()));
    size_t rows = 0;
    for (const auto& [kind, count] : kinds) {
      if (++rows > kFewRows && !options_.all_segments) {
        out_ << absl::StrFormat("  and %d more kinds (--all)\n", kinds.size() - kFewRows);
        return;
      }
      out_ << absl::StrFormat("  %-14s type %-5d %d, %s\n", Printable(kind.first), kind.second, count.notes,
                              Size(count.bytes));
    }
  }

  void PrintMetadata() {
    const VmcoreNote* note = core_.FindNote("VMM");
    if (note == nullptr) return;
    Heading("Why it was made (note VMM)");
    out_ << PrettyJson({reinterpret_cast<const char*>(note->desc.data()), note->desc.size()}) << "\n";
  }

  void PrintFaults() {
    if (core_.faults().empty()) return;
    Heading("Faults, passed over (`vmcore check` says what they break)");
    for (const VmcoreFault& fault : core_.faults()) out_ << "  " << Printable(fault.what) << "\n";
  }

  const Inspected& seen_;
  const Vmcore& core_;
  const InfoTextOptions& options_;
  std::ostream& out_;
};

}  // namespace

void PrintInfo(const Inspected& seen, const InfoTextOptions& options, std::ostream& out) {
  InfoText(seen, options, out).Print();
}

}  // namespace vmm
