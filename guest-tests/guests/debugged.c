// Work for a debugger: a function that is called with 1, 2, ... `rounds=`, on the first CPU, while the others count.
// At the end the guest checks that its own code is as it was before start_cpus(), and that no CPU was left standing.
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/interrupts.h"
#include "guest-tests/lib/smp.h"

#define TEXT_BYTES 16

static volatile uint64_t counted[MAX_CPUS];
volatile uint64_t last_round;

__attribute__((noinline)) void one_round(uint64_t round) { last_round = round; }

static void count(unsigned cpu) {
  for (;;) {
    ++counted[cpu];
    __builtin_ia32_pause();
  }
}

static uint64_t sum_of_code(void) {
  const volatile uint8_t* const code = (const volatile uint8_t*)one_round;
  uint64_t sum = 0;
  for (unsigned i = 0; i < TEXT_BYTES; ++i) sum = sum * 31 + code[i];
  return sum;
}

int main(void) {
  const uint64_t before = sum_of_code();
  const uint64_t rounds = option_number("rounds", 3);
  const unsigned cpus = start_cpus(count);
  for (uint64_t round = 1; round <= rounds; ++round) one_round(round);
  report(last_round == rounds, "every round was made");
  report(sum_of_code() == before, "the code is as it was");
  for (unsigned cpu = 1; cpu < cpus; ++cpu) {
    const uint64_t now = counted[cpu];
    while (counted[cpu] == now) __builtin_ia32_pause();
  }
  report(true, "every other CPU still counts");
  return finish();
}
