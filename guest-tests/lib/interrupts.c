#include "guest-tests/lib/interrupts.h"

#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"

struct __attribute__((packed)) gate {
  uint16_t offset_low, selector;
  uint8_t ist, type;
  uint16_t offset_middle;
  uint32_t offset_high, zero;
};

struct __attribute__((packed)) tss {
  uint32_t zero;
  uint64_t rsp[3], zero2, ist[7], zero3;
  uint16_t zero4, io_map;
  uint8_t io_bitmap[65536 / 8 + 1];  // all zeros: CPL 3 may use every port
};

struct gdt {
  uint64_t null, unused, kernel_code, kernel_data, user_data, user_code, tss_low, tss_high;
};

extern const uint8_t interrupt_entries[256][16];

static struct gate idt[256] __attribute__((aligned(16)));
static struct gdt gdts[MAX_CPUS];
static struct tss tsses[MAX_CPUS];
static interrupt_handler handlers[256];

static void fill_idt(void) {
  for (int i = 0; i < 256; ++i) {
    const uint64_t entry = (uint64_t)interrupt_entries[i];
    idt[i] = (struct gate){.offset_low = entry,
                           .selector = KERNEL_CS,
                           .type = 0xee,  // present, DPL 3, interrupt gate
                           .offset_middle = entry >> 16,
                           .offset_high = entry >> 32};
  }
}

void load_tables(unsigned cpu) {
  if (idt[0].type == 0) fill_idt();
  struct tss* tss = &tsses[cpu];
  const uint64_t base = (uint64_t)tss;
  tss->io_map = offsetof(struct tss, io_bitmap);
  gdts[cpu] = (struct gdt){
      .kernel_code = 0x00af9b000000ffff,
      .kernel_data = 0x00cf93000000ffff,
      .user_data = 0x00cff3000000ffff,
      .user_code = 0x00affb000000ffff,
      .tss_low = (sizeof(*tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56,
      .tss_high = base >> 32,
  };
  const struct table_register gdtr = {sizeof(struct gdt) - 1, (uint64_t)&gdts[cpu]};
  const struct table_register idtr = {sizeof(idt) - 1, (uint64_t)idt};
  // The selectors of code and data equal those at entry, so nothing needs to be reloaded.
  asm volatile("lgdt %0; lidt %1; ltr %w2" ::"m"(gdtr), "m"(idtr), "r"(0x30) : "memory");
}

void on_interrupt(uint8_t vector, interrupt_handler handler) { handlers[vector] = handler; }

uint64_t* tss_rsp0(unsigned cpu) { return (uint64_t*)((uint8_t*)&tsses[cpu] + 4); }

void unexpected_interrupt(const struct interrupt_frame* frame) {
  print("# unexpected interrupt %lu, error %lx, rip %lx, cs %lx, rflags %lx, rsp %lx, cr2 %lx\n", frame->vector,
        frame->error, frame->rip, frame->cs, frame->rflags, frame->rsp, read_cr2());
  exit_with(UNEXPECTED_INTERRUPT);
}

// Called by start.S.
void handle_interrupt(struct interrupt_frame* frame) {
  if (handlers[frame->vector] == NULL) unexpected_interrupt(frame);
  handlers[frame->vector](frame);
}
