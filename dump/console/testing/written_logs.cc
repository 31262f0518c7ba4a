#include "dump/console/testing/written_logs.h"

#include <array>
#include <sstream>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "dump/testing/repository_file.h"

namespace vmm {
namespace {

// "?f" and "f[m]" as the kernel prints such frames.
std::string Frame(std::string word, std::string_view before) {
  const bool guess = word.starts_with('?');
  if (guess) word.erase(0, 1);
  std::string module;
  if (const size_t at = word.find('['); at != std::string::npos) {
    module = " " + word.substr(at);
    word.resize(at);
  }
  return absl::StrFormat(" %s%s%s+0x1a/0x70%s", before, guess ? "? " : "", word, module);
}

WrittenLog OfRow(const std::string& row) {
  const std::vector<std::string> cells = absl::StrSplit(row, " | ");
  WrittenLog log;
  log.title = cells[0];
  for (size_t i = 1; i < cells.size(); ++i) {
    for (std::string& line : ExpandLogLine(cells[i])) log.lines.push_back(std::move(line));
  }
  return log;
}

void AddExceptions(std::vector<WrittenLog>& logs) {
  constexpr std::array<std::pair<const char*, const char*>, 18> kExceptions = {{
      {"divide error", "divide error"},
      {"invalid opcode", "invalid opcode"},
      {"stack segment", "stack segment fault"},
      {"general protection fault", "general protection fault"},
      {"int3", "int3"},
      {"overflow", "overflow exception"},
      {"bounds", "bounds exception"},
      {"coprocessor segment overrun", "coprocessor segment overrun"},
      {"invalid TSS", "invalid TSS"},
      {"segment not present", "segment not present"},
      {"alignment check", "alignment check"},
      {"simd exception", "simd exception"},
      {"fpu exception", "fpu exception"},
      {"iret exception", "iret exception"},
      {"control protection fault", "control protection fault"},
      {"Bad pagetable", "Bad pagetable"},
      {"device not available", "device not available"},
      {"double fault", "PANIC: double fault"},
  }};
  for (const auto& [name, title] : kExceptions) {
    const std::string expected = absl::StrFormat("%s in faulty_op", title);
    logs.push_back(
        OfRow(absl::StrFormat("%s | %s: 0000 [#1] SMP | @cpu | @oldrip faulty_op | @old up vfs_up", expected, name)));
    logs.push_back(OfRow(absl::StrFormat(
        "%s | %s: 0000 [#1] PREEMPT SMP NOPTI | @cpu | @rip faulty_op.isra.0 | @stack up vfs_up do_syscall_64",
        expected, name)));
    logs.push_back(OfRow(absl::StrFormat(
        "%s | Oops: %s: 0000 [#1] SMP KASAN NOPTI | @cpu | @rip faulty_op[mod] | @stack up ?x do_syscall_64", expected,
        name)));
  }
}

void AddKasan(std::vector<WrittenLog>& logs) {
  constexpr const char* kKinds[] = {
      "slab-out-of-bounds",   "use-after-free",        "slab-use-after-free",      "stack-out-of-bounds",
      "global-out-of-bounds", "use-after-scope",       "null-ptr-deref",           "user-memory-access",
      "wild-memory-access",   "vmalloc-out-of-bounds", "alloca-out-of-bounds",     "out-of-bounds",
      "unknown-crash",        "invalid-access",        "maybe wild-memory-access",
  };
  for (const char* kind : kKinds) {
    for (const char* access : {"Read", "Write"}) {
      const std::string title = absl::StrFormat("KASAN: %s %s in toucher", kind, access);
      logs.push_back(OfRow(absl::StrFormat(
          "%s | BUG: KASAN: %s in toucher+0x61/0x90 at addr ffff88006bc0c8a8 | %s of size 8 by task a/9 | @cpu | @old "
          "dump_stack kasan_report_error __asan_report_load8_noabort toucher up",
          title, kind, access)));
      logs.push_back(OfRow(absl::StrFormat(
          "%s | BUG: KASAN: %s in memset+0x24/0x50 | %s of size 8 at addr ffff8881a1b2c3d4 by task a/9 | @cpu | @stack "
          "dump_stack print_address_description.constprop.0 __kasan_report.cold kasan_report check_memory_region "
          "memset "
          "toucher.part.0 up | The buggy address belongs to the page:",
          title, kind, access)));
      logs.push_back(OfRow(absl::StrFormat(
          "%s | BUG: KASAN: %s in toucher+0x61/0x90 [m] | %s of size 8 at addr ffff8881a1b2c3d4 by task a/9 | @cpu | "
          "@stack "
          "dump_stack_lvl print_report ?kasan_addr_to_slab kasan_report toucher[m] up | Allocated by task 9: | @frames "
          "kasan_save_stack maker | Freed by task 9: | @frames kasan_save_stack breaker | Memory state around the "
          "buggy "
          "address:",
          title, kind, access)));
    }
  }
}

void AddLockdep(std::vector<WrittenLog>& logs) {
  constexpr std::array<std::pair<const char*, const char*>, 6> kComplaints = {{
      {"possible circular locking dependency detected", "possible deadlock"},
      {"possible recursive locking detected", "possible deadlock"},
      {"possible irq lock inversion dependency detected", "possible deadlock"},
      {"SOFTIRQ-safe -> SOFTIRQ-unsafe lock order detected", "possible deadlock"},
      {"inconsistent lock state", "inconsistent lock state"},
      {"held lock freed!", "WARNING: held lock freed"},
  }};
  for (const auto& [words, title] : kComplaints) {
    for (const char* first : {"[ INFO: %s ]", "WARNING: %s"}) {
      const std::string line = std::string(first).replace(std::string(first).find("%s"), 2, words);
      logs.push_back(
          OfRow(absl::StrFormat("%s in locker | %s | 5.4.0 #1 Not tainted | -> #1 (&a){+.+.}: | @frames lock_acquire "
                                "other | stack backtrace: | "
                                "@cpu | @stack dump_stack __lock_acquire lock_acquire _raw_spin_lock locker up",
                                title, line)));
    }
  }
}

void AddCheckers(std::vector<WrittenLog>& logs) {
  constexpr const char* kUbsan[] = {
      "array-index-out-of-bounds",
      "shift-out-of-bounds",
      "signed-integer-overflow",
      "unsigned-integer-overflow",
      "negation-overflow",
      "division-overflow",
      "misaligned-access",
      "object-size-mismatch",
      "null-ptr-deref",
      "invalid-load",
      "unreachable-call",
      "member-access",
  };
  for (const char* kind : kUbsan) {
    const std::string title = absl::StrFormat("UBSAN: %s in computing", kind);
    logs.push_back(
        OfRow(absl::StrFormat("%s | ====================================================================== | UBSAN: %s "
                              "in fs/x.c:12:3 | index 8 "
                              "is out of range | @cpu | @old dump_stack ubsan_epilogue __ubsan_handle_x computing up",
                              title, kind)));
    logs.push_back(OfRow(
        absl::StrFormat("%s | ------------[ cut here ]------------ | UBSAN: %s in ./fs/x.c:12:3 | index 8 is out of "
                        "range | @cpu | @stack "
                        "dump_stack_lvl ubsan_epilogue __ubsan_handle_x.cold computing.part.0 up | ---[ end trace ]---",
                        title, kind)));
  }
  constexpr const char* kRefcount[] = {
      "saturated; leaking memory.",       "addition on 0; use-after-free.", "underflow; use-after-free.",
      "decrement hit 0; leaking memory.", "unknown saturation event!?.",
  };
  for (const char* words : kRefcount) {
    logs.push_back(OfRow(absl::StrFormat(
        "WARNING: refcount bug in counting | ------------[ cut here ]------------ | refcount_t: %s | WARNING: CPU: 0 "
        "PID: 1 "
        "at lib/refcount.c:25 refcount_warn_saturate+0xba/0x110 | @cpu | @rip refcount_warn_saturate | @stack counting",
        words)));
    logs.push_back(OfRow(absl::StrFormat(
        "WARNING: refcount bug in counting | ------------[ cut here ]------------ | refcount_t: %s | WARNING: "
        "lib/refcount.c:25 at refcount_warn_saturate+0xba/0x110, CPU#1: sh/97 | @cpu | @rip refcount_warn_saturate | "
        "@stack "
        "refcount_inc counting[m]",
        words)));
  }
}

}  // namespace

std::vector<std::string> ExpandLogLine(std::string_view line) {
  std::vector<std::string> words = absl::StrSplit(std::string(line), ' ', absl::SkipEmpty());
  std::vector<std::string> lines;
  if (words.empty() || !words[0].starts_with('@')) return {std::string(line)};
  const std::string sign = words[0];
  words.erase(words.begin());
  if (sign == "@cpu") {
    lines = {"CPU: 1 PID: 123 Comm: sh Not tainted 6.1.0 #1",
             "Hardware name: QEMU Standard PC, BIOS 1.16.2 04/01/2014"};
  } else if (sign == "@rip") {
    const std::string frame = Frame(words[0], "").substr(1);
    lines = {"RIP: 0010:" + frame, "Code: 48 89 e5 <0f> 0b 5d c3", "RSP: 0018:ffffc90000a3fd88 EFLAGS: 00010246",
             "RAX: 0000000000000000 RBX: ffff888100000000 RCX: 0000000000000000"};
  } else if (sign == "@oldrip") {
    const std::string frame = Frame(words[0], "").substr(1);
    lines = {"RIP: 0010:[<ffffffff814a2b56>]  [<ffffffff814a2b56>] " + frame,
             "RSP: 0018:ffff88007a0f7e48  EFLAGS: 00010246"};
  } else if (sign == "@stack") {
    lines = {"Call Trace:", " <TASK>"};
    for (const std::string& word : words) lines.push_back(Frame(word, ""));
    lines.emplace_back(" </TASK>");
  } else if (sign == "@old") {
    lines = {"Call Trace:"};
    for (const std::string& word : words) lines.push_back(Frame(word, "[<ffffffff81234567>] "));
  } else {
    for (const std::string& word : words) lines.push_back(Frame(word, ""));
  }
  return lines;
}

std::vector<WrittenLog> LogsOfTheFile() {
  std::vector<WrittenLog> logs;
  std::istringstream file(RepositoryFile("dump/console/testdata/reports.txt"));
  for (std::string row; std::getline(file, row);) {
    if (!row.empty() && !row.starts_with('#')) logs.push_back(OfRow(row));
  }
  return logs;
}

std::vector<WrittenLog> LogsOfEras() {
  std::vector<WrittenLog> logs;
  AddExceptions(logs);
  AddKasan(logs);
  AddLockdep(logs);
  AddCheckers(logs);
  return logs;
}

}  // namespace vmm
