// A guest's own guest: a hypervisor of ours (L1) runs it as L2, under VMX and SVM alike.
//
//   L2-physical          L1-physical
//   0x000000, 2 MiB      L2_RAM, page by page; 0x5000 and 0x6000 are swapped
//   0x200000, 2 MiB      L2_LARGE, one large page
//
// L2 begins at 0x5000 in 64-bit mode, on page tables at 0x9000 that map its 4 MiB one to one. It fetches the two
// markers, gives every general register a value that says its name, and panics or calls L1. At the panic:
//   RIP 0x5100, RSP 0x7ff0, CR3 0x9000, RBX L2_MARKER (from 0x6000), RBP L2_LARGE_MARKER (from 0x203000), RAX 1,
//   RDX 0x505, others "L2 rcx", "L2 r8", and so on.
#ifndef GUEST_TESTS_LIB_L2_H_
#define GUEST_TESTS_LIB_L2_H_

#include <stdint.h>

#define L2_RAM 0x1000000u
#define L2_LARGE 0x1400000u
#define L2_MARKER 0xfeedfacecafef00dull
#define L2_LARGE_MARKER 0x5ca1ab1e0ddba115ull
#define L2_ENTRY 0x5000u
#define L2_STACK 0x7ff0u
#define L2_CR3 0x9000u

enum l2_deed { L2_PANIC, L2_VMCALL, L2_VMMCALL };

// Fills L2's memory. `deed`: what L2 will do.
void make_l2(enum l2_deed deed);

// Builds 4-level tables that map L2's memory, and returns their root. Each entry gets `table_bits`, each leaf
// `leaf_bits` (and bit 7 if it is large).
uint64_t make_l2_tables(uint64_t table_bits, uint64_t leaf_bits);

#endif  // GUEST_TESTS_LIB_L2_H_
