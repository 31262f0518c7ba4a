// Prints what a multiboot kernel is given: command line, modules, memory, CPUs, ACPI tables. "status=N" on the command
// line is its status.
#include "guest-tests/multiboot/guest.h"

static void print_memory(const struct multiboot_info* info) {
  print("mem_lower ");
  print_number(info->mem_lower);
  print("\nmem_upper ");
  print_number(info->mem_upper);
  for (uint32_t at = 0; at < info->mmap_length;) {
    const struct multiboot_mmap* entry = (const void*)(info->mmap_addr + at);
    print("\nmmap ");
    print_number(entry->base_addr);
    print(" ");
    print_number(entry->length);
    print(" ");
    print_number(entry->type);
    at += entry->size + 4;
  }
  print("\n");
}

static void print_modules(const struct multiboot_info* info) {
  const struct multiboot_module* module = (const void*)info->mods_addr;
  for (uint32_t i = 0; i < info->mods_count; ++i, ++module) {
    print("module [");
    print((const char*)module->string);
    print("] ");
    for (uint32_t at = module->mod_start; at < module->mod_end; ++at) {
      const char text[] = {*(const char*)at, 0};
      print(text);
    }
    print("\n");
  }
}

// The table with `signature`, found as kvm-unit-tests does it: the RSDP by a scan, then by the RSDT.
static const uint8_t* find_table(const char* signature) {
  for (uint32_t at = 0xe0000; at < 0x100000; at += 16) {
    const uint8_t* rsdp = (const uint8_t*)at;
    if (__builtin_memcmp(rsdp, "RSD PTR ", 8) != 0) continue;
    const uint32_t* rsdt = *(const uint32_t* const*)(rsdp + 16);
    if (rsdt == NULL) return NULL;
    for (uint32_t i = 9; i < rsdt[1] / 4; ++i) {
      const uint8_t* table = (const uint8_t*)rsdt[i];
      if (__builtin_memcmp(table, signature, 4) == 0) return table;
    }
  }
  return NULL;
}

int memcmp(const void* a, const void* b, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const int difference = ((const uint8_t*)a)[i] - ((const uint8_t*)b)[i];
    if (difference != 0) return difference;
  }
  return 0;
}

uint32_t run(const struct multiboot_info* info) {
  const char* line = (const char*)info->cmdline;
  print("cmdline [");
  print(line);
  print("]\n");
  print_modules(info);
  print_memory(info);
  print("RAM_SIZE ");
  print_number(fw_cfg(0x03, 8));
  print("\nNB_CPUS ");
  print_number(fw_cfg(0x05, 2));
  print("\nMAX_CPUS ");
  print_number(fw_cfg(0x0f, 2));
  print("\n");
  report(find_table("FACP") != NULL, "the FADT is found through the RSDT");
  report(find_table("APIC") != NULL, "the MADT is found through the RSDT");
  report(find_table("NONE") == NULL, "a table that is not there is not found");
  for (; *line; ++line) {
    if (memcmp(line, "status=", 7) != 0) continue;
    uint32_t status = 0;
    for (line += 7; *line >= '0' && *line <= '9'; ++line) status = 10 * status + (*line - '0');
    return status;
  }
  return finish();
}
