// Takes from a line of a log everything that printk, dmesg, syslog, journald or a serial recorder put before the
// kernel's text.
#ifndef DUMP_CONSOLE_LOG_LINE_H_
#define DUMP_CONSOLE_LOG_LINE_H_

#include <string>
#include <string_view>

namespace vmm {

// Bytes of a line that are looked at; the rest of a longer line is ignored.
inline constexpr size_t kMaxLogLine = 2048;

struct LogLine {
  std::string_view text;    // the kernel's own words; leading blanks are kept
  std::string_view caller;  // "T123" or "C0" (CONFIG_PRINTK_CALLER), or empty

  // True if a level, a stamp of printk or dmesg, a caller or "kernel:" came before the text. A line without such a mark
  // may be a program's.
  bool marked = false;

  // True if syslog or journald says that the line is another program's: "host sshd[1]: ...".
  bool foreign = false;
};

// Returns `raw` without terminal sequences, carriage returns and other control characters except tabs, and without the
// bytes after kMaxLogLine.
std::string CleanLogLine(std::string_view raw);

// Understands, in this order and each optional: a recorder's date; `dmesg --decode`'s facility and level; syslog's and
// journald's date, host and "kernel:"; "<4>"; the stamps of printk, `dmesg -T`, `-H` and `--time-format iso`; the
// caller. If a program's output stands before printk's stamp in the same line, the text begins after the stamp. The
// result refers to `line`.
LogLine ReadLogLine(std::string_view line);

}  // namespace vmm

#endif  // DUMP_CONSOLE_LOG_LINE_H_
