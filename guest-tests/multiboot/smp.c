// All other CPUs start by one INIT and one SIPI to everybody else, with code at address 0.
#include "guest-tests/multiboot/guest.h"

extern const uint8_t ap_code[], ap_code_end[];

uint32_t run(const struct multiboot_info* info) {
  (void)info;
  volatile uint32_t* const apic = (volatile uint32_t*)0xfee00000;
  volatile uint8_t* low = (volatile uint8_t*)0;
  asm volatile("" : "+r"(low));  // address 0 is a good one here
  const uint32_t size = ap_code_end - ap_code;
  for (uint32_t i = 0; i < size; ++i) low[i] = ap_code[i];
  volatile uint32_t* const count = (volatile uint32_t*)(low + size - 4);

  const uint32_t others = fw_cfg(0x05, 2) - 1;
  apic[0xf0 / 4] = 0x1ff;                        // spurious vector register: APIC on
  apic[0x300 / 4] = 3 << 18 | 1 << 14 | 5 << 8;  // all but self, assert, INIT
  apic[0x300 / 4] = 3 << 18 | 6 << 8;            // all but self, SIPI, vector 0
  for (uint32_t i = 0; i < 3000000 && *count != others; ++i) asm volatile("pause");
  report(*count == others, "every CPU of NB_CPUS has started");
  return finish();
}
