// Ports without a device: reads are all ones in every width; writes are ignored.
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/io.h"

int main(void) {
  // 0xcf8 and 0x502: their double words reach into the reset and pvpanic ports, and must not trigger those.
  static const uint16_t ports[] = {PORT_NOBODY, 0x80, 0x2f8, 0xcf8, 0xcfc, 0x502, 0xfffc, 0x8000};
  bool bytes = true, words = true, doubles = true;
  for (unsigned i = 0; i < sizeof(ports) / sizeof(*ports); ++i) {
    outl(ports[i], 0x01010101);
    bytes &= inb(ports[i]) == 0xff;
    words &= inw(ports[i]) == 0xffff;
    doubles &= inl(ports[i]) == 0xffffffff;
  }
  report(bytes, "bytes are 0xff");
  report(words, "words are 0xffff");
  report(doubles, "double words are 0xffffffff");
  report(inb(0xffff) == 0xff, "the last port of all can be read");

  static uint8_t many[100];
  rep_insb(PORT_NOBODY, many, 99);
  bool ones = true;
  for (int i = 0; i < 99; ++i) ones &= many[i] == 0xff;
  report(ones && many[99] == 0, "so are the elements of a string read");

  rep_outsb(PORT_NOBODY, many, 100);
  report(true, "a string written is ignored");
  return finish();
}
