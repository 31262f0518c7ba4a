// Panics with registers that say their own names, at CPL 0 or with `cpl=3` at CPL 3. The host looks for them in the
// vmcore.
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/user.h"

// An OUT. Every general register but RDX (the port) and RAX (the value) says "I am ..."; those two say it in their
// remaining bytes. RIP is at behind_out after the OUT.
extern const uint8_t behind_out[];
static __attribute__((noreturn)) uint64_t panic(void) {
  asm volatile(
      "mov %0, %%rbx\n"
      "mov 0(%%rbx), %%rcx\n"
      "mov 8(%%rbx), %%rsi\n"
      "mov 16(%%rbx), %%rdi\n"
      "mov 24(%%rbx), %%rbp\n"
      "mov 32(%%rbx), %%rsp\n"
      "mov 40(%%rbx), %%r8\n"
      "mov 48(%%rbx), %%r9\n"
      "mov 56(%%rbx), %%r10\n"
      "mov 64(%%rbx), %%r11\n"
      "mov 72(%%rbx), %%r12\n"
      "mov 80(%%rbx), %%r13\n"
      "mov 88(%%rbx), %%r14\n"
      "mov 96(%%rbx), %%r15\n"
      "mov 104(%%rbx), %%rax\n"
      "mov 112(%%rbx), %%rdx\n"
      "mov 120(%%rbx), %%rbx\n"
      "mov $1, %%al\n"
      "mov $0x505, %%dx\n"
      "out %%al, %%dx\n"
      ".globl behind_out\n"
      "behind_out:\n"
      "1: jmp 1b\n" ::"r"("I am rcx"
                          "I am rsi"
                          "I am rdi"
                          "I am rbp"
                          "I am rsp"
                          "I am r8!"
                          "I am r9!"
                          "I am r10"
                          "I am r11"
                          "I am r12"
                          "I am r13"
                          "I am r14"
                          "I am r15"
                          "I am rax"
                          "I am rdx"
                          "I am rbx"));
  __builtin_unreachable();
}

static uint64_t spell(const char* word) {  // five letters: with more it would not be a canonical address
  uint64_t value = 0;
  memcpy(&value, word, 5);
  return value;
}

int main(void) {
  wrmsr(MSR_FS_BASE, spell("fsbas"));
  wrmsr(MSR_GS_BASE, spell("gsbas"));
  wrmsr(MSR_KERNEL_GS_BASE, spell("kgsba"));
  write_cr2(spell("cr2cr"));
  if (option_number("cpl", 0) == 3) run_at_cpl3(panic);
  panic();
}
