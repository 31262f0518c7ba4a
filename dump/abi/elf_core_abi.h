// The descriptors of an x86_64 Linux core's notes, field by field as others define them: elf_prstatus (Linux
// include/linux/elfcore.h, arch/x86/include/asm/user_64.h) and QEMUCPUState (QEMU target/i386/arch_dump.c). <elf.h> has
// the ELF structures themselves. docs/abi/vmcore.md says what each note contains and who reads it.
#ifndef DUMP_ABI_ELF_CORE_ABI_H_
#define DUMP_ABI_ELF_CORE_ABI_H_

#include <cstddef>
#include <cstdint>

namespace vmm {

// struct user_regs_struct: the order in which the entry code pushes a pt_regs, then the rest.
struct UserRegs {
  uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
  uint64_t rax, rcx, rdx, rsi, rdi, orig_rax, rip, cs, eflags, rsp, ss;
  uint64_t fs_base, gs_base, ds, es, fs, gs;
};
static_assert(sizeof(UserRegs) == 27 * 8);
static_assert(offsetof(UserRegs, rip) == 16 * 8);
static_assert(offsetof(UserRegs, rsp) == 19 * 8);
static_assert(offsetof(UserRegs, gs) == 26 * 8);

// Note "CORE", type NT_PRSTATUS. crash counts back from its end to pr_reg, so the size must be exact.
struct ElfPrstatus {
  int32_t si_signo, si_code, si_errno;
  int16_t pr_cursig;
  int16_t pad0;
  uint64_t pr_sigpend, pr_sighold;
  int32_t pr_pid, pr_ppid, pr_pgrp, pr_sid;
  uint64_t pr_utime[2], pr_stime[2], pr_cutime[2], pr_cstime[2];
  UserRegs pr_reg;
  int32_t pr_fpvalid;
  int32_t pad1;
};
static_assert(sizeof(ElfPrstatus) == 336);
static_assert(offsetof(ElfPrstatus, pr_cursig) == 12);
static_assert(offsetof(ElfPrstatus, pr_sigpend) == 16);
static_assert(offsetof(ElfPrstatus, pr_pid) == 32);
static_assert(offsetof(ElfPrstatus, pr_utime) == 48);
static_assert(offsetof(ElfPrstatus, pr_cstime) == 96);
static_assert(offsetof(ElfPrstatus, pr_reg) == 112);
static_assert(offsetof(ElfPrstatus, pr_fpvalid) == 328);

struct QemuCpuSegment {
  uint32_t selector;
  uint32_t limit;  // in bytes
  uint32_t flags;  // the high dword of the descriptor, without base and limit
  uint32_t pad;
  uint64_t base;
};
static_assert(sizeof(QemuCpuSegment) == 24);
static_assert(offsetof(QemuCpuSegment, base) == 16);

inline constexpr uint32_t kQemuCpuStateVersion = 1;

// A bit of e_flags: parts of the dump are missing. makedumpfile sets it if the disk was full (DUMP_ELF_INCOMPLETE), and
// crash knows it.
inline constexpr uint32_t kElfIncomplete = 0x1;

// Note "QEMU", type 0.
struct QemuCpuState {
  uint32_t version;
  uint32_t size;
  uint64_t rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp;
  uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
  uint64_t rip, rflags;
  QemuCpuSegment cs, ds, es, fs, gs, ss;
  QemuCpuSegment ldt, tr, gdt, idt;
  uint64_t cr[5];
  uint64_t kernel_gs_base;
};
static_assert(sizeof(QemuCpuState) == 440);
static_assert(offsetof(QemuCpuState, rax) == 8);
static_assert(offsetof(QemuCpuState, r8) == 72);
static_assert(offsetof(QemuCpuState, rip) == 136);
static_assert(offsetof(QemuCpuState, cs) == 152);
static_assert(offsetof(QemuCpuState, ldt) == 296);
static_assert(offsetof(QemuCpuState, idt) == 368);
static_assert(offsetof(QemuCpuState, cr) == 392);
static_assert(offsetof(QemuCpuState, kernel_gs_base) == 432);

}  // namespace vmm

#endif  // DUMP_ABI_ELF_CORE_ABI_H_
