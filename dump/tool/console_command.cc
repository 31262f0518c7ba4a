#include "dump/tool/console_command.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "base/input_file.h"
#include "base/json_text.h"
#include "base/status.h"
#include "dump/console/console_reader.h"
#include "dump/tool/printable.h"

namespace vmm {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kPiece = 256 << 10;
constexpr uint64_t kMaxLog = 1 << 30;  // bytes: some minutes of work

absl::Status ReadStandardInput(ConsoleReader& reader) {
  std::vector<char> piece(kPiece);
  for (uint64_t size = 0;;) {
    const ssize_t count = read(STDIN_FILENO, piece.data(), piece.size());
    if (count == 0) return absl::OkStatus();
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return absl::ErrnoToStatus(errno, "standard input");
    size += static_cast<uint64_t>(count);
    if (size > kMaxLog)
      return absl::InvalidArgumentError("standard input is longer than 1 GiB; give its end (tail -c 1G)");
    reader.Add({piece.data(), static_cast<size_t>(count)});
  }
}

absl::Status ReadLogFile(const std::string& path, ConsoleReader& reader) {
  ASSIGN_OR_RETURN(const InputFile file,
                   Annotate(InputFile::Open(path, {.most = kMaxLog, .may_be_empty = true}), path));
  std::vector<uint8_t> piece(kPiece);
  for (uint64_t at = 0; at < file.size();) {
    const size_t count = static_cast<size_t>(std::min<uint64_t>(piece.size(), file.size() - at));
    RETURN_IF_ERROR(Annotate(file.Read(at, {piece.data(), count}), path));
    reader.Add({reinterpret_cast<const char*>(piece.data()), count});
    at += count;
  }
  return absl::OkStatus();
}

Json FrameJson(const ConsoleFrame& frame) {
  Json json = {{"function", frame.function}, {"offset", frame.offset}};
  if (frame.size != 0) json["size"] = frame.size;
  if (!frame.module.empty()) json["module"] = frame.module;
  if (frame.interrupted) json["interrupted"] = true;
  if (frame.guess) json["guess"] = true;
  if (frame.inlined) json["inlined"] = true;
  return json;
}

Json ReportJson(const ConsoleReport& report) {
  Json json = {{"title", report.title}, {"kind", TroubleKindName(report.kind)}};
  if (!report.function.empty()) json["function"] = report.function;
  json["signature"] = report.signature;
  json["headline"] = report.headline;
  if (!report.panic.empty()) json["panic"] = report.panic;
  if (!report.caller.empty()) json["caller"] = report.caller;
  json["first_line"] = report.first_line;
  json["last_line"] = report.last_line;
  json["frames"] = Json::array();
  for (const ConsoleFrame& frame : report.frames) json["frames"].push_back(FrameJson(frame));
  return json;
}

std::string FrameText(const ConsoleFrame& frame) {
  std::string text = frame.guess ? "? " : "";
  text += frame.function;
  if (frame.size != 0) text += absl::StrFormat("+%#x/%#x", frame.offset, frame.size);
  if (!frame.module.empty()) text += absl::StrFormat(" [%s]", frame.module);
  if (frame.inlined) text += " [inline]";
  return text;
}

void PrintReports(const ConsoleFindings& findings, std::ostream& out) {
  for (const ConsoleReport& report : findings.reports) {
    out << Printable(report.title) << "\n";
    out << absl::StrFormat("  lines      %d to %d%s\n", report.first_line, report.last_line,
                           report.caller.empty() ? "" : ", printed by " + Printable(report.caller));
    out << absl::StrFormat("  kind       %s\n", TroubleKindName(report.kind));
    out << absl::StrFormat("  signature  %s\n", report.signature);
    if (!report.panic.empty()) out << "  panic      " << Printable(report.panic) << "\n";
    for (const ConsoleFrame& frame : report.frames) out << "    " << Printable(FrameText(frame)) << "\n";
    out << "\n";
  }
  if (findings.left_out != 0) out << absl::StrFormat("%d more reports are left out\n", findings.left_out);
  out << absl::StrFormat("%d reports in %d lines\n", findings.reports.size() + findings.left_out, findings.lines);
}

int RunConsole(const Invocation& call) {
  const std::string& path = call.operands()[0];
  ConsoleReader reader;
  const absl::Status read = path == "-" ? ReadStandardInput(reader) : ReadLogFile(path, reader);
  if (!read.ok()) return call.Fail(read);
  const ConsoleFindings findings = reader.Finish();
  if (call.json()) {
    Json json = {{"lines", findings.lines}, {"left_out", findings.left_out}, {"reports", Json::array()}};
    for (const ConsoleReport& report : findings.reports) json["reports"].push_back(ReportJson(report));
    call.out() << JsonText(std::move(json), /*indent=*/2, JsonCharset::kAscii) << "\n";
  } else {
    PrintReports(findings, call.out());
  }
  return findings.reports.empty() ? kExitFine : kExitBadFile;
}

}  // namespace

Command ConsoleCommand() {
  Command command;
  command.name = "console";
  command.operands = "FILE|-";
  command.summary = "the kernel's reports of trouble in a log: title, function to blame, stack";
  command.details =
      "FILE is the log of a serial console, dmesg or journald, with or without time stamps; - is standard input.\n"
      "Ends with 1 if the log has a report, with 0 if it has none.\n";
  command.run = RunConsole;
  return command;
}

}  // namespace vmm
