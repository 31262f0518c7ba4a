// REP OUTS and REP INS: KVM passes many elements in one exit, and each one counts.
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/io.h"

static char line[5000];

// Prints `count` letters a, b, c, ... and a newline, in one instruction. The host counts them.
static void say(size_t count) {
  for (size_t i = 0; i < count; ++i) line[i] = 'a' + i % 26;
  line[count] = '\n';
  rep_outsb(PORT_DEBUG_CONSOLE, line, count + 1);
}

int main(void) {
  rep_outsb(PORT_DEBUG_CONSOLE, "nothing of this\n", 0);
  say(1);
  say(2);
  say(7);
  say(1023);
  say(1024);
  say(4097);

  const char* backwards = ".\nsdrawkcab";
  const char* from = backwards + 10;
  size_t count = 10;
  asm volatile("std; rep outsb; cld" : "+S"(from), "+c"(count) : "d"(PORT_DEBUG_CONSOLE) : "memory");
  report(count == 0 && from == backwards, "OUTS with DF set goes down");

  static uint8_t bytes[300];
  outb(PORT_SERIAL + 7, 0x5a);
  rep_insb(PORT_SERIAL + 7, bytes, 299);
  bool all = true;
  for (int i = 0; i < 299; ++i) all &= bytes[i] == 0x5a;
  report(all && bytes[299] == 0, "INSB fills 299 bytes and not the next one");

  static const uint16_t values[] = {0, 0x0120, 0, 0x0100};
  static uint16_t words[4];
  rep_outsw(PORT_PM1_ENABLE, values, 4);
  rep_insw(PORT_PM1_ENABLE, words, 3);
  report(words[0] == 0x0100 && words[2] == 0x0100 && words[3] == 0, "OUTSW: the last word stays; INSW: three of them");

  static uint32_t times[64];
  rep_insl(PORT_PM_TIMER, times, 63);
  bool ascending = times[62] != 0 && times[63] == 0;
  for (int i = 1; i < 63; ++i) ascending &= ((times[i] - times[i - 1]) & 0xffffff) < 0x800000;
  report(ascending, "INSL reads a running timer once for each element");
  return finish();
}
