// Two CPUs count for as long as nobody types a key. Each writes its count to the next of its pages, over and over, so a
// page that is of another moment than the rest, or that lost a write, shows in the guest and in a dump of it.
//
//   after count n, page i of a CPU holds the largest m <= n with m % PAGES == i; 0 before its first count
//   echo <= areas[0]'s count: CPU 1 copies it there, on a page of its own
//
// `touch=N` writes to each page of N MiB of RAM first, so that there is more to dump.
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/io.h"
#include "guest-tests/lib/smp.h"
#include "guest-tests/lib/user.h"

#define PAGES 64
#define WORDS 512  // of 8 bytes in a page
#define PATTERN_PAGES 256

volatile uint64_t areas[2][PAGES][WORDS] __attribute__((aligned(4096)));
volatile uint64_t counts[2][WORDS] __attribute__((aligned(4096)));
volatile uint64_t echo[WORDS] __attribute__((aligned(4096)));
volatile uint64_t pattern[PATTERN_PAGES][WORDS] __attribute__((aligned(4096)));

static volatile bool stop, stopped;
static volatile uint64_t lost[2];

static uint64_t expected(uint64_t count, uint64_t page) {
  const uint64_t back = (count + PAGES - page) % PAGES;
  return count >= back ? count - back : 0;
}

static uint64_t count_on(unsigned cpu, uint64_t from, uint64_t rounds) {
  for (uint64_t n = from + 1; n <= from + rounds; ++n) {
    volatile uint64_t* page = areas[cpu][n % PAGES];
    if (*page != (n > PAGES ? n - PAGES : 0)) ++lost[cpu];
    *page = n;
    counts[cpu][0] = n;
  }
  return from + rounds;
}

static void other_cpu(unsigned cpu) {
  uint64_t n = 0;
  do {
    n = count_on(1, n, 16);
    echo[0] = counts[0][0];
  } while (!stop);
  stopped = true;
  (void)cpu;
}

static uint64_t count_until_a_key(void) {
  uint64_t n = 0;
  do {
    n = count_on(0, n, 100000);
  } while ((inb(PORT_SERIAL + 5) & 1) == 0);
  return n;
}

static bool is_whole(unsigned cpu) {
  for (uint64_t page = 0; page < PAGES; ++page) {
    if (areas[cpu][page][0] != expected(counts[cpu][0], page)) return false;
  }
  return true;
}

#define FREE_RAM 0x2000000ull  // nothing of this program is there

int main(void) {
  const uint64_t bytes = option_number("touch", 0) << 20;
  for (uint64_t at = 0; at < bytes; at += 4096) *(volatile uint64_t*)(FREE_RAM + at) = at + 1;
  for (uint64_t page = 0; page < PATTERN_PAGES; ++page) pattern[page][page] = page * 0x9e3779b97f4a7c15;
  outb(PORT_SERIAL + 4, 3);  // ready for a key: DTR and RTS
  const unsigned cpus = start_cpus(other_cpu);
  print("# counting\n");
  const uint64_t n = run_at_cpl3(count_until_a_key);
  stop = true;
  while (cpus > 1 && !stopped) continue;
  report(cpus == 2, "two CPUs");
  report(n > 0 && counts[0][0] == n, "the first CPU counted");
  report(cpus < 2 || counts[1][0] > 0, "and the other");
  report(lost[0] == 0 && lost[1] == 0, "no write was lost");
  report(is_whole(0) && is_whole(1), "each page has its last count");
  report(echo[0] <= n, "nothing came before its cause");
  bool same = true;
  for (uint64_t page = 0; page < PATTERN_PAGES; ++page) same &= pattern[page][page] == page * 0x9e3779b97f4a7c15;
  report(same, "what was not written did not change");
  return finish();
}
