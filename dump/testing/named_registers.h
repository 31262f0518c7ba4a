// A vCPU whose registers each hold their own name in ASCII. A register put into another's place then reads as the wrong
// word.
#ifndef DUMP_TESTING_NAMED_REGISTERS_H_
#define DUMP_TESTING_NAMED_REGISTERS_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "dump/snapshot/cpu_state.h"

namespace vmm {

// The first bytes of `name` as a number, padded with spaces: Named<uint64_t>("rax") reads "rax     ".
template <typename T>
T Named(std::string_view name) {
  char bytes[sizeof(T)];
  std::memset(bytes, ' ', sizeof(bytes));
  std::memcpy(bytes, name.data(), std::min(name.size(), sizeof(bytes)));
  T word;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

inline SegmentState NamedSegment(std::string_view selector, std::string_view limit, std::string_view base) {
  SegmentState segment;
  segment.selector = Named<uint16_t>(selector);
  segment.limit = Named<uint32_t>(limit);
  segment.base = Named<uint64_t>(base);
  return segment;
}

inline CpuState NamedRegisters() {
  CpuState cpu;
  cpu.rax = Named<uint64_t>("rax"), cpu.rbx = Named<uint64_t>("rbx"), cpu.rcx = Named<uint64_t>("rcx");
  cpu.rdx = Named<uint64_t>("rdx"), cpu.rsi = Named<uint64_t>("rsi"), cpu.rdi = Named<uint64_t>("rdi");
  cpu.rsp = Named<uint64_t>("rsp"), cpu.rbp = Named<uint64_t>("rbp"), cpu.rip = Named<uint64_t>("rip");
  cpu.r8 = Named<uint64_t>("r8"), cpu.r9 = Named<uint64_t>("r9"), cpu.r10 = Named<uint64_t>("r10");
  cpu.r11 = Named<uint64_t>("r11"), cpu.r12 = Named<uint64_t>("r12"), cpu.r13 = Named<uint64_t>("r13");
  cpu.r14 = Named<uint64_t>("r14"), cpu.r15 = Named<uint64_t>("r15"), cpu.rflags = Named<uint64_t>("rflags");
  cpu.cs = NamedSegment("cs", "cs_l", "cs_base"), cpu.ds = NamedSegment("ds", "ds_l", "ds_base");
  cpu.es = NamedSegment("es", "es_l", "es_base"), cpu.fs = NamedSegment("fs", "fs_l", "fs_base");
  cpu.gs = NamedSegment("gs", "gs_l", "gs_base"), cpu.ss = NamedSegment("ss", "ss_l", "ss_base");
  cpu.ldt = NamedSegment("ld", "ldtl", "ldt_base"), cpu.tr = NamedSegment("tr", "tr_l", "tr_base");
  cpu.gdt = {Named<uint64_t>("gdt_base"), Named<uint16_t>("gd")};
  cpu.idt = {Named<uint64_t>("idt_base"), Named<uint16_t>("id")};
  cpu.cr0 = Named<uint64_t>("cr0"), cpu.cr2 = Named<uint64_t>("cr2"), cpu.cr3 = Named<uint64_t>("cr3");
  cpu.cr4 = Named<uint64_t>("cr4"), cpu.kernel_gs_base = Named<uint64_t>("k_gs_base");
  return cpu;
}

}  // namespace vmm

#endif  // DUMP_TESTING_NAMED_REGISTERS_H_
