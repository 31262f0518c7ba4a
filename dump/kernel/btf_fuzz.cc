// Type information of a kernel: refused or read.
#include <vector>

#include "dump/kernel/btf.h"
#include "fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto btf = vmm::Btf::Parse(std::vector<uint8_t>(data, data + size));
  if (!btf.ok()) return 0;
  (void)btf->SizeOf("outer");
  for (const char* path : {"first", "in.second", "many", "nothing"}) {
    const auto field = btf->FindField("outer", path);
    vmm::FuzzCheck(!field.has_value() || field->element_size <= field->size || field->size == 0);
  }
  return 0;
}
