#include "dump/console/console_reader.h"

#include "absl/strings/str_format.h"
#include "dump/console/testing/written_logs.h"
#include "dump/testing/repository_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

ConsoleFindings Read(const std::vector<std::string>& lines, std::string_view newline = "\n") {
  ConsoleReader reader;
  for (const std::string& line : lines) {
    reader.Add(line);
    reader.Add(newline);
  }
  return reader.Finish();
}

std::vector<std::string> Titles(const std::vector<std::string>& lines) {
  std::vector<std::string> titles;
  for (const ConsoleReport& report : Read(lines).reports) titles.push_back(report.title);
  return titles;
}

std::vector<WrittenLog> AllLogs() {
  std::vector<WrittenLog> logs = LogsOfTheFile();
  for (WrittenLog& log : LogsOfEras()) logs.push_back(std::move(log));
  return logs;
}

// `lines`, each with `before` and the number of microseconds in it.
std::vector<std::string> Decorated(const std::vector<std::string>& lines, std::string_view form) {
  std::vector<std::string> out;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (form == "printk") out.push_back(absl::StrFormat("[%5d.%06d] %s", 12, i, lines[i]));
    if (form == "level") out.push_back(absl::StrFormat("<4>[%5d.%06d] %s", 12, i, lines[i]));
    if (form == "caller") out.push_back(absl::StrFormat("[%5d.%06d][  T123] %s", 12, i, lines[i]));
    if (form == "dmesg -T") out.push_back(absl::StrFormat("[Fri Jan  2 03:04:05 2026] %s", lines[i]));
    if (form == "dmesg -x") out.push_back(absl::StrFormat("kern  :warn  : [%5d.%06d] %s", 12, i, lines[i]));
    if (form == "dmesg iso") out.push_back(absl::StrFormat("2026-01-02T03:04:05,%06d+00:00 %s", i, lines[i]));
    if (form == "journald") out.push_back(absl::StrFormat("Jan 02 03:04:05 host kernel: %s", lines[i]));
    if (form == "journald iso") out.push_back(absl::StrFormat("2026-01-02T03:04:05+0000 my-host kernel: %s", lines[i]));
    if (form == "journald monotonic") out.push_back(absl::StrFormat("[%5d.%06d] host kernel: %s", 12, i, lines[i]));
    if (form == "syslog") out.push_back(absl::StrFormat("Jan  2 03:04:05 host kernel: [%5d.%06d] %s", 12, i, lines[i]));
    if (form == "recorder")
      out.push_back(absl::StrFormat("2026-01-02T03:04:05.1234567Z [%5d.%06d] %s", 12, i, lines[i]));
    if (form == "colours")
      out.push_back(absl::StrFormat("\x1b[33m[%5d.%06d] \x1b[0m\x1b[1m%s\x1b[0m\r\r", 12, i, lines[i]));
  }
  return out;
}

constexpr std::string_view kForms[] = {"printk",    "level",    "caller",       "dmesg -T",           "dmesg -x",
                                       "dmesg iso", "journald", "journald iso", "journald monotonic", "syslog",
                                       "recorder",  "colours"};

TEST(ConsoleReaderTest, EachWrittenLogHasOneReportWithItsTitle) {
  const std::vector<WrittenLog> logs = AllLogs();
  EXPECT_GE(logs.size(), 300u);
  for (const WrittenLog& log : logs) EXPECT_THAT(Titles(log.lines), ElementsAre(log.title)) << log.lines[0];
}

TEST(ConsoleReaderTest, TheTitleIsTheSameInEachFormOfALog) {
  for (const std::string_view form : kForms) {
    for (const WrittenLog& log : AllLogs()) {
      ASSERT_THAT(Titles(Decorated(log.lines, form)), ElementsAre(log.title)) << form << ": " << log.lines[0];
    }
  }
}

TEST(ConsoleReaderTest, AllReportsOfALongLogAreFoundInTheirOrder) {
  std::vector<std::string> lines, titles;
  for (const WrittenLog& log : AllLogs()) {
    lines.insert(lines.end(), log.lines.begin(), log.lines.end());
    for (int i = 0; i < 120; ++i) lines.push_back("systemd[1]: Started a service.");
    titles.push_back(log.title);
  }
  EXPECT_EQ(Titles(lines), titles);
}

TEST(ConsoleReaderTest, ReportsOfTwoCpusThatAreInterleavedAreKeptApart) {
  const std::vector<WrittenLog> logs = AllLogs();
  for (size_t i = 0; i + 1 < logs.size(); ++i) {
    std::vector<std::string> lines;
    for (size_t at = 0; at < logs[i].lines.size() || at < logs[i + 1].lines.size(); ++at) {
      if (at < logs[i].lines.size()) lines.push_back("[    1.000000][   T11] " + logs[i].lines[at]);
      if (at < logs[i + 1].lines.size()) lines.push_back("[    1.000000][    C1] " + logs[i + 1].lines[at]);
    }
    ASSERT_THAT(Titles(lines), UnorderedElementsAre(logs[i].title, logs[i + 1].title)) << logs[i].lines[0];
  }
}

