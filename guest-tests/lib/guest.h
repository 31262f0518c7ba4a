// The basis of every guest: output, a way to end, and the machine it got.
//
// A guest is one C file with a main(). It runs at CPL 0 in 64-bit mode with interrupts off and all of the first 8 GiB
// mapped one to one. It has no C library: these headers declare everything there is. main() returns the guest's exit
// status, usually `return finish();`.
//
// A guest must work on every host. If KVM emulates (no VMX, no SVM), code at CPL 0 runs only one or two million
// instructions a second: code that must be fast goes to CPL 3, user.h.
#ifndef GUEST_TESTS_LIB_GUEST_H_
#define GUEST_TESTS_LIB_GUEST_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The machine's ports, see docs/abi.
#define PORT_SERIAL 0x3f8
#define PORT_DEBUG_CONSOLE 0xe9
#define PORT_DEBUG_EXIT 0xf4
#define PORT_WATCHDOG_STOP 0x441
#define PORT_WATCHDOG_START 0x443
#define PORT_PVPANIC 0x505
#define PORT_PM1_STATUS 0x600
#define PORT_PM1_ENABLE 0x602
#define PORT_PM1_CONTROL 0x604
#define PORT_PM_TIMER 0x608
#define PORT_RESET 0xcf9
#define PORT_NOBODY 0x1234  // no device answers here

// Prints to the debug console or, on a machine without one, to the serial port. print() knows %s %d %u %x (32 bits),
// %lu %lx (64 bits), %c and %%.
void print(const char* format, ...) __attribute__((format(printf, 1, 2)));

// Prints to the serial port, by polling.
void serial_print(const char* text);

// Prints one line of TAP: "ok 1 - what" or "not ok 1 - what".
void report(bool ok, const char* what);

// Prints the plan line "1..N". Returns the exit status: 0 if every report was ok, else 1.
int finish(void);

// Ends the VM through the debug-exit port.
void exit_with(uint32_t status) __attribute__((noreturn));

// Returns the value of `name=value` on the command line, up to the next space. The copy is valid until the next call.
// NULL if it is not there.
const char* option(const char* name);
uint64_t option_number(const char* name, uint64_t otherwise);  // decimal, or hexadecimal with 0x; `otherwise` if it is
                                                               // not there

// Returns Linux's zero page as the loader left it (Documentation/arch/x86/zero-page.rst).
const uint8_t* boot_params(void);
const char* command_line(void);

struct __attribute__((packed)) e820_entry {
  uint64_t addr, size;
  uint32_t type;  // 1: usable RAM
};
const struct e820_entry* e820_table(unsigned* count);

bool equal(const char* a, const char* b);
void* memcpy(void* to, const void* from, size_t count);
void* memset(void* to, int value, size_t count);
int memcmp(const void* a, const void* b, size_t count);

#endif  // GUEST_TESTS_LIB_GUEST_H_
