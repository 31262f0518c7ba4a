// Code at CPL 3: it runs natively on every host, and may do port I/O. The TSS's I/O bitmap allows that, not IOPL,
// because software KVM forgets IOPL on the way to CPL 3.
#ifndef GUEST_TESTS_LIB_USER_H_
#define GUEST_TESTS_LIB_USER_H_

#include <stdint.h>

// Runs `function` at CPL 3 on the first CPU and returns its result. Interrupts are on meanwhile.
// REQUIRES: called at CPL 0 on the first CPU, not from a handler. Replaces the handler of #GP.
uint64_t run_at_cpl3(uint64_t (*function)(void));

#endif  // GUEST_TESTS_LIB_USER_H_
