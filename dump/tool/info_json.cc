#include "dump/tool/info_json.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/json_text.h"
#include "dump/read/registers.h"
#include "dump/read/segment_kind.h"
#include "dump/tool/found_xen.h"
#include "dump/tool/hang_registers_text.h"
#include "dump/tool/open_core.h"
#include "dump/tool/pretty_json.h"
#include "dump/tool/printable.h"

namespace vmm {
namespace {

using Json = nlohmann::ordered_json;

Json Hex(uint64_t value) { return absl::StrFormat("%#x", value); }

Json XenJson(const XenMachine& xen) {
  Json json = Json::object();
  if (xen.version.has_value()) {
    json["major"] = xen.version->major;
    json["minor"] = xen.version->minor;
    json["banner"] = Printable(xen.version->banner);
  }
  if (xen.xen_phys_start.has_value()) json["xen_phys_start"] = Hex(*xen.xen_phys_start);
  json["domains"] = Json::array();
  for (size_t i = 0; i < xen.domains.size(); ++i) json["domains"].push_back(Json::parse(JsonOf(xen, i)));
  json["remarks"] = Json::array();
  for (const std::string& remark : xen.remarks) json["remarks"].push_back(Printable(remark));
  return json;
}

Json KernelJson(const Inspected& seen) {
  Json json = Json::object();
  const FoundKernel& kernel = seen.kernel;
  const auto& info = seen.core->vmcoreinfo().has_value() ? seen.core->vmcoreinfo() : kernel.vmcoreinfo;
  if (info.has_value()) {
    json["release"] = info->release();
    if (const auto id = info->Value("BUILD-ID"); id.has_value()) json["build_id"] = Printable(*id);
  }
  if (kernel.kernel_offset.has_value()) json["kernel_offset"] = Hex(*kernel.kernel_offset);
  if (kernel.map.has_value()) {
    const KernelMap& map = *kernel.map;
    json["phys_base"] = Hex(map.phys_base);
    json["page_table_root"] = Hex(map.root.value);
    json["page_table_levels"] = map.levels;
    json["image"] = {{"virtual", Hex(map.image.vaddr)},
                     {"physical", Hex(map.image.range.start.value)},
                     {"bytes", map.image.range.size}};
    if (map.page_offset.has_value()) json["page_offset"] = Hex(*map.page_offset);
  }
  if (!kernel.why_not.empty()) json["missing"] = Printable(kernel.why_not);
  return json;
}

Json MemoryJson(const Inspected& seen) {
  Json ranges = Json::array();
  for (const GuestRange& range : seen.ram) {
    ranges.push_back({{"physical", Hex(range.start.value)}, {"bytes", range.size}});
  }
  return {
      {"bytes", seen.ram_bytes}, {"data_bytes", seen.data_bytes}, {"data_runs", seen.data_runs}, {"ranges", ranges}};
}

Json CpuJson(const CpuState& cpu) {
  Json json = {{"mode", ModeOf(cpu)}};
  for (const auto& [name, value] : RegistersOf(cpu)) json[name] = Hex(value);
  for (const auto& [name, segment] : SegmentsOf(cpu)) {
    json[name] = {{"selector", Hex(segment.selector)},
                  {"base", Hex(segment.base)},
                  {"limit", Hex(segment.limit)},
                  {"type", segment.type},
                  {"dpl", segment.dpl},
                  {"s", segment.s},
                  {"present", segment.present},
                  {"avl", segment.avl},
                  {"l", segment.l},
                  {"db", segment.db},
                  {"g", segment.g}};
  }
  return json;
}

Json ElfJson(const Inspected& seen, const ElfHeaders& elf) {
  const auto& map = seen.kernel.map;
  Json phdrs = Json::array();
  for (const Elf64_Phdr& phdr : elf.phdrs) {
    const SegmentKind kind =
        KindOf(phdr, map.has_value() ? map->page_offset : std::nullopt, map.has_value() ? map->levels : 4);
    phdrs.push_back({{"type", phdr.p_type},
                     {"kind", NameOf(kind)},
                     {"offset", Hex(phdr.p_offset)},
                     {"virtual", Hex(phdr.p_vaddr)},
                     {"physical", Hex(phdr.p_paddr)},
                     {"file_bytes", phdr.p_filesz},
                     {"bytes", phdr.p_memsz},
                     {"flags", phdr.p_flags},
                     {"align", phdr.p_align}});
  }
  return {{"e_phoff", elf.ehdr.e_phoff}, {"e_phnum", elf.ehdr.e_phnum},   {"e_shoff", elf.ehdr.e_shoff},
          {"e_shnum", elf.ehdr.e_shnum}, {"e_ehsize", elf.ehdr.e_ehsize}, {"program_headers", phdrs}};
}

Json NotesJson(const Vmcore& core) {
  Json notes = Json::array();
  for (const VmcoreNote& note : core.notes()) {
    notes.push_back({{"name", Printable(note.name)},
                     {"type", note.type},
                     {"bytes", note.desc.size()},
                     {"offset", Hex(note.offset)}});
  }
  return notes;
}

Json LinesJson(std::string_view text) {
  Json lines = Json::array();
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(Printable(text.substr(at, end - at)));
    at = end + 1;
  }
  return lines;
}

}  // namespace

std::string InfoJson(const Inspected& seen) {
  const Vmcore& core = *seen.core;
  Json json;
  json["path"] = Printable(core.file().path());
  json["format"] = NameOf(core.format());
  json["file_bytes"] = core.file().size();
  json["disk_bytes"] = core.file().allocated();
  for (const auto& [name, value] : core.facts()) json["facts"][Printable(name)] = Printable(value);
  if (core.cut_short().has_value()) json["cut_short"] = Json::array({Printable(CutShortSentence(core))});
  if (seen.xen.has_value()) json["xen"] = XenJson(*seen.xen);
  json["kernel"] = KernelJson(seen);
  json["memory"] = MemoryJson(seen);
  json["cpus"] = Json::array();
  for (const CpuState& cpu : core.cpus()) json["cpus"].push_back(CpuJson(cpu));
  if (Json before = HangRegistersJson(core); !before.is_null()) json["before_nmi"] = std::move(before);
  if (core.elf() != nullptr) json["elf"] = ElfJson(seen, *core.elf());
  json["notes"] = NotesJson(core);
  if (core.vmcoreinfo().has_value()) json["vmcoreinfo"] = LinesJson(core.vmcoreinfo()->text());
  if (const VmcoreNote* note = core.FindNote("VMM"); note != nullptr) {
    const std::string_view text(reinterpret_cast<const char*>(note->desc.data()), note->desc.size());
    json["vmm"] = IsModestJson(text) ? Json::parse(text) : Json(Printable(text));
  }
  json["faults"] = Json::array();
  for (const VmcoreFault& fault : core.faults()) {
    json["faults"].push_back({{"rule", fault.rule}, {"what", Printable(fault.what)}});
  }
  return JsonText(std::move(json), /*indent=*/2, JsonCharset::kAscii);
}

}  // namespace vmm
