#include "guest-tests/lib/l2.h"

#include "guest-tests/lib/guest.h"

#define PRESENT_WRITABLE 3u
#define LARGE 0x80u
#define PAGE 4096u

#define DEED_AT 0x6008u

typedef uint64_t table[512] __attribute__((aligned(4096)));
static table pml4, pdpt, directory, pages;

extern const uint8_t l2_code[], l2_code_end[];

static uint64_t frame(uint64_t l2_physical) {
  if (l2_physical == 0x5000) return L2_RAM + 0x6000;
  if (l2_physical == 0x6000) return L2_RAM + 0x5000;
  return L2_RAM + l2_physical;
}

static void* at(uint64_t l2_physical) {
  if (l2_physical >= 0x200000) return (void*)(L2_LARGE + (l2_physical - 0x200000));
  return (void*)(frame(l2_physical & ~(PAGE - 1ull)) + l2_physical % PAGE);
}

void make_l2(enum l2_deed deed) {
  memcpy(at(L2_ENTRY), l2_code, l2_code_end - l2_code);
  *(uint64_t*)at(0x6000) = L2_MARKER;
  *(uint64_t*)at(DEED_AT) = deed;
  *(uint64_t*)at(0x203000) = L2_LARGE_MARKER;
  *(uint64_t*)at(L2_CR3) = 0xa000 | PRESENT_WRITABLE;
  *(uint64_t*)at(0xa000) = 0xb000 | PRESENT_WRITABLE;
  *(uint64_t*)at(0xb000) = PRESENT_WRITABLE | LARGE;
  *(uint64_t*)at(0xb008) = 0x200000 | PRESENT_WRITABLE | LARGE;
}

uint64_t make_l2_tables(uint64_t table_bits, uint64_t leaf_bits) {
  pml4[0] = (uint64_t)pdpt | table_bits;
  pdpt[0] = (uint64_t)directory | table_bits;
  directory[0] = (uint64_t)pages | table_bits;
  directory[1] = L2_LARGE | leaf_bits | LARGE;
  for (unsigned i = 0; i < 512; ++i) pages[i] = frame(i * PAGE) | leaf_bits;
  return (uint64_t)pml4;
}
