#include "dump/read/read_kdump.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "dump/abi/kdump_abi.h"
#include "dump/kdump/kdump_file.h"

namespace vmm {
namespace {

constexpr uint64_t kNoteOffset = 4096 + sizeof(KdumpSubHeader);  // where every writer puts them

std::string CompressionOf(uint32_t status) {
  std::string names;
  for (const auto& [bit, name] : {std::pair(kDhCompressedZlib, "zlib"),
                                  {kDhCompressedLzo, "lzo"},
                                  {kDhCompressedSnappy, "snappy"},
                                  {kDhCompressedZstd, "zstd"}}) {
    if ((status & bit) != 0) names += absl::StrFormat("%s%s", names.empty() ? "" : ", ", name);
  }
  return names.empty() ? "none" : names;
}

}  // namespace

absl::StatusOr<VmcoreContents> ReadKdump(std::shared_ptr<const ByteSource> source, const std::string& path) {
  absl::StatusOr<std::unique_ptr<KdumpFile>> opened = KdumpFile::Open(std::move(source));
  if (IsCutShort(opened.status())) return opened.status();
  ASSIGN_OR_RETURN(std::unique_ptr<KdumpFile> kdump, Annotate(std::move(opened), path));
  VmcoreContents contents;
  contents.format = VmcoreFormat::kKdump;
  const std::string& bytes = kdump->notes();
  ParsedNotes parsed = ParseNotes({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, kNoteOffset);
  if (!parsed.fault.empty()) contents.faults.push_back({"notes-damaged", parsed.fault});
  contents.notes = std::move(parsed.notes);

  const bool has_note = std::any_of(contents.notes.begin(), contents.notes.end(),
                                    [](const VmcoreNote& note) { return note.name == "VMCOREINFO" && note.type == 0; });
  if (const std::string& text = kdump->vmcoreinfo(); !has_note && !text.empty()) {
    contents.notes.push_back({.name = "VMCOREINFO", .type = 0, .desc = {text.begin(), text.end()}, .namesz = 11});
  }

  const KdumpFacts& facts = kdump->facts();
  contents.facts = {{"header", absl::StrFormat("%d", facts.header_version)},
                    {"flattened", facts.flattened ? "yes" : "no"},
                    {"compression", CompressionOf(facts.status)},
                    {"dump level", absl::StrFormat("%d", facts.dump_level)},
                    {"stored", absl::StrFormat("%d pages", kdump->stored_pages())},
                    {"left out", absl::StrFormat("%d pages", kdump->excluded_pages())},
                    {"release", facts.release},
                    {"header CPUs", absl::StrFormat("%d", facts.nr_cpus)}};
  contents.cut_short = kdump->cut_short();
  contents.missing_ram = kdump->Missing();
  if (contents.cut_short.has_value())
    contents.faults.push_back({"truncated", "the file " + contents.cut_short->Text()});
  contents.memory = std::move(kdump);
  return contents;
}

}  // namespace vmm
