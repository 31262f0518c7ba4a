// Page tables of our own: every address is its own physical one, and CPL 3 may use them all.
#ifndef GUEST_TESTS_LIB_PAGING_H_
#define GUEST_TESTS_LIB_PAGING_H_

#include <stdint.h>

#define MAPPED_BYTES (8ull << 30)  // what lies above faults

// Takes the place of the loader's tables on this CPU: 8 GiB in 2 MiB pages, read, write, execute, user.
// The other CPUs are started with these.
void map_identity(void);

#endif  // GUEST_TESTS_LIB_PAGING_H_
