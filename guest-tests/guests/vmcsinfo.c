// VMCSINFO, measured: the offset of each field in a VMCS region. The method comes from the patches of 2012
// (docs/abi/nested-notes.md): make a region current in which each 16-bit word holds its own offset, and VMREAD of a
// field then tells the offsets of its words. Under KVM that is the layout of KVM's vmcs12, on a bare machine the
// processor's own. Prints the three forms in which the patches gave the table:
//
//   VMCSINFO, REVISION_ID=R, FIELD(NAME)=OFFSETS ...
//       the text of the first; a field without a name in our table has its encoding
//   v2 R, v2 FIELD OFFSETS
//       the binary of the second: u32 R, then {u32 FIELD, u64 OFFSETS} each
//   v5 GROUP: OFFSETS ...
//       the two-dimensional array of the fifth, by width and type (bits 14:13 and 11:10 of an encoding) and index
//       (bits 9:1); 0 if there is no field
//
// Then it checks the table: VMWRITE and VMCLEAR leave their values in memory where the table says.
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/vmx.h"

#define GROUPS 16  // widths and types
#define INDICES 64
#define GROUP(field) ((field) >> 13 << 2 | ((field) >> 10 & 3))
#define INDEX(field) ((field) >> 1 & 0x1ff)
#define VM_INSTRUCTION_ERROR 0x4400
#define DATA 8  // start of a region's data, after revision and abort indicator

static const struct {
  uint32_t field;
  const char* name;
} names[] = {
#include "guest-tests/vmcs_names.h"
};

static physical_page vmcs;
static uint64_t offsets[GROUPS][INDICES], written[GROUPS][INDICES];
static bool present[GROUPS][INDICES];

static uint32_t field_of(unsigned group, unsigned index) { return (group >> 2) << 13 | (group & 3) << 10 | index << 1; }
static unsigned words_of(unsigned group) { return (const unsigned[]){1, 4, 2, 4}[group >> 2]; }

static void print_padded(uint64_t value, unsigned digits) {
  while (digits-- > 0) print("%c", "0123456789abcdef"[value >> 4 * digits & 15]);
}

static const char* name_of(uint32_t field) {
  for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); ++i) {
    if (names[i].field == field) return names[i].name;
  }
  return NULL;
}

static bool measure(void) {
  make_vmcs(vmcs);
  if (vmclear(vmcs) != VMX_SUCCEED) return false;
  for (unsigned at = DATA; at < sizeof(vmcs); at += 2) *(uint16_t*)(vmcs + at) = at;
  if (vmptrld(vmcs) != VMX_SUCCEED) return false;
  // First find the field in which each VMREAD of a nonexistent field leaves its error.
  uint64_t error = 0;
  const bool has_error = vmread(VM_INSTRUCTION_ERROR, &error) == VMX_SUCCEED;
  for (unsigned group = 0; group < GROUPS; ++group) {
    for (unsigned index = 0; index < INDICES; ++index) {
      present[group][index] = vmread(field_of(group, index), &offsets[group][index]) == VMX_SUCCEED;
    }
  }
  offsets[GROUP(VM_INSTRUCTION_ERROR)][INDEX(VM_INSTRUCTION_ERROR)] = error;
  return has_error;
}

static void print_first(void) {
  print("VMCSINFO\nREVISION_ID=%x\n", vmx_revision());
  for (unsigned group = 0; group < GROUPS; ++group) {
    for (unsigned index = 0; index < INDICES; ++index) {
      if (!present[group][index]) continue;
      const char* name = name_of(field_of(group, index));
      if (name != NULL) {
        print("FIELD(%s)=", name);
      } else {
        print("FIELD(");
        print_padded(field_of(group, index), 4);
        print(")=");
      }
      print_padded(offsets[group][index], 4 * words_of(group));
      print("\n");
    }
  }
}

static void print_second(void) {
  print("v2 ");
  print_padded(vmx_revision(), 8);
  print("\n");
  for (unsigned group = 0; group < GROUPS; ++group) {
    for (unsigned index = 0; index < INDICES; ++index) {
      if (!present[group][index]) continue;
      print("v2 ");
      print_padded(field_of(group, index), 8);
      print(" ");
      print_padded(offsets[group][index], 16);
      print("\n");
    }
  }
}

static void print_fifth(void) {
  for (unsigned group = 0; group < GROUPS; ++group) {
    print("v5 %x:", group);
    for (unsigned index = 0; index < INDICES; ++index) {
      print(" %lx", present[group][index] ? offsets[group][index] : 0);
    }
    print("\n");
  }
}

// Some processors store a field in another form than VMREAD returns, so the values read are no offsets.
static bool are_offsets(unsigned group, uint64_t value) {
  for (unsigned i = 0; i < words_of(group); ++i) {
    const uint16_t at = value >> 16 * i;
    if (at < DATA || at % 2 != 0 || at > sizeof(vmcs) - 2) return false;
  }
  return true;
}

// Read-only fields keep their offsets, which serve as well.
static bool table_holds(void) {
  for (unsigned group = 0; group < GROUPS; ++group) {
    for (unsigned index = 0; index < INDICES; ++index) {
      if (present[group][index]) vmwrite(field_of(group, index), ~offsets[group][index]);
    }
  }
  for (unsigned group = 0; group < GROUPS; ++group) {
    for (unsigned index = 0; index < INDICES; ++index) {
      if (present[group][index]) vmread(field_of(group, index), &written[group][index]);
    }
  }
  if (vmclear(vmcs) != VMX_SUCCEED) return false;
  bool holds = true;
  for (unsigned group = 0; group < GROUPS; ++group) {
    for (unsigned index = 0; index < INDICES; ++index) {
      if (!present[group][index]) continue;
      if (!are_offsets(group, offsets[group][index])) {
        print("# field %x is kept in another form\n", field_of(group, index));
        continue;
      }
      uint64_t found = 0;
      for (unsigned i = 0; i < words_of(group); ++i) {
        const uint16_t at = offsets[group][index] >> 16 * i;
        found |= (uint64_t) * (const uint16_t*)(vmcs + at) << 16 * i;
      }
      if (found == written[group][index]) continue;
      print("# field %x: %lx in memory, written was %lx\n", field_of(group, index), found, written[group][index]);
      holds = false;
    }
  }
  return holds;
}

int main(void) {
  if (!has_vmx()) return 77;
  report(enter_vmx_operation(), "VMXON");
  report(measure(), "a region with its own offsets is made current");
  print_first();
  print_second();
  print_fifth();
  report(table_holds(), "what is written lies where the table says");
  return finish();
}
