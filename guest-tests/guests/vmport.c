// VMware's backdoor as an instruction sees it: each command, each way to be refused, each width, at CPL 0 and CPL 3.
// docs/abi/vmport-tests.md lists the checks by letter and number. Options: memory=MIB, port=off, only=messages,
// then=panic.
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/io.h"
#include "guest-tests/lib/user.h"

#define PORT 0x5658
#define MAGIC 0x564d5868
#define HIGH 0xdeadbeef00000000ull

enum {
  GETMHZ = 1,
  GETVERSION = 10,
  GETHWVERSION = 17,
  GETUUID = 19,
  GETMEMSIZE = 20,
  GETTIME = 23,
  MESSAGE = 30,
  GETHZ = 45,
  GETTIMEFULL = 46,
  GETTIMEFULL_WITH_LAG = 55,
  GET_VCPU_INFO = 68
};

struct registers {
  uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp;
};

// Runs `instruction` with these registers, and stores the registers that it left.
#define WITH(name, instruction)                                                                      \
  static void name(struct registers* r) {                                                            \
    register struct registers* at asm("r8") = r;                                                     \
    asm volatile(                                                                                    \
        "push %%rbp\n mov 0(%0), %%rax\n mov 8(%0), %%rbx\n mov 16(%0), %%rcx\n mov 24(%0), %%rdx\n" \
        "mov 32(%0), %%rsi\n mov 40(%0), %%rdi\n mov 48(%0), %%rbp\n" instruction                    \
        "\n mov %%rax, 0(%0)\n mov %%rbx, 8(%0)\n mov %%rcx, 16(%0)\n mov %%rdx, 24(%0)\n"           \
        "mov %%rsi, 32(%0)\n mov %%rdi, 40(%0)\n mov %%rbp, 48(%0)\n pop %%rbp"                      \
        : "+r"(at)                                                                                   \
        :                                                                                            \
        : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "memory", "cc");                                 \
  }
WITH(in_byte, "in %%dx, %%al")
WITH(in_word, "in %%dx, %%ax")
WITH(in_dword, "in %%dx, %%eax")
WITH(out_byte, "out %%al, %%dx")
WITH(out_word, "out %%ax, %%dx")
WITH(out_dword, "out %%eax, %%dx")

// Puts garbage into every high half.
static struct registers ask(uint32_t command) {
  return (struct registers){HIGH | MAGIC,     HIGH | 0x11111111, HIGH | 0x77770000 | command,
                            HIGH | PORT,      HIGH | 0x44444444, HIGH | 0x55555555,
                            HIGH | 0x66666666};
}

static struct registers answer(uint32_t command) {
  struct registers r = ask(command);
  in_dword(&r);
  return r;
}

static bool same_but_rax(const struct registers* a, const struct registers* b) {
  return memcmp(&a->rbx, &b->rbx, sizeof(*a) - sizeof(a->rax)) == 0;
}

// True if refused: the low half of RAX is all ones, and no other register changed.
static bool is_refused(const struct registers* asked) {
  struct registers r = *asked;
  in_dword(&r);
  return r.rax == 0xffffffff && same_but_rax(&r, asked);
}

static bool commands_are_answered(void) {
  struct registers r = answer(GETVERSION);
  if (r.rax != 6 || r.rbx != (HIGH | MAGIC) || r.rcx != (HIGH | 2) || r.rdx != (HIGH | PORT)) return false;
  r = answer(GETHZ);
  const uint64_t hz = (r.rbx & 0xffffffff) << 32 | r.rax;
  if (hz < 100000000 || (uint32_t)r.rcx != 1000000000) return false;
  if (answer(GETMHZ).rax != hz / 1000000) return false;
  r = answer(GETHWVERSION);
  if (r.rax < 4 || (uint32_t)r.rbx != MAGIC) return false;
  r = answer(GETUUID);
  if (((uint32_t)r.rbx >> 20 & 0xf) != 4) return false;  // the UUID's version
  if (answer(GETMEMSIZE).rax != option_number("memory", 64)) return false;
  r = answer(GETTIME);
  if (r.rax < 1700000000 || (uint32_t)r.rbx >= 1000000 || (uint32_t)r.rcx != 1000000) return false;
  const struct registers full = answer(GETTIMEFULL);
  if (full.rax != MAGIC || (uint32_t)full.rdx - (uint32_t)r.rax > 60 || (uint32_t)full.rsi != 0) return false;
  r = answer(GETTIMEFULL_WITH_LAG);
  if (r.rax != MAGIC || (uint32_t)r.rdi != 0) return false;
  return answer(GET_VCPU_INFO).rax == 1 << 3;
}

static bool is_known(uint32_t command) {
  switch (command) {
    case GETMHZ:
    case GETVERSION:
    case GETHWVERSION:
    case GETUUID:
    case GETMEMSIZE:
    case GETTIME:
    case MESSAGE:
    case GETHZ:
    case GETTIMEFULL:
    case GETTIMEFULL_WITH_LAG:
    case GET_VCPU_INFO: return true;
    default: return false;
  }
}

static bool others_are_refused(uint32_t from, uint32_t to, uint32_t step) {
  for (uint32_t command = from; command < to; command += step) {
    const struct registers r = ask(command);
    if (!is_known(command) && !is_refused(&r)) return false;
  }
  return true;
}

static bool wrong_magic_is_refused(void) {
  struct registers r = ask(GETVERSION);
  for (int bit = 0; bit < 32; ++bit) {
    r.rax = HIGH | (MAGIC ^ (uint32_t)1 << bit);
    if (!is_refused(&r)) return false;
  }
  return true;
}

