#include "dump/elf/core_layout.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status.h"
#include "dump/abi/elf_core_abi.h"
#include "dump/elf/prstatus.h"
#include "dump/elf/qemu_note.h"
#include "dump/snapshot/vmcoreinfo.h"
#include "dump/xen/abi/xen_note_abi.h"

namespace vmm {
namespace {

constexpr uint32_t kNoteAlignment = 4;

template <typename T>
void Append(std::string& out, const T& object) {
  out.append(reinterpret_cast<const char*>(&object), sizeof(object));
}

void PadTo(std::string& out, uint64_t alignment) { out.resize(AlignUp(out.size(), alignment), '\0'); }

// Returns `notes`. If none of them is a VMCOREINFO that can be parsed, adds `vmcoreinfo` after the registers, where
// readers expect it.
std::vector<CoreNote> WithVmcoreInfo(std::span<const CoreNote> notes, std::string_view vmcoreinfo) {
  std::vector<CoreNote> all(notes.begin(), notes.end());
  const auto is_one = [](const CoreNote& note) { return note.name == "VMCOREINFO" && note.type == 0; };
  const auto is_good = [&](const CoreNote& note) { return is_one(note) && VmcoreInfo::Parse(note.desc).ok(); };
  if (vmcoreinfo.empty() || std::ranges::any_of(all, is_good)) return all;
  std::erase_if(all, is_one);
  const auto other = std::ranges::find_if(all, [](const CoreNote& n) { return n.name != "CORE" && n.name != "QEMU"; });
  all.insert(other, {"VMCOREINFO", 0, std::string(vmcoreinfo)});
  return all;
}

// All PRSTATUS notes before all QEMU notes, in QEMU's order. The types matter: crash looks at the type before the name,
// and 0 is the type that it takes for no known note.
std::vector<CoreNote> PlanNotes(const CoreContents& contents) {
  if (!contents.all_notes.empty()) return WithVmcoreInfo(contents.all_notes, contents.vmcoreinfo);
  std::vector<CoreNote> notes;
  int cpu = 0;
  for (const CpuState& state : contents.cpus)
    notes.push_back({"CORE", NT_PRSTATUS, StringOf(MakePrstatus(state, cpu++))});
  for (const CpuState& state : contents.cpus) notes.push_back({"QEMU", 0, StringOf(MakeQemuCpuState(state))});
  if (!contents.vmcoreinfo.empty()) notes.push_back({"VMCOREINFO", 0, std::string(contents.vmcoreinfo)});
  notes.insert(notes.end(), contents.more_notes.begin(), contents.more_notes.end());
  if (!contents.metadata.empty()) notes.push_back({"VMM", 0, std::string(contents.metadata)});
  return notes;
}

// crash takes a core with QEMU notes for one of a plain machine.
std::vector<CoreNote> AsXenMachine(std::vector<CoreNote> notes, const CoreNote& xen_note) {
  for (CoreNote& note : notes) {
    if (note.name == "QEMU") note.name = kXenCpuNoteName;
  }
  notes.push_back(xen_note);
  return notes;
}

absl::Status CheckNotes(std::span<const CoreNote> notes) {
  for (const CoreNote& note : notes) {
    if (note.type == 0) continue;
    return absl::InvalidArgumentError(absl::StrFormat("core: note %s has type %d, not 0", note.name, note.type));
  }
  return absl::OkStatus();
}

std::string SerializeNotes(std::span<const CoreNote> notes) {
  std::string out;
  for (const CoreNote& note : notes) {
    Append(out, Elf64_Nhdr{static_cast<Elf64_Word>(note.name.size() + 1), static_cast<Elf64_Word>(note.desc.size()),
                           note.type});
    out += note.name;
    out += '\0';
    PadTo(out, kNoteAlignment);
    out += note.desc;
    PadTo(out, kNoteAlignment);
  }
  return out;
}

absl::Status CheckRam(std::span<const GuestRange> ram) {
  uint64_t lowest_free = 0;
  uint64_t total = 0;
  for (const GuestRange& range : ram) {
    if (!range.IsValid() || range.start.value < lowest_free || range.start.value % kPageSize != 0 ||
        range.size % kPageSize != 0) {
      return absl::InvalidArgumentError("core: RAM ranges are not ascending, disjoint and page-aligned");
    }
    lowest_free = range.end().value;
    total += range.size;
  }
  if (total < 2 * kPageSize) return absl::InvalidArgumentError("core: less than two pages of RAM");
  return absl::OkStatus();
}

// p_align is 0 on purpose: with 4096 and page-aligned data, crash mistakes the file for one of an older format.
Elf64_Phdr LoadHeader(uint64_t vaddr, GuestRange range, uint64_t offset) {
  return {.p_type = PT_LOAD,
          .p_flags = PF_R | PF_W | PF_X,
          .p_offset = offset,
          .p_vaddr = vaddr,
          .p_paddr = range.start.value,
          .p_filesz = range.size,
          .p_memsz = range.size,
          .p_align = 0};
}

// Adds a program header for the part of `segment` in each block of RAM.
void AddSegment(const VirtualSegment& segment, std::span<const CoreLayout::Block> ram, std::vector<Elf64_Phdr>& phdrs) {
  if (!segment.range.IsValid()) return;
  for (const CoreLayout::Block& block : ram) {
    if (!block.range.Overlaps(segment.range)) continue;
    const uint64_t start = std::max(block.range.start.value, segment.range.start.value);
    const uint64_t last = std::min(block.range.start.value + (block.range.size - 1),
                                   segment.range.start.value + (segment.range.size - 1));
    phdrs.push_back(LoadHeader(segment.vaddr + (start - segment.range.start.value),
                               {GuestAddr{start}, last - start + 1}, block.offset + (start - block.range.start.value)));
  }
}

void AddRam(uint64_t base, std::span<const CoreLayout::Block> ram, std::vector<Elf64_Phdr>& phdrs) {
  // crash applies other, laxer rules to a core with a single PT_LOAD, so RAM is split in two.
  if (ram.size() == 1 && phdrs.size() == 1) {
    const uint64_t half = AlignUp(ram[0].range.size / 2, kPageSize);
    const GuestAddr start = ram[0].range.start;
    const GuestRange upper{GuestAddr{start.value + half}, ram[0].range.size - half};
    phdrs.push_back(LoadHeader(base + start.value, {start, half}, ram[0].offset));
    phdrs.push_back(LoadHeader(base + upper.start.value, upper, ram[0].offset + half));
    return;
  }
  for (const CoreLayout::Block& block : ram) {
    phdrs.push_back(LoadHeader(base + block.range.start.value, block.range, block.offset));
  }
}

// These headers point past the file's end, so every reader sees that the core is truncated, which it is.
void AddMissing(uint64_t base, std::span<const GuestRange> missing, CoreLayout& layout) {
  uint64_t offset = layout.file_size;
  for (const GuestRange& range : missing) {
    layout.phdrs.push_back(LoadHeader(base + range.start.value, range, offset));
    offset += range.size;
  }
  layout.missing = missing.size();
}

Elf64_Ehdr FileHeader(size_t phnum, bool incomplete) {
  Elf64_Ehdr ehdr = {};
  ehdr.e_ident[EI_MAG0] = ELFMAG0;
  ehdr.e_ident[EI_MAG1] = ELFMAG1;
  ehdr.e_ident[EI_MAG2] = ELFMAG2;
  ehdr.e_ident[EI_MAG3] = ELFMAG3;
  ehdr.e_ident[EI_CLASS] = ELFCLASS64;
  ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
  ehdr.e_ident[EI_VERSION] = EV_CURRENT;
  ehdr.e_type = ET_CORE;
  ehdr.e_machine = EM_X86_64;
  ehdr.e_version = EV_CURRENT;
  ehdr.e_phoff = sizeof(Elf64_Ehdr);  // makedumpfile looks there, ignoring e_phoff
  ehdr.e_flags = incomplete ? kElfIncomplete : 0;
  ehdr.e_ehsize = sizeof(Elf64_Ehdr);
  ehdr.e_phentsize = sizeof(Elf64_Phdr);
  ehdr.e_phnum = static_cast<Elf64_Half>(phnum);
  if (phnum >= PN_XNUM) {
    ehdr.e_phnum = PN_XNUM;
    ehdr.e_shoff = sizeof(Elf64_Ehdr) + phnum * sizeof(Elf64_Phdr);
    ehdr.e_shentsize = sizeof(Elf64_Shdr);
    ehdr.e_shnum = 1;
  }
  return ehdr;
}

// Section header 0, which holds the count of program headers if it is too large for e_phnum.
Elf64_Shdr CountHeader(size_t phnum) {
  Elf64_Shdr shdr = {};
  shdr.sh_info = static_cast<Elf64_Word>(phnum);
  return shdr;
}

void MoveData(CoreLayout& layout, uint64_t data_offset) {
  layout.data_offset = data_offset;
  layout.file_size += data_offset;
  for (CoreLayout::Block& block : layout.ram) block.offset += data_offset;
  for (Elf64_Phdr& phdr : layout.phdrs) {
    if (phdr.p_type == PT_LOAD) phdr.p_offset += data_offset;
  }
}

}  // namespace

absl::StatusOr<CoreLayout> PlanCore(const CoreContents& contents) {
  if (contents.cpus.empty()) return absl::InvalidArgumentError("core: no vCPU");
  RETURN_IF_ERROR(CheckRam(contents.ram));
  RETURN_IF_ERROR(CheckNotes(contents.more_notes));

  CoreLayout layout;
  layout.notes = PlanNotes(contents);
  if (contents.xen_note.has_value()) layout.notes = AsXenMachine(std::move(layout.notes), *contents.xen_note);

  // Offsets count from the start of the data until the size of all headers is known.
  for (const GuestRange& range : contents.ram) {
    if (range.size == 0) continue;
    layout.ram.push_back({range, layout.file_size});
    layout.file_size += range.size;
  }
  layout.phdrs.push_back({.p_type = PT_NOTE});
  for (const VirtualSegment& segment : contents.segments) AddSegment(segment, layout.ram, layout.phdrs);
  AddRam(contents.page_offset.value_or(kNonCanonicalBase), layout.ram, layout.phdrs);
  AddMissing(contents.page_offset.value_or(kNonCanonicalBase), contents.missing, layout);

  const size_t phnum = layout.phdrs.size();
  const uint64_t note_offset =
      sizeof(Elf64_Ehdr) + phnum * sizeof(Elf64_Phdr) + (phnum >= PN_XNUM ? sizeof(Elf64_Shdr) : 0);
  const std::string notes = SerializeNotes(layout.notes);
  layout.phdrs[0].p_offset = note_offset;
  layout.phdrs[0].p_filesz = notes.size();
  layout.phdrs[0].p_memsz = notes.size();
  MoveData(layout, AlignUp(note_offset + notes.size(), kPageSize));

  Append(layout.header, FileHeader(phnum, layout.missing != 0));
  for (const Elf64_Phdr& phdr : layout.phdrs) Append(layout.header, phdr);
  if (phnum >= PN_XNUM) Append(layout.header, CountHeader(phnum));
  layout.header += notes;
  return layout;
}

}  // namespace vmm
