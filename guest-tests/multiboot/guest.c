#include "guest-tests/multiboot/guest.h"

static bool failed;

void print(const char* text) {
  for (; *text; ++text) {
    while ((inb(0x3f8 + 5) & 0x20) == 0) {
    }
    outb(0x3f8, *text);
  }
}

void print_number(uint64_t number) {
  char text[19] = "0x";
  char* at = text + 2;
  for (int shift = 60; shift >= 0; shift -= 4) {
    const unsigned digit = number >> shift & 15;
    if (digit != 0 || at != text + 2 || shift == 0) *at++ = "0123456789abcdef"[digit];
  }
  *at = 0;
  print(text);
}

void report(bool ok, const char* what) {
  if (!ok) failed = true;
  print(ok ? "ok - " : "not ok - ");
  print(what);
  print("\n");
}

uint32_t finish(void) { return failed ? 1 : 0; }

uint64_t fw_cfg(uint16_t key, unsigned bytes) {
  uint64_t value = 0;
  outw(0x510, key);
  for (unsigned i = 0; i < bytes; ++i) value |= (uint64_t)inb(0x511) << (8 * i);
  return value;
}

// Called by start.S.
void guest_main(uint32_t magic, const struct multiboot_info* info) {
  report(magic == 0x2badb002, "EAX has the loader's magic number");
  outl(0xf4, run(info));
}
