#include "dump/nested/testing/fixture.h"

#include <lzma.h>

#include <cstdlib>
#include <limits>

#include "dump/testing/repository_file.h"
#include "gtest/gtest.h"

namespace vmm {

std::vector<uint8_t> Fixture(std::string_view name) {
  const std::string bytes = RepositoryFile("dump/nested/testdata/" + std::string(name));
  return {bytes.begin(), bytes.end()};
}

std::unique_ptr<GuestMemory> FixtureMemory(std::string_view name) {
  constexpr size_t kSize = 4 << 20;
  const std::vector<uint8_t> packed = Fixture(name);
  std::vector<uint8_t> bytes(kSize);
  uint64_t limit = std::numeric_limits<uint64_t>::max();
  size_t in = 0;
  size_t out = 0;
  EXPECT_EQ(LZMA_OK, lzma_stream_buffer_decode(&limit, 0, nullptr, packed.data(), &in, packed.size(), bytes.data(),
                                               &out, bytes.size()));
  EXPECT_EQ(kSize, out);
  const GuestRange ranges[] = {{GuestAddr{0}, kSize}};
  auto memory = *GuestMemory::Create(ranges);
  EXPECT_TRUE(memory->Write(GuestAddr{0}, bytes).ok());
  return memory;
}

std::vector<std::string> Vmcs12BlobNames() {
  return {"vmx-plain-B-vmptrld.bin", "vmx-plain-C-pattern.bin", "vmx-plain-E-real.bin",
          "vmx-plain-F1-inL2.bin",   "vmx-plain-G-afterL2.bin", "vmx-plain-G-afterL2.2.bin"};
}

std::vector<std::string> BlobNames() {
  std::vector<std::string> names = Vmcs12BlobNames();
  for (const char* name : {"vmx-plain-0-fresh.bin", "vmx-plain-A-vmxon.bin", "vmx-plain-D-vmclear.bin",
                           "svm-0-fresh.bin", "svm-L1-1.bin", "svm-L1-2.bin", "svm-L1-3.bin", "svm-L2-49.bin"}) {
    names.emplace_back(name);
  }
  return names;
}

}  // namespace vmm
