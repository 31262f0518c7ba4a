// The edges of RAM: the last byte exists, the first byte after it reads as ones, and RAM above 4 GiB works.
#include "guest-tests/lib/guest.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)

static bool is_ram(uint64_t address) {
  volatile uint8_t* byte = (volatile uint8_t*)address;
  const uint8_t before = *byte;
  *byte = 0x5a;
  const bool held = *byte == 0x5a;
  *byte = 0xa5;
  const bool held_too = *byte == 0xa5;
  *byte = before;
  return held && held_too;
}

static bool is_nothing(uint64_t address) {
  volatile uint8_t* byte = (volatile uint8_t*)address;
  *byte = 0;
  return *byte == 0xff;
}

int main(void) {
  const uint64_t memory = option_number("memory", 64) * MIB;
  const uint64_t below = memory < 3 * GIB ? memory : 3 * GIB;
  report(is_ram(0x9fbff), "the last usable byte of low RAM");
  report(is_ram(below - 1), "the last byte of RAM below the hole");
  report(is_nothing(below), "the byte behind it is not there");
  volatile uint32_t* across = (volatile uint32_t*)(below - 2);
  *across = 0x11223344;
  report(*(volatile uint16_t*)(below - 2) == 0x3344 && *across == 0xffff3344, "a double word across the edge");

  if (memory > 3 * GIB) {
    const uint64_t top = 4 * GIB + memory - 3 * GIB;
    report(is_nothing(4 * GIB - 0x100000 - 1), "the last byte of the hole that is nobody's");
    report(is_ram(4 * GIB), "the first byte at 4 GiB");
    report(is_ram(top - 1), "the last byte of all");
    report(is_nothing(top), "the byte behind that is not there");
    bool zero = true;
    for (uint64_t at = 4 * GIB; at < top; at += 64 * MIB) zero &= *(volatile uint64_t*)(at + 8) == 0;
    report(zero, "RAM that was never written is zero");
    bool distinct = true;
    for (uint64_t at = 4 * GIB; at < top; at += 128 * MIB) *(volatile uint64_t*)(at + 16) = at;
    for (uint64_t at = 4 * GIB; at < top; at += 128 * MIB) distinct &= *(volatile uint64_t*)(at + 16) == at;
    report(distinct, "no two addresses are the same byte");
  }
  return finish();
}
