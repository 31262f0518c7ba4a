// A kdump-compressed file, plain or flattened: refused, or read as far as it goes. Also its pages' compression alone.
#include <memory>
#include <vector>

#include "base/guest_addr.h"
#include "dump/file/byte_source.h"
#include "dump/kdump/kdump_file.h"
#include "dump/kdump/page_codec.h"
#include "fuzz/input.h"

namespace vmm {
namespace {

void ReadAll(const KdumpFile& file) {
  std::vector<uint8_t> some(5000);
  (void)file.excluded_pages();
  (void)file.DataExtents();
  const std::vector<GuestRange> ranges = file.Ranges();
  for (size_t i = 0; i < std::min<size_t>(ranges.size(), 4); ++i) {
    for (const uint64_t at : {uint64_t{0}, uint64_t{0x2100}, ranges[i].size - 1}) {
      const uint64_t size = std::min<uint64_t>(some.size(), ranges[i].size - std::min(at, ranges[i].size));
      (void)file.Read(GuestAddr{ranges[i].start.value + at}, std::span(some).first(size));
    }
  }
}

}  // namespace
}  // namespace vmm

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vmm::FuzzInput input(data, size);
  const auto mode = input.Take<uint8_t>();
  if (mode % 4 == 3) {
    static vmm::PageDecompressor decompressor;
    std::vector<uint8_t> page(vmm::kPageSize);
    (void)decompressor.Decompress(uint32_t{1} << (mode / 4 % 8), input.Rest(), page);
    return 0;
  }
  const auto file = vmm::KdumpFile::Open(vmm::MakeStringSource(std::string(input.Text())));
  if (file.ok()) vmm::ReadAll(**file);
  return 0;
}
