// The basis of a 32-bit multiboot guest. It follows kvm-unit-tests' conventions: it prints to the serial port, and ends
// by a 32-bit OUT of its status to port 0xf4.
#ifndef GUEST_TESTS_MULTIBOOT_GUEST_H_
#define GUEST_TESTS_MULTIBOOT_GUEST_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline void outb(uint16_t port, uint8_t value) { asm volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static inline void outw(uint16_t port, uint16_t value) { asm volatile("outw %0, %1" : : "a"(value), "Nd"(port)); }
static inline void outl(uint16_t port, uint32_t value) { asm volatile("outl %0, %1" : : "a"(value), "Nd"(port)); }
static inline uint8_t inb(uint16_t port) {
  uint8_t value;
  asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
static inline uint16_t inw(uint16_t port) {
  uint16_t value;
  asm volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}
static inline uint32_t inl(uint16_t port) {
  uint32_t value;
  asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

// struct multiboot_info and its parts, by the names of the Multiboot Specification, section 3.3.
struct multiboot_info {
  uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4], mmap_length, mmap_addr;
};
struct multiboot_module {
  uint32_t mod_start, mod_end, string, reserved;
};
struct __attribute__((packed)) multiboot_mmap {
  uint32_t size;
  uint64_t base_addr, length;
  uint32_t type;
};

// Each guest's own. Returns its status.
uint32_t run(const struct multiboot_info* info);

// Prints a text, or a number as 0x and hexadecimal digits, to the serial port.
void print(const char* text);
void print_number(uint64_t number);

// Prints "ok - what" or "not ok - what".
void report(bool ok, const char* what);

// 0 if every report was ok, else 1.
uint32_t finish(void);

// Reads an item of fw_cfg.
uint64_t fw_cfg(uint16_t key, unsigned bytes);

#endif  // GUEST_TESTS_MULTIBOOT_GUEST_H_
