#include "dump/tool/convert_command.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "base/json_text.h"
#include "base/output_dir.h"
#include "base/status.h"
#include "dump/read/vmcore.h"
#include "dump/snapshot/dump_format.h"
#include "dump/tool/open_core.h"
#include "dump/tool/printable.h"
#include "dump/write/write_vmcore.h"

namespace vmm {
namespace {

struct Wanted {
  DumpFormat format = DumpFormat::kElf;
  int level = kLevelNoZeros;
};

absl::StatusOr<Wanted> WantedBy(const Invocation& call) {
  Wanted wanted;
  if (const auto format = call.Value("format")) {
    ASSIGN_OR_RETURN(wanted.format, Annotate(ParseDumpFormat(*format), "--format=" + *format));
  }
  if (const auto level = call.Value("level")) {
    ASSIGN_OR_RETURN(wanted.level, Annotate(ParseDumpLevel(*level), "--level=" + *level));
  }
  return wanted;
}

// The notes are the input's own, because only the input knows the meaning of its registers.
VmSnapshot SnapshotOf(const Vmcore& core) {
  VmSnapshot snapshot;
  snapshot.cpus = core.cpus();
  snapshot.memory = &core.memory();
  snapshot.missing_ram = core.missing_ram();
  for (const VmcoreNote& note : core.notes()) {
    snapshot.all_notes.push_back({note.name, note.type, std::string(note.desc.begin(), note.desc.end())});
  }
  return snapshot;
}

absl::StatusOr<VmcoreReport> Convert(const Invocation& call, const Wanted& wanted) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Vmcore> core, OpenCore(call, call.operands()[0]));
  ASSIGN_OR_RETURN(const OutputDir dir, OutputDir::Open(DirectoryOf(call.operands()[1])));
  VmcoreOptions options;
  options.name = std::filesystem::path(call.operands()[1]).filename().string();
  options.format = wanted.format;
  options.level = wanted.level;
  options.must_filter = true;
  return WriteVmcore(SnapshotOf(*core), dir, options);
}

std::string Json(const VmcoreReport& report, const std::vector<std::string>& cut_short) {
  nlohmann::ordered_json json = {{"path", Printable(report.path)},
                                 {"format", NameOf(report.format)},
                                 {"level", report.level},
                                 {"file_bytes", report.file_size},
                                 {"data_bytes", report.data_bytes}};
  if (!cut_short.empty()) json["cut_short"] = cut_short;
  return JsonText(json, /*indent=*/2, JsonCharset::kAscii);
}

int RunConvert(const Invocation& call) {
  const absl::StatusOr<Wanted> wanted = WantedBy(call);
  if (!wanted.ok()) return call.Misused(std::string(wanted.status().message()));
  const absl::StatusOr<VmcoreReport> report = Convert(call, *wanted);
  if (!report.ok()) return call.Fail(report.status());
  if (call.json()) {
    call.out() << Json(*report, call.cut_short()) << "\n";
  } else {
    call.out() << absl::StrFormat("%s: %s, level %d, %d bytes of which %d are guest memory before compression\n",
                                  Printable(report->path), NameOf(report->format), report->level, report->file_size,
                                  report->data_bytes);
  }
  if (report->incomplete) {
    call.err() << "vmcore convert: " << Printable(report->path)
               << " has what is there, and says of itself that the rest is missing\n";
  }
  return kExitFine;
}

}  // namespace

Command ConvertCommand() {
  Command command;
  command.name = "convert";
  command.operands = "IN OUT";
  command.min_operands = command.max_operands = 2;
  command.summary = "the same dump in another form, perhaps without what nobody needs";
  command.details =
      "IN is any dump that `vmcore info` opens. OUT must not exist; it is whole or absent. Memory and notes are those\n"
      "of IN. Memory that IN or --level left out reads as zeros in an ELF core, and is known as left out in a kdump "
      "file.\n"
      "Of an IN that is cut short OUT has what is there, and is itself known as cut short; the exit code is 1.\n"
      "--level=31 drops page cache, user and free memory as makedumpfile -d 31 does, for kernels 4.16 to 7.2\n"
      "except 6.3 to 6.5.\n";
  command.options = {{"format", "FORMAT", "elf, kdump-zlib or kdump-zstd [elf]"},
                     {"level", "N", "0 or 1: all memory; 31: only the kernel's own [1]"}};
  command.files = [](const Invocation& call) {
    return CommandFiles{.inputs = {call.operands()[0]}, .output_directories = {DirectoryOf(call.operands()[1])}};
  };
  command.run = RunConvert;
  return command;
}

}  // namespace vmm
