// Finds all reports of trouble in a log of a kernel's console: serial output, dmesg in any of its forms, journald's or
// syslog's lines, with or without time stamps.
#ifndef DUMP_CONSOLE_CONSOLE_READER_H_
#define DUMP_CONSOLE_CONSOLE_READER_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "dump/console/console_report.h"
#include "dump/console/log_line.h"
#include "dump/console/report_draft.h"

namespace vmm {

struct ConsoleFindings {
  std::vector<ConsoleReport> reports;  // in the order of their first lines
  uint64_t lines = 0;                  // lines read
  uint64_t left_out = 0;               // reports after the first ConsoleReader::kMaxReports
};

// Takes the log in pieces of any size. Memory is bounded whatever the log says, and time is linear in its length. If
// the kernel tells who prints each line (CONFIG_PRINTK_CALLER), the lines of different tasks and CPUs are kept apart. A
// panic that follows from a report belongs to that report. One thread at a time.
class ConsoleReader {
 public:
  static constexpr size_t kMaxReports = 1000;

  void Add(std::string_view bytes);

  // A whole line, without its newline.
  void AddLine(std::string_view line);

  // Ends the log. Call it once; nothing may be added afterwards.
  ConsoleFindings Finish();

 private:
  // The lines of one caller.
  struct Stream {
    size_t draft = kNone;  // index in drafts_
    uint64_t lines = 0;
    uint64_t unrelated = 0;      // lines since the last one that belongs to a report
    uint64_t opening = 0;        // number of a "cut here" line or a row of "=", ...
    uint64_t opening_lines = 0;  // ... and `lines` then
    Hint hint = Hint::kNone;
    uint64_t hint_lines = 0;
    int lock_lines = 0;  // lockdep: lines that may name the place of the lock
  };
  static constexpr size_t kNone = ~size_t{0};

  Stream& StreamOf(std::string_view caller);
  ReportDraft* DraftOf(const Stream& stream);
  bool ReadRule(Stream& stream, std::string_view text);
  void ReadHint(Stream& stream, std::string_view text);
  void Start(Stream& stream, const LogLine& line, std::string_view text, const FoundHeadline& found);
  size_t Absorber(const Stream& stream, const FoundHeadline& found, std::string_view text);
  void JoinStall(Stream& stream, std::string_view text);
  void ReadBody(Stream& stream, std::string_view text);
  bool ReadHeading(Stream& stream, ReportDraft& draft, std::string_view text);
  bool ReadFact(Stream& stream, ReportDraft& draft, std::string_view text);

  std::string partial_;
  std::map<std::string, Stream, std::less<>> streams_;
  std::vector<ReportDraft> drafts_;
  uint64_t number_ = 0;
  uint64_t left_out_ = 0;
};

}  // namespace vmm

#endif  // DUMP_CONSOLE_CONSOLE_READER_H_
