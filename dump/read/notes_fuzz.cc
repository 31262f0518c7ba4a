// The notes of a dump, and a VMCOREINFO: refused or read.
#include <string>

#include "dump/read/vmcore_note.h"
#include "dump/snapshot/vmcoreinfo.h"
#include "fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vmm::FuzzInput input(data, size);
  if (input.Take<uint8_t>() % 2 == 0) {
    const std::span<const uint8_t> bytes = input.Rest();
    uint64_t used = 0;
    for (const vmm::VmcoreNote& note : vmm::ParseNotes(bytes, 0x158).notes) used += 12 + note.desc.size();
    vmm::FuzzCheck(used <= bytes.size());
    return 0;
  }
  const std::string text(input.Text());
  const auto info = vmm::VmcoreInfo::Parse(text);
  if (!info.ok()) return 0;
  vmm::FuzzCheck(info->text() == text && info->release().size() <= 64);
  for (const char* key : {"OSRELEASE", "KERNELOFFSET", "", "\n", "NUMBER(phys_base)"}) {
    const auto value = info->Value(key);
    vmm::FuzzCheck(!value.has_value() || value->find('\n') == value->npos);
  }
  (void)info->Symbol("swapper_pg_dir");
  (void)info->Number("phys_base");
  (void)info->Offset("uts_namespace.name");
  (void)info->KernelOffset();
  return 0;
}
