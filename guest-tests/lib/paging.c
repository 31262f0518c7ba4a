#include "guest-tests/lib/paging.h"

#include "guest-tests/lib/cpu.h"

#define GIB_COUNT (MAPPED_BYTES >> 30)
#define PRESENT_WRITE_USER 0x7
#define LARGE_PAGE 0x80
#define CR4_LA57 (1 << 12)

typedef uint64_t table[512] __attribute__((aligned(4096)));
static table pml5, pml4, pdpt, directories[GIB_COUNT];

void map_identity(void) {
  uint64_t* entry = directories[0];
  for (uint64_t address = 0; address < MAPPED_BYTES; address += 2 << 20) {
    *entry++ = address | LARGE_PAGE | PRESENT_WRITE_USER;
  }
  for (unsigned gib = 0; gib < GIB_COUNT; ++gib) pdpt[gib] = (uint64_t)directories[gib] | PRESENT_WRITE_USER;
  pml4[0] = (uint64_t)pdpt | PRESENT_WRITE_USER;
  pml5[0] = (uint64_t)pml4 | PRESENT_WRITE_USER;
  write_cr3((uint64_t)(read_cr4() & CR4_LA57 ? pml5 : pml4));
}
