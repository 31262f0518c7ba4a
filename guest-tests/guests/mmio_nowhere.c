// Physical addresses without a device: reads are all ones in every width, aligned or not; writes are ignored.
#include "guest-tests/lib/guest.h"

#define ALL_ONES(type) (*(volatile type*)at == (type)-1)

static void try_at(uintptr_t at, const char* where) {
  const bool reads = ALL_ONES(uint8_t) && ALL_ONES(uint16_t) && ALL_ONES(uint32_t) && ALL_ONES(uint64_t);
  *(volatile uint8_t*)at = 0;
  *(volatile uint16_t*)at = 0;
  *(volatile uint32_t*)at = 0;
  *(volatile uint64_t*)at = 0;
  const bool ignored = ALL_ONES(uint64_t);
  print("# at %lx\n", (uint64_t)at);
  report(reads && ignored, where);
}

int main(void) {
  try_at(0xc8000000, "in the hole below 4 GiB");
  try_at(0xc8000001, "one byte past an aligned address");
  try_at(0xc8000007, "across eight bytes");
  try_at(0xc8000ffd, "across a page");
  try_at(0xfed00000, "where other machines have an HPET");
  try_at(0x1c0000000, "above 4 GiB, behind all RAM");

  static uint8_t copy[64];
  memcpy(copy, (const void*)0xc8001000, 63);
  bool ones = true;
  for (int i = 0; i < 63; ++i) ones &= copy[i] == 0xff;
  report(ones && copy[63] == 0, "a string read out of nothing");
  memset((void*)0xc8001000, 0, 64);
  report(*(volatile uint8_t*)0xc8001000 == 0xff, "a string written into nothing");
  return finish();
}
