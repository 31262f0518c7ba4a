// Program headers as linkers really write them, from `readelf -lW`.
#include "vmm/boot/user_program.h"

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using testing::HasSubstr;
using Phdrs = std::vector<Elf64_Phdr>;

constexpr uint64_t kKernelMap = 0xffffffff80000000;

Elf64_Phdr Load(uint64_t offset, uint64_t vaddr, uint64_t paddr, uint64_t size) {
  return {.p_type = PT_LOAD, .p_offset = offset, .p_vaddr = vaddr, .p_paddr = paddr, .p_filesz = size, .p_memsz = size};
}
Elf64_Phdr Load(uint64_t offset, uint64_t addr, uint64_t size) { return Load(offset, addr, addr, size); }
Elf64_Phdr Other(uint32_t type) { return {.p_type = type, .p_offset = 0x270, .p_vaddr = 0x400270, .p_filesz = 0x20}; }

std::string Sign(const Phdrs& phdrs, uint8_t osabi = ELFOSABI_NONE) {
  Elf64_Ehdr ehdr = {};
  ehdr.e_ident[EI_OSABI] = osabi;
  return SignOfUserProgram(ehdr, phdrs).value_or("a kernel");
}

TEST(UserProgramTest, AStaticProgramIsSeenByWhatItsCLibraryNeeds) {
  // glibc: gcc -static, busybox
  const Phdrs text{Load(0x1000, 0x401000, 0x183989)};
  const std::vector<std::pair<uint32_t, std::string>> headers{
      {PT_TLS, "PT_TLS"}, {PT_GNU_RELRO, "PT_GNU_RELRO"}, {0x6474e553, "PT_GNU_PROPERTY"}};
  for (const auto& [type, name] : headers) {
    Phdrs phdrs = text;
    phdrs.push_back(Other(type));
    EXPECT_THAT(Sign(phdrs), HasSubstr(name));
  }
  EXPECT_THAT(Sign(text, ELFOSABI_GNU), HasSubstr("ELFOSABI_GNU"));
}

TEST(UserProgramTest, AStaticProgramWithoutALibraryIsSeenByItsHeadersInMemory) {
  // Go 1.19: PHDR, NOTE, three PT_LOADs. Rust and musl look the same.
  EXPECT_THAT(Sign({Other(PT_PHDR), Other(PT_NOTE), Load(0, 0x400000, 0x80000), Load(0x80000, 0x480000, 0x9000)}),
              HasSubstr("headers lie in the page of its PT_LOAD at 0x400000"));
  EXPECT_THAT(Sign({Load(0, 0x400000, 0x10c), Load(0x1000, 0x401000, 9)}), HasSubstr("0x400000")) << "ld";
  EXPECT_THAT(Sign({Load(0x78, 0x400078, 9)}), HasSubstr("0x400078")) << "ld -N";
}

TEST(UserProgramTest, ADynamicProgramAndALibraryAreSeen) {
  EXPECT_THAT(Sign({Other(PT_INTERP), Load(0x1000, 0x401000, 0x100)}), HasSubstr("PT_INTERP"));
  EXPECT_THAT(Sign({Load(0x1000, 0x1000, 0x100), Other(PT_DYNAMIC)}), HasSubstr("PT_DYNAMIC"));
}

TEST(UserProgramTest, AKernelIsNone) {
  // Linux 6.1's vmlinux, with the per-CPU area in its third PT_LOAD
  EXPECT_EQ(Sign({Load(0x200000, kKernelMap + 0x1000000, 0x1000000, 0x17e9000),
                  Load(0x1a00000, kKernelMap + 0x2800000, 0x2800000, 0x5b3000), Load(0x2000000, 0, 0x2db3000, 0x2f000),
                  Load(0x20e2000, kKernelMap + 0x2de2000, 0x2de2000, 0x21e000), Other(PT_NOTE)}),
            "a kernel");
  // FreeBSD's kernel. It names an interpreter that does not exist.
  EXPECT_EQ(Sign({Other(PT_INTERP), Other(PT_DYNAMIC), Load(0, kKernelMap + 0x200000, 0x200000, 0x1000)}), "a kernel");
  // A small kernel with its own linker script, at 1 MiB or elsewhere.
  EXPECT_EQ(Sign({Load(0x1000, 0x100000, 0x5000), Load(0x6000, 0x105000, 0x1000)}), "a kernel");
  EXPECT_EQ(Sign({Load(0x1000, 0x10000000, 0x5000), Other(PT_GNU_STACK)}), "a kernel");
}

}  // namespace
}  // namespace vmm
