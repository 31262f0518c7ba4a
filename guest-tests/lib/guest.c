#include "guest-tests/lib/guest.h"

#include <stdarg.h>

#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/interrupts.h"
#include "guest-tests/lib/io.h"
#include "guest-tests/lib/irqchip.h"
#include "guest-tests/lib/paging.h"

int main(void);

static const uint8_t* zero_page;
static unsigned reports, failures;
static bool has_debug_console;

// Called by start.S, on the first CPU.
void guest_start(const uint8_t* params) {
  zero_page = params;
  has_debug_console = inb(PORT_DEBUG_CONSOLE) == 0xe9;
  map_identity();
  load_tables(0);
  pic_init();  // after reset it would give the PIT the vectors of exceptions
  exit_with(main());
}

void exit_with(uint32_t status) {
  outb(PORT_DEBUG_EXIT, status);
  print("# the debug-exit port did nothing\n");
  for (;;) asm volatile("cli; hlt");
}

static void serial_put(char c) {
  while ((inb(PORT_SERIAL + 5) & 0x20) == 0) pause();  // LSR: transmit holding register empty
  outb(PORT_SERIAL, c);
}

static void put(char c) {
  if (has_debug_console) {
    outb(PORT_DEBUG_CONSOLE, c);
  } else {
    serial_put(c);
  }
}

static void put_number(uint64_t value, unsigned base) {
  char digits[24];
  int n = 0;
  do {
    digits[n++] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value != 0);
  while (n > 0) put(digits[--n]);
}

void print(const char* format, ...) {
  va_list args;
  va_start(args, format);
  for (; *format; ++format) {
    if (*format != '%') {
      put(*format);
      continue;
    }
    const bool is_long = *++format == 'l';
    if (is_long) ++format;
    switch (*format) {
      case 's':
        for (const char* s = va_arg(args, const char*); *s; ++s) put(*s);
        break;
      case 'c': put(va_arg(args, int)); break;
      case 'd': {
        const int value = va_arg(args, int);
        if (value < 0) put('-');
        put_number(value < 0 ? -(int64_t)value : value, 10);
        break;
      }
      case 'u': put_number(is_long ? va_arg(args, uint64_t) : va_arg(args, uint32_t), 10); break;
      case 'x': put_number(is_long ? va_arg(args, uint64_t) : va_arg(args, uint32_t), 16); break;
      default: put(*format);
    }
  }
  va_end(args);
}

void serial_print(const char* text) {
  for (; *text; ++text) serial_put(*text);
}

void report(bool ok, const char* what) {
  ++reports;
  if (!ok) ++failures;
  print("%s %u - %s\n", ok ? "ok" : "not ok", reports, what);
}

int finish(void) {
  print("1..%u\n", reports);
  return failures != 0 || reports == 0;
}

const uint8_t* boot_params(void) { return zero_page; }

const char* command_line(void) {
  const char* text = (const char*)(uintptr_t) * (const uint32_t*)(zero_page + 0x228);
  return text ? text : "";
}

const struct e820_entry* e820_table(unsigned* count) {
  *count = zero_page[0x1e8];
  return (const struct e820_entry*)(zero_page + 0x2d0);
}

const char* option(const char* name) {
  static char value[128];
  for (const char* p = command_line(); *p;) {
    while (*p == ' ') ++p;
    const char* n = name;
    while (*n && *p == *n) ++p, ++n;
    if (*n == '\0' && *p == '=') {
      size_t length = 0;
      for (++p; *p && *p != ' ' && length + 1 < sizeof(value); ++p) value[length++] = *p;
      value[length] = '\0';
      return value;
    }
    while (*p && *p != ' ') ++p;
  }
  return NULL;
}

uint64_t option_number(const char* name, uint64_t otherwise) {
  const char* p = option(name);
  if (p == NULL) return otherwise;
  unsigned base = 10;
  if (p[0] == '0' && p[1] == 'x') {
    base = 16;
    p += 2;
  }
  uint64_t value = 0;
  for (; *p; ++p) value = value * base + (*p <= '9' ? *p - '0' : *p - 'a' + 10);
  return value;
}

bool equal(const char* a, const char* b) {
  while (*a && *a == *b) ++a, ++b;
  return *a == *b;
}

void* memcpy(void* to, const void* from, size_t count) {
  void* result = to;
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count)::"memory");
  return result;
}

void* memset(void* to, int value, size_t count) {
  void* result = to;
  asm volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(value) : "memory");
  return result;
}

int memcmp(const void* a, const void* b, size_t count) {
  const uint8_t *p = a, *q = b;
  for (; count > 0; --count, ++p, ++q) {
    if (*p != *q) return *p - *q;
  }
  return 0;
}
