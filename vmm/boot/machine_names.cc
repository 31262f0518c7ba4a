#include "vmm/boot/machine_names.h"

#include <elf.h>

#include <span>
#include <string_view>

#include "absl/strings/str_format.h"
#include "vmm/boot/abi/pe_abi.h"

namespace vmm {
namespace {

struct Row {
  uint16_t number;
  std::string_view name;
};

constexpr Row kElf[] = {
    {EM_SPARC, "sparc"},    {EM_386, "32-bit x86"}, {EM_68K, "m68k"},        {EM_MIPS, "mips"},
    {EM_PARISC, "parisc"},  {EM_PPC, "ppc"},        {EM_PPC64, "ppc64"},     {EM_S390, "s390"},
    {EM_ARM, "32-bit arm"}, {EM_SH, "sh"},          {EM_SPARCV9, "sparc64"}, {EM_IA_64, "ia64"},
    {EM_X86_64, "x86-64"},  {EM_XTENSA, "xtensa"},  {EM_AARCH64, "arm64"},   {EM_MICROBLAZE, "microblaze"},
    {EM_RISCV, "riscv"},    {258, "loongarch"},     {0x9026, "alpha"},       {EM_OPENRISC, "openrisc"},
};

// IMAGE_FILE_MACHINE_*
constexpr Row kPe[] = {
    {0x14c, "32-bit x86"},   {kPeMachineAmd64, "x86-64"}, {0xaa64, "arm64"},   {0x1c0, "32-bit arm"},
    {0x1c2, "32-bit arm"},   {0x1c4, "32-bit arm"},       {0x5032, "riscv32"}, {0x5064, "riscv64"},
    {0x6232, "loongarch32"}, {0x6264, "loongarch64"},     {0x200, "ia64"},
};

// IH_ARCH_* of U-Boot's include/image.h
constexpr Row kUboot[] = {
    {2, "32-bit arm"}, {3, "32-bit x86"}, {5, "mips"},   {6, "mips64"},  {7, "ppc"},
    {8, "s390"},       {12, "m68k"},      {22, "arm64"}, {24, "x86-64"}, {26, "riscv"},
};

std::string NameOf(std::span<const Row> rows, uint16_t number) {
  for (const Row& row : rows) {
    if (row.number == number) return std::string(row.name);
  }
  return absl::StrFormat("machine %#x", number);
}

}  // namespace

std::string ElfMachineName(uint16_t machine) { return NameOf(kElf, machine); }
std::string PeMachineName(uint16_t machine) { return NameOf(kPe, machine); }
std::string UbootMachineName(uint8_t arch) { return NameOf(kUboot, arch); }

}  // namespace vmm
