// Instructions that C cannot express.
#ifndef GUEST_TESTS_LIB_CPU_H_
#define GUEST_TESTS_LIB_CPU_H_

#include <stdint.h>

#define KERNEL_CS 0x10
#define KERNEL_DS 0x18
#define USER_DS 0x23
#define USER_CS 0x2b

#define MSR_APIC_BASE 0x1b
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC 0x800
#define MSR_EFER 0xc0000080
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102

static inline uint64_t rdmsr(uint32_t msr) {
  uint32_t low, high;
  asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
  return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value) {
  asm volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

struct cpuid_leaf {
  uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid_leaf cpuid(uint32_t leaf, uint32_t subleaf) {
  struct cpuid_leaf r;
  asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
  return r;
}

static inline uint64_t rdtsc(void) {
  uint32_t low, high;
  asm volatile("rdtsc" : "=a"(low), "=d"(high));
  return (uint64_t)high << 32 | low;
}

#define CONTROL_REGISTER(name)                         \
  static inline uint64_t read_##name(void) {           \
    uint64_t value;                                    \
    asm volatile("mov %%" #name ", %0" : "=r"(value)); \
    return value;                                      \
  }                                                    \
  static inline void write_##name(uint64_t value) { asm volatile("mov %0, %%" #name ::"r"(value) : "memory"); }
CONTROL_REGISTER(cr0)
CONTROL_REGISTER(cr2)
CONTROL_REGISTER(cr3)
CONTROL_REGISTER(cr4)
#undef CONTROL_REGISTER

static inline uint64_t read_rflags(void) {
  uint64_t value;
  asm volatile("pushf; pop %0" : "=r"(value));
  return value;
}

#define SELECTOR(name)                                 \
  static inline uint16_t read_##name(void) {           \
    uint16_t value;                                    \
    asm volatile("mov %%" #name ", %0" : "=r"(value)); \
    return value;                                      \
  }
SELECTOR(cs)
SELECTOR(ss)
SELECTOR(ds)
SELECTOR(es)
#undef SELECTOR

struct __attribute__((packed)) table_register {  // operand of LGDT and LIDT
  uint16_t limit;
  uint64_t base;
};

static inline void cli(void) { asm volatile("cli" ::: "memory"); }
static inline void sti(void) { asm volatile("sti" ::: "memory"); }
static inline void pause(void) { asm volatile("pause" ::: "memory"); }

// Sleeps until the next interrupt, and takes none before it sleeps: STI holds interrupts back for one instruction.
static inline void sti_hlt_cli(void) { asm volatile("sti; hlt; cli" ::: "memory"); }

#endif  // GUEST_TESTS_LIB_CPU_H_
