// The other CPUs.
#ifndef GUEST_TESTS_LIB_SMP_H_
#define GUEST_TESTS_LIB_SMP_H_

#include <stdint.h>

// Starts every other CPU of the MADT, one after the other, by INIT and SIPI. Each loads its tables, enables its LAPIC
// and calls `function` with its number (1, 2, ...: its place in the MADT). If that returns, the CPU sleeps for good.
// Returns how many CPUs run, including the first. Waits forever for a CPU that does not come.
unsigned start_cpus(void (*function)(unsigned cpu));

#endif  // GUEST_TESTS_LIB_SMP_H_