TEST(ConsoleReaderTest, AReportHasItsLinesFramesAndPanic) {
  const ConsoleFindings findings =
      Read({"boot", "[    1.000000] ------------[ cut here ]------------",
            "[    1.000000] WARNING: CPU: 1 PID: 97 at kernel/x.c:376 bad.isra.0+0x5c/0x70 [m]",
            "[    1.000000] RIP: 0010:bad.isra.0+0x5c/0x70 [m]",
            "[    1.000000] Call Trace:", "[    1.000000]  ? left_over+0x1/0x2", "[    1.000000]  up+0x10/0x20",
            "[    1.000000] ---[ end trace 0000000000000000 ]---",
            "[    1.000000] Kernel panic - not syncing: panic_on_warn set ...", "[    9.000000] later"});
  ASSERT_EQ(findings.reports.size(), 1u);
  EXPECT_EQ(findings.lines, 10u);
  const ConsoleReport& report = findings.reports[0];
  EXPECT_EQ(report.kind, TroubleKind::kWarning);
  EXPECT_EQ(report.title, "WARNING in bad");
  EXPECT_EQ(report.function, "bad");
  EXPECT_EQ(report.first_line, 2u);
  EXPECT_EQ(report.last_line, 9u);
  EXPECT_EQ(report.panic, "panic_on_warn set ...");
  ASSERT_EQ(report.frames.size(), 3u);
  EXPECT_EQ(report.frames[0].function, "bad.isra.0");
  EXPECT_EQ(report.frames[0].offset, 0x5cu);
  EXPECT_EQ(report.frames[0].size, 0x70u);
  EXPECT_EQ(report.frames[0].module, "m");
  EXPECT_TRUE(report.frames[0].interrupted);
  EXPECT_TRUE(report.frames[1].guess);
}

TEST(ConsoleReaderTest, TheSignatureIgnoresAddressesOffsetsAndCompilersSuffixes) {
  const auto signature = [](const std::vector<std::string>& lines) { return Read(lines).reports.at(0).signature; };
  const std::string first = signature({"BUG: unable to handle page fault for address: ffffffffc0000000",
                                       "RIP: 0010:f.isra.0+0x1/0x20", "Call Trace:", " g+0x2/0x30"});
  EXPECT_EQ(first, signature({"[    5.000000] BUG: unable to handle page fault for address: ffffffffc0a01234",
                              "[    5.000000] RIP: 0010:f+0x11/0x24", "[    5.000000] Call Trace:",
                              "[    5.000000]  _raw_spin_lock+0x2/0x30", "[    5.000000]  g.cold+0x2/0x30"}));
  EXPECT_NE(first, signature({"BUG: unable to handle page fault for address: ffffffffc0000000", "RIP: 0010:f+0x1/0x20",
                              "Call Trace:", " h+0x2/0x30"}));
}

TEST(ConsoleReaderTest, ALogWithoutTroubleHasNoReport) {
  // A boot of Debian 12 and output of programs, some of which talk of bugs.
  ConsoleReader reader;
  const std::string quiet = RepositoryFile("dump/console/testdata/quiet.log");
  uint64_t lines = 0;
  while (lines < 10'000) {
    reader.Add(quiet);
    lines += static_cast<uint64_t>(std::count(quiet.begin(), quiet.end(), '\n'));
  }
  const ConsoleFindings findings = reader.Finish();
  for (const ConsoleReport& report : findings.reports) ADD_FAILURE() << report.first_line << ": " << report.headline;
  EXPECT_GE(findings.lines, 10'000u);
}

TEST(ConsoleReaderTest, LinesOfOtherProgramsAreNoReports) {
  EXPECT_THAT(Titles({"Jan  2 03:04:05 host test[12]: WARNING: CPU: 0 PID: 1 at x.c:1 f+0x1/0x2",
                      "2026-01-02T03:04:05+0000 host test[12]: Kernel panic - not syncing: no",
                      "my log: Kernel panic - not syncing: no", "BUG: a program's"}),
              IsEmpty());
}

TEST(ConsoleReaderTest, AProgramsOutputMayStandBeforeTheKernelsLine) {
  EXPECT_THAT(Titles({"login: [   12.345678] Kernel panic - not syncing: now"}), ElementsAre("kernel panic: now"));
}

TEST(ConsoleReaderTest, EndlessReportsAndLinesTakeBoundedMemory) {
  ConsoleReader reader;
  for (size_t i = 0; i < ConsoleReader::kMaxReports + 5; ++i) reader.AddLine("kernel BUG at fs/x.c:1!");
  for (int i = 0; i < 10'000; ++i) reader.AddLine(" f+0x1/0x2");
  for (int i = 0; i < 100; ++i) reader.Add(std::string(1 << 20, 'x'));
  const ConsoleFindings findings = reader.Finish();
  EXPECT_EQ(findings.reports.size(), ConsoleReader::kMaxReports);
  EXPECT_EQ(findings.left_out, 5u);
  for (const ConsoleReport& report : findings.reports) EXPECT_LE(report.frames.size(), kMaxReportFrames);
}

}  // namespace
}  // namespace vmm
