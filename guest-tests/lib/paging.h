// Page tables of our own: every virtual address equals its physical one, and CPL 3 may use them all.
#ifndef GUEST_TESTS_LIB_PAGING_H_
#define GUEST_TESTS_LIB_PAGING_H_

#include <stdint.h>

#define MAPPED_BYTES (8ull << 30)  // addresses above fault

// Replaces the loader's tables on this CPU: 8 GiB in 2 MiB pages, read, write, execute, user. The other CPUs start with
// these tables.
void map_identity(void);

#endif  // GUEST_TESTS_LIB_PAGING_H_