static bool widths_are_kept_apart(void) {
  struct registers r = ask(GETVERSION);
  in_byte(&r);
  if (r.rax != (HIGH | (MAGIC & ~0xffu) | 6) || r.rbx != (HIGH | MAGIC)) return false;
  r = ask(GETVERSION);
  in_word(&r);
  if (r.rax != (HIGH | (MAGIC & ~0xffffu) | 6) || r.rbx != (HIGH | MAGIC)) return false;
  void (*const outs[])(struct registers*) = {out_byte, out_word, out_dword};
  for (int i = 0; i < 3; ++i) {
    r = ask(GETVERSION);
    outs[i](&r);
    if (r.rax != (HIGH | MAGIC) || r.rbx != (HIGH | MAGIC) || r.rcx != (HIGH | 2)) return false;
  }
  return true;
}

static bool neighbours_are_open_bus(void) {
  for (uint32_t port = 0x5657; port <= 0x565c; ++port) {
    if (port == PORT) continue;
    struct registers r = ask(GETVERSION);
    r.rdx = HIGH | port;
    if (!is_refused(&r)) return false;
  }
  return true;
}

// RCX is the count, so it makes no sense as a command.
static bool strings_are_open_bus(void) {
  static uint32_t words[8];
  memset(words, 0, sizeof(words));
  rep_insl(PORT, words, 5);
  rep_outsl(PORT, words, 5);
  for (int i = 0; i < 8; ++i) {
    if (words[i] != (i < 5 ? 0xffffffff : 0)) return false;
  }
  return answer(GETVERSION).rax == 6;
}

// The 14 INs of a real client: info-set guestinfo.metal yes.
static bool guestinfo_is_set(void) {
  const char text[] = "info-set guestinfo.metal yes";
  struct registers r = ask(0);
  r.rcx = MESSAGE;
  r.rbx = 0x80000000 | 0x49435052;
  in_dword(&r);
  if ((uint32_t)r.rcx != (1 << 16 | MESSAGE)) return false;
  const uint32_t channel = (uint32_t)r.rdx;
  const uint64_t high = r.rsi, low = r.rdi;
  for (size_t at = 0; at <= sizeof(text) - 1; at += 4) {
    for (int payload = at == 0 ? 0 : 1; payload < 2; ++payload) {
      uint32_t word = sizeof(text) - 1;
      if (payload) memcpy(&word, text + at, 4);
      if (payload && at == sizeof(text) - 1) continue;
      r = (struct registers){MAGIC, word, (uint32_t)(1 + payload) << 16 | MESSAGE, channel, high, low, 0};
      in_dword(&r);
      if ((uint32_t)r.rcx != (1 << 16 | MESSAGE)) return false;
    }
  }
  r = (struct registers){MAGIC, 0, 3 << 16 | MESSAGE, channel, high, low, 0};
  in_dword(&r);
  if ((uint32_t)r.rcx != (3 << 16 | MESSAGE) || (uint32_t)r.rbx != 2) return false;
  r = (struct registers){MAGIC, 0, 6 << 16 | MESSAGE, channel, high, low, 0};
  in_dword(&r);
  return (uint32_t)r.rcx == (1 << 16 | MESSAGE);
}

enum { COMMANDS = 1, OTHERS = 2, WRONG_MAGIC = 4, WIDTHS = 8, NEIGHBOURS = 16, STRINGS = 32, MESSAGES = 64 };

static uint64_t all_that_hold(void) {
  return (commands_are_answered() ? COMMANDS : 0) | (others_are_refused(0, 256, 1) ? OTHERS : 0) |
         (wrong_magic_is_refused() ? WRONG_MAGIC : 0) | (widths_are_kept_apart() ? WIDTHS : 0) |
         (neighbours_are_open_bus() ? NEIGHBOURS : 0) | (strings_are_open_bus() ? STRINGS : 0) |
         (guestinfo_is_set() ? MESSAGES : 0);
}

// Tries each low byte with many high ones. Each exit costs a slow host 0.1 ms.
static uint64_t larger_ones_are_refused(void) {
  return others_are_refused(256, 2048, 1) && others_are_refused(2048, 65536, 61);
}

static void report_all(uint64_t held, const char* where) {
  static const char* const what[] = {
      "R1: every command of the table is answered",
      "R2: other commands change EAX alone",
      "R3: a wrong magic changes EAX alone",
      "R4: a byte or word leaves the rest of RAX, an OUT all of it",
      "R6: the ports around are open bus",
      "R9: a string instruction is like open bus",
      "a message is taken",
  };
  for (int i = 0; i < 7; ++i) {
    print("# %s\n", where);
    report((held >> i & 1) != 0, what[i]);
  }
}

int main(void) {
  if (option("port") != NULL) {
    report(inl(PORT) == 0xffffffff && inw(PORT) == 0xffff && inb(PORT) == 0xff, "V2: the ports are open bus");
    const struct registers r = ask(GETVERSION);
    report(is_refused(&r), "V2: and no register changes");
    return finish();
  }
  if (option("only") != NULL) {
    report(guestinfo_is_set(), "a message is taken");
    if (option("then") != NULL) outb(PORT_PVPANIC, 1);
    return finish();
  }
  report_all(all_that_hold(), "CPL 0");
  report_all(run_at_cpl3(all_that_hold), "CPL 3");
  report(run_at_cpl3(larger_ones_are_refused) != 0, "R2, R5: to the last of sixteen bits, and 0x10a is not 10");
  return finish();
}
