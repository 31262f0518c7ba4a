// Exceptions at CPL 0 reach their handlers, with the right error code and address.
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/interrupts.h"
#include "guest-tests/lib/paging.h"

static struct interrupt_frame fault;
static uint64_t fault_address;
static uint8_t instruction_bytes;

static void skip(struct interrupt_frame* frame) {
  fault = *frame;
  fault_address = read_cr2();
  frame->rip += instruction_bytes;
}

// Expects `vector` from an instruction that is `bytes` bytes long.
static void expect(uint8_t vector, uint8_t bytes) {
  on_interrupt(vector, skip);
  fault.vector = 0xff;
  instruction_bytes = bytes;
}

int main(void) {
  expect(0, 2);
  asm volatile("div %%ecx" ::"a"(1), "d"(0), "c"(0) : "memory");
  report(fault.vector == 0, "a division by zero is #DE");
  expect(6, 2);
  asm volatile("ud2" ::: "memory");
  report(fault.vector == 6, "UD2 is #UD");

  expect(14, 2);
  asm volatile("movb (%%rdx), %%al" ::"d"(MAPPED_BYTES + 0x123) : "rax", "memory");
  report(fault.vector == 14 && fault.error == 0 && fault_address == MAPPED_BYTES + 0x123,
         "a read of what is not mapped is #PF, with its address in CR2");
  expect(14, 2);
  asm volatile("movb %%al, (%%rdx)" ::"d"(MAPPED_BYTES + 0x456) : "memory");
  report(fault.vector == 14 && fault.error == 2 && fault_address == MAPPED_BYTES + 0x456, "so is a write");

  expect(13, 2);
  asm volatile("movb (%%rdx), %%al" ::"d"(1ull << 62) : "rax", "memory");
  report(fault.vector == 13 && fault.error == 0, "an address that is not canonical is #GP");
  expect(13, 2);
  asm volatile("wrmsr" ::"c"(MSR_EFER), "a"(0xffffffff), "d"(0xffffffff) : "memory");
  report(fault.vector == 13, "reserved bits of EFER are #GP");
  expect(13, 2);
  asm volatile("mov %%cx, %%es" ::"c"(0x1230) : "memory");
  report(fault.vector == 13 && fault.error == 0x1230, "a selector beyond the GDT is #GP with the selector");
  return finish();
}
