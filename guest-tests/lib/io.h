// Port I/O as instructions: IN, OUT and their REP forms, in all three widths.
#ifndef GUEST_TESTS_LIB_IO_H_
#define GUEST_TESTS_LIB_IO_H_

#include <stddef.h>
#include <stdint.h>

// outb(port, value), inb(port), rep_outsb(port, from, count), rep_insb(port, to, count); likewise with w and l.
#define PORT_IO(suffix, type, reg)                                                     \
  static inline void out##suffix(uint16_t port, type value) {                          \
    asm volatile("out" #suffix " %" reg "0, %1" ::"a"(value), "Nd"(port) : "memory");  \
  }                                                                                    \
  static inline type in##suffix(uint16_t port) {                                       \
    type value;                                                                        \
    asm volatile("in" #suffix " %1, %" reg "0" : "=a"(value) : "Nd"(port) : "memory"); \
    return value;                                                                      \
  }                                                                                    \
  static inline void rep_outs##suffix(uint16_t port, const void* from, size_t count) { \
    asm volatile("rep outs" #suffix : "+S"(from), "+c"(count) : "d"(port) : "memory"); \
  }                                                                                    \
  static inline void rep_ins##suffix(uint16_t port, void* to, size_t count) {          \
    asm volatile("rep ins" #suffix : "+D"(to), "+c"(count) : "d"(port) : "memory");    \
  }
PORT_IO(b, uint8_t, "b")
PORT_IO(w, uint16_t, "w")
PORT_IO(l, uint32_t, "k")
#undef PORT_IO

#endif  // GUEST_TESTS_LIB_IO_H_
