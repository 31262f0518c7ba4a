// Writes every field of a VMCS with VMWRITE, each with a value that identifies the field, and panics: a nested-state
// note must then hold these values. With n = 1 + 128 x width + 32 x type + index of the encoding: 64-bit fields get
// 0x77660000 | n in one VMWRITE and 0x12340000 | n in another, of the upper half; 32-bit fields get 0x5a5a0000 | n,
// 16-bit fields 0xc000 | n, natural-width fields 0x5a5a5a5a00000000 | n << 40 | 0x77660000 | n.
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/io.h"
#include "guest-tests/lib/vmx.h"

enum { WIDTH_16, WIDTH_64, WIDTH_32, WIDTH_NATURAL };

#define VM_INSTRUCTION_ERROR 0x4400u
#define IS_ACCESS_RIGHTS(field) ((field) >= 0x4814 && (field) <= 0x4822)
#define ACCESS_RIGHTS 0x1f0ffu  // the bits that exist

static physical_page vmcs;

static uint32_t number(uint32_t field) {
  return 1 + 128 * (field >> 13 & 3) + 32 * (field >> 10 & 3) + (field >> 1 & 31);
}

static uint64_t pattern(uint32_t field) {
  const uint64_t n = number(field);
  switch (field >> 13 & 3) {
    case WIDTH_16: return 0xc000 | n;
    case WIDTH_64: return 0x77660000 | n;
    case WIDTH_32: return 0x5a5a0000 | n;
    default: return 0x5a5a5a5a00000000 | n << 40 | 0x77660000 | n;
  }
}

static bool write(uint32_t field) {
  if (vmwrite(field, pattern(field)) != VMX_SUCCEED) return false;
  if ((field >> 13 & 3) == WIDTH_64) return vmwrite(field | 1, 0x12340000 | number(field)) == VMX_SUCCEED;
  return true;
}

static bool reads_back(uint32_t field) {
  uint64_t value = 0, expected = pattern(field);
  if ((field >> 13 & 3) == WIDTH_64) expected |= (uint64_t)(0x12340000 | number(field)) << 32;
  if (IS_ACCESS_RIGHTS(field)) expected &= ACCESS_RIGHTS;
  return vmread(field, &value) == VMX_SUCCEED && value == expected;
}

int main(void) {
  if (!has_vmx()) return 77;
  report(enter_vmx_operation(), "VMXON");
  make_vmcs(vmcs);
  report(vmclear(vmcs) == VMX_SUCCEED, "VMCLEAR");
  report(vmptrld(vmcs) == VMX_SUCCEED, "VMPTRLD");
  unsigned taken = 0, wrong = 0;
  for (uint32_t group = 0; group < 16; ++group) {  // width and type
    for (uint32_t index = 0; index < 32; ++index) taken += write((group >> 2) << 13 | (group & 3) << 10 | index << 1);
  }
  write(VM_INSTRUCTION_ERROR);  // again: each nonexistent field has left its error here
  for (uint32_t group = 0; group < 16; ++group) {
    for (uint32_t index = 0; index < 32; ++index) {
      const uint32_t field = (group >> 2) << 13 | (group & 3) << 10 | index << 1;
      uint64_t value = 0;
      if (field == VM_INSTRUCTION_ERROR || vmread(field, &value) != VMX_SUCCEED) continue;
      if (!reads_back(field)) {
        print("# field %x reads back as %lx\n", field, value);
        ++wrong;
      }
    }
  }
  write(VM_INSTRUCTION_ERROR);
  report(wrong == 0, "each field reads back as it was written");
  print("# %u fields\n", taken);
  finish();
  outb(PORT_PVPANIC, 1);
  for (;;) asm volatile("cli; hlt");
}
