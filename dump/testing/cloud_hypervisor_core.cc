#include "dump/testing/cloud_hypervisor_core.h"

#include <elf.h>

#include <cstring>
#include <vector>

#include "base/bytes.h"
#include "base/guest_addr.h"
#include "dump/abi/elf_core_abi.h"
#include "dump/elf/prstatus.h"
#include "dump/elf/qemu_note.h"

namespace vmm {
namespace {

template <typename T>
std::string Note(std::string_view name, uint32_t type, const T& desc) {
  constexpr uint32_t kNameSize = 5;  // bytes of "CORE" and "QEMU", each with its NUL
  std::string padded_name(name);
  padded_name.resize(AlignUp(kNameSize, 4), '\0');
  return StringOf(Elf64_Nhdr{kNameSize, sizeof(desc), type}) + padded_name + StringOf(desc);
}

std::string Notes(const VmSnapshot& snapshot) {
  std::string core, qemu;
  for (size_t i = 0; i < snapshot.cpus.size(); ++i) {
    ElfPrstatus prstatus = MakePrstatus(snapshot.cpus[i], static_cast<int>(i));
    prstatus.pr_pid = static_cast<int32_t>(i);
    core += Note("CORE", NT_PRSTATUS, prstatus);
    QemuCpuState state = MakeQemuCpuState(snapshot.cpus[i]);
    state.cr[1] = snapshot.cpus[i].cr8;
    qemu += Note("QEMU", 0, state);
  }
  return core + qemu;
}

Elf64_Ehdr Header(size_t phnum) {
  Elf64_Ehdr ehdr = {};
  std::memcpy(ehdr.e_ident, "\177ELF\2\1\1", 7);
  ehdr.e_type = ET_CORE;
  ehdr.e_machine = EM_X86_64;
  ehdr.e_version = EV_CURRENT;
  ehdr.e_phoff = sizeof(Elf64_Ehdr);
  ehdr.e_ehsize = sizeof(Elf64_Ehdr);
  ehdr.e_phentsize = sizeof(Elf64_Phdr);
  ehdr.e_phnum = static_cast<Elf64_Half>(phnum);
  return ehdr;
}

Elf64_Phdr Segment(uint32_t type, uint64_t offset, uint64_t paddr, uint64_t size) {
  Elf64_Phdr phdr = {};
  phdr.p_type = type;
  phdr.p_offset = offset;
  phdr.p_paddr = paddr;
  phdr.p_filesz = phdr.p_memsz = size;
  return phdr;
}

}  // namespace

std::string CloudHypervisorCore(const VmSnapshot& snapshot) {
  const std::vector<GuestRange> ram = snapshot.memory->Ranges();
  const std::string notes = Notes(snapshot);
  const uint64_t notes_offset = sizeof(Elf64_Ehdr) + (1 + ram.size()) * sizeof(Elf64_Phdr);

  std::string file = StringOf(Header(1 + ram.size()));
  file += StringOf(Segment(PT_NOTE, notes_offset, 0, notes.size()));
  uint64_t offset = notes_offset + notes.size();
  for (const GuestRange& range : ram) {
    file += StringOf(Segment(PT_LOAD, offset, range.start.value, range.size));
    offset += range.size;
  }
  file += notes;
  for (const GuestRange& range : ram) {
    std::vector<uint8_t> bytes(range.size);
    (void)snapshot.memory->Read(range.start, bytes);
    file.append(bytes.begin(), bytes.end());
  }
  return file;
}

}  // namespace vmm
