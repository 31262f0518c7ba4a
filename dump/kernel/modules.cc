#include "dump/kernel/modules.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <unordered_set>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

// MODULE_NAME_LEN is 64 minus the size of an unsigned long. A struct module begins with its state, list and name.
constexpr uint64_t kNameLength = 56;
constexpr uint64_t kListOffset = 8;
constexpr uint64_t kNameOffset = 24;

constexpr uint64_t kModulesEnd = 0xffffffffff000000;
constexpr uint64_t kMaxModuleSize = 256 << 20;
constexpr uint64_t kMaxOrcs = 1 << 20;

constexpr uint64_t kMaxSymbols = 256 << 10;
constexpr size_t kMaxSymbolName = 512;

// Above the image, up to MODULES_END (Linux Documentation/x86/x86_64/mm.rst).
bool IsModuleAddress(uint64_t address) { return address >= kStartKernelMap + (512 << 20) && address < kModulesEnd; }

// An area of a module's memory. The kernel stores its base, and after that its size as an unsigned int.
struct Area {
  uint64_t base = 0;
  uint64_t size = 0;
};

std::optional<Area> ReadArea(const KernelMemory& memory, uint64_t base_at, uint64_t size_at) {
  const auto base = memory.ReadObject<uint64_t>(base_at);
  const auto size = memory.ReadObject<uint32_t>(size_at);
  if (!base.ok() || !size.ok() || !IsModuleAddress(*base) || *base % kPageSize != 0) return std::nullopt;
  if (*size == 0 || *size > kMaxModuleSize) return std::nullopt;
  return Area{*base, *size};
}

// The module's code first, then its init function's code if that still exists.
std::vector<Area> ReadAreas(const KernelMemory& memory, const StructLayout& layout, uint64_t module) {
  std::vector<Area> areas;
  const auto add = [&](uint64_t offset, std::string_view name) {
    const auto base = layout.Offset(absl::StrFormat("%s.base", name));
    const auto size = layout.Offset(absl::StrFormat("%s.size", name));
    if (!base || !size) return;
    if (const auto area = ReadArea(memory, module + offset + *base, module + offset + *size)) areas.push_back(*area);
  };
  if (const auto mem = layout.Offset("module.mem"); mem) {  // since Linux 6.4, enum mod_mem_type
    constexpr uint64_t kText = 0;
    constexpr uint64_t kInitText = 4;
    const uint64_t each = layout.Size("module_memory").value_or(0);
    add(*mem + kText * each, "module_memory");
    add(*mem + kInitText * each, "module_memory");
  } else if (const auto core = layout.Offset("module.core_layout"); core) {  // since Linux 4.5
    add(*core, "module_layout");
    if (const auto init = layout.Offset("module.init_layout"); init) add(*init, "module_layout");
  } else {
    constexpr uint64_t kLookedThrough = 1024;
    for (uint64_t at = kNameOffset + kNameLength; at < kLookedThrough && areas.empty(); at += sizeof(uint64_t)) {
      if (const auto area = ReadArea(memory, module + at, module + at + sizeof(uint64_t))) areas.push_back(*area);
    }
  }
  return areas;
}

std::optional<OrcTable> ReadOrc(const KernelMemory& memory, const StructLayout& layout, uint64_t module,
                                OrcLayout orc_layout) {
  const auto num = layout.Offset("module.arch.num_orcs");
  const auto ips = layout.Offset("module.arch.orc_unwind_ip");
  const auto entries = layout.Offset("module.arch.orc_unwind");
  if (!num || !ips || !entries) return std::nullopt;
  const auto count = memory.ReadObject<uint32_t>(module + *num);
  const auto ips_at = memory.ReadObject<uint64_t>(module + *ips);
  const auto entries_at = memory.ReadObject<uint64_t>(module + *entries);
  if (!count.ok() || !ips_at.ok() || !entries_at.ok() || *count == 0 || *count > kMaxOrcs) return std::nullopt;
  return OrcTable(*ips_at, *entries_at, *count, orc_layout);
}

bool IsName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

std::vector<Module> ReadModules(const KernelMemory& memory, const StructLayout& layout, uint64_t list,
                                std::optional<OrcLayout> orc_layout) {
  const uint64_t list_offset = layout.Offset("module.list").value_or(kListOffset);
  const uint64_t name_offset = layout.Offset("module.name").value_or(kNameOffset);
  std::vector<Module> modules;
  std::unordered_set<uint64_t> seen = {list};
  Meter meter(kModulesBudget);
  for (auto next = memory.ReadObject<uint64_t>(list); next.ok() && meter.Step();
       next = memory.ReadObject<uint64_t>(*next)) {
    if (!seen.insert(*next).second) break;
    Module module;
    module.address = *next - list_offset;
    const auto name = memory.ReadString(module.address + name_offset, kNameLength);
    if (!name.ok() || !IsName(*name)) break;
    module.name = *name;
    std::optional<OrcTable> orc;
    if (orc_layout.has_value()) orc = ReadOrc(memory, layout, module.address, *orc_layout);
    for (const Area& area : ReadAreas(memory, layout, module.address)) {
      if (module.code.empty()) module.base = area.base, module.size = area.size;
      module.code.push_back({area.base, area.size, orc});
    }
    modules.push_back(std::move(module));
  }
  return modules;
}

absl::StatusOr<std::unique_ptr<SymbolList>> ReadModuleSymbols(const KernelMemory& memory, const StructLayout& layout,
                                                              const Module& module, Meter& meter) {
  const auto kallsyms = layout.Offset("module.kallsyms");
  const auto symtab_at = layout.Offset("mod_kallsyms.symtab");
  const auto num_at = layout.Offset("mod_kallsyms.num_symtab");
  const auto strtab_at = layout.Offset("mod_kallsyms.strtab");
  if (!kallsyms || !symtab_at || !num_at || !strtab_at) {
    return absl::NotFoundError("without BTF it is not known where a module keeps its symbols");
  }
  ASSIGN_OR_RETURN(const uint64_t table, memory.ReadObject<uint64_t>(module.address + *kallsyms));
  ASSIGN_OR_RETURN(const uint64_t symtab, memory.ReadObject<uint64_t>(table + *symtab_at));
  ASSIGN_OR_RETURN(const uint32_t count, memory.ReadObject<uint32_t>(table + *num_at));
  ASSIGN_OR_RETURN(const uint64_t strtab, memory.ReadObject<uint64_t>(table + *strtab_at));
  if (count > kMaxSymbols) return absl::DataLossError(absl::StrFormat("%s has %d symbols", module.name, count));
  if (!meter.Step(count)) return meter.status();
  ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, memory.ReadBytes(symtab, count * sizeof(Elf64_Sym)));
  std::vector<Symbol> symbols;
  for (uint32_t i = 0; i < count; ++i) {
    Elf64_Sym symbol;
    std::memcpy(&symbol, &bytes[i * sizeof(symbol)], sizeof(symbol));
    if (symbol.st_name == 0 || FindCode(module.code, symbol.st_value) == nullptr) continue;
    auto name = memory.ReadString(strtab + symbol.st_name, kMaxSymbolName);
    if (name.ok() && !meter.Bytes(name->size())) return meter.status();
    if (name.ok() && IsName(*name)) symbols.push_back({symbol.st_value, 't', *std::move(name)});
  }
  return std::make_unique<SymbolList>(module.name, std::move(symbols));
}

}  // namespace vmm
