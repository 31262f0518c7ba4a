// The headers of a kernel's image, its relocations, and each codec alone: refused or read.
#include <vector>

#include "fuzz/input.h"
#include "vmm/boot/bzimage.h"
#include "vmm/boot/codecs.h"
#include "vmm/boot/elf_kernel.h"
#include "vmm/boot/relocations.h"

namespace vmm {
namespace {

constexpr size_t kOut = 64 << 10;

void ReadElf(std::span<const uint8_t> bytes, uint64_t shift) {
  const auto kernel = ParseElfKernel(bytes.first(std::min<size_t>(bytes.size(), kElfHeadSize)), bytes.size());
  if (!kernel.ok()) return;
  uint64_t end = 0;
  for (const ElfSegment& segment : kernel->segments) FuzzCheck(segment.offset + segment.filesz <= bytes.size());
  for (const ElfSegment& segment : kernel->segments) end = std::max(end, segment.paddr + segment.memsz);
  FuzzCheck(end <= kernel->extent.end().value);
  if (!HasRelocations(*kernel, bytes.size())) return;
  std::vector<uint8_t> file(bytes.begin(), bytes.end());
  (void)ApplyRelocations(file, *kernel, shift);
}

void ReadBzImage(std::span<const uint8_t> bytes) {
  const auto image = ParseBzImage(bytes.first(std::min<size_t>(bytes.size(), kBzImageHeadSize)), bytes.size());
  if (!image.ok()) return;
  FuzzCheck(image->protected_offset + image->protected_size <= bytes.size());
  FuzzCheck(image->payload_size == 0 || image->payload_offset + image->payload_size <= bytes.size());
}

}  // namespace
}  // namespace vmm

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vmm::FuzzInput input(data, size);
  const auto mode = input.Take<uint8_t>();
  if (mode % 4 == 0) {
    vmm::ReadBzImage(input.Rest());
  } else if (mode % 4 == 1) {
    const auto shift = input.Take<uint64_t>();
    vmm::ReadElf(input.Rest(), shift);
  } else {
    std::vector<uint8_t> out(vmm::kOut);
    const auto how = mode % 4 == 2 ? vmm::DecodeMode::kWhole : vmm::DecodeMode::kHead;
    const auto written = vmm::Decode(static_cast<vmm::Codec>(mode / 4 % 8), input.Rest(), out, how);
    vmm::FuzzCheck(!written.ok() || *written <= out.size());
  }
  return 0;
}
