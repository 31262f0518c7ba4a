// Code at CPL 3: it runs natively on every host, and may do port I/O. That is by the TSS's I/O bitmap and not by IOPL,
// which the software KVM forgets on its way to CPL 3.
#ifndef GUEST_TESTS_LIB_USER_H_
#define GUEST_TESTS_LIB_USER_H_

#include <stdint.h>

// Runs `function` at CPL 3 on the first CPU and hands back what it returned. Interrupts are on meanwhile.
// REQUIRES: called at CPL 0 on the first CPU, not from a handler. Takes the handler of #GP.
uint64_t run_at_cpl3(uint64_t (*function)(void));

#endif  // GUEST_TESTS_LIB_USER_H_
