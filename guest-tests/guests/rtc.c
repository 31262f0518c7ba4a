// The CMOS clock can be read, and its time is in this century.
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/io.h"

static uint8_t cmos(uint8_t reg) {
  outb(0x70, reg);
  return inb(0x71);
}

static unsigned from_bcd(uint8_t value, uint8_t status_b) {
  return status_b & 0x04 ? value : (value >> 4) * 10u + (value & 0xf);
}

int main(void) {
  for (int i = 0; i < 100000 && cmos(10) & 0x80; ++i) continue;  // waits while an update is in progress
  const uint8_t status_b = cmos(11);
  unsigned second, minute, hour, day, month, year;
  do {
    second = from_bcd(cmos(0), status_b);
    minute = from_bcd(cmos(2), status_b);
    hour = from_bcd(cmos(4), status_b);
    day = from_bcd(cmos(7), status_b);
    month = from_bcd(cmos(8), status_b);
    year = from_bcd(cmos(9), status_b);
  } while (from_bcd(cmos(0), status_b) != second);  // reads again if the clock advanced meanwhile
  print("rtc %u-%u-%u %u:%u:%u\n", 2000 + year, month, day, hour, minute, second);
  report((cmos(10) & 0x80) == 0, "no update is in progress for ever");
  report(status_b & 0x02, "24 hours");
  report(cmos(13) & 0x80, "the battery is good");
  report(second < 60 && minute < 60 && hour < 24, "a time of day");
  report(day >= 1 && day <= 31 && month >= 1 && month <= 12, "a date");
  return finish();
}
