#include "dump/tool/compare_command.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/json_text.h"
#include "base/status.h"
#include "dump/compare/compare_memory.h"
#include "dump/compare/compare_notes.h"
#include "dump/compare/raw_memory.h"
#include "dump/read/vmcore.h"
#include "dump/tool/open_core.h"
#include "dump/tool/printable.h"

namespace vmm {
namespace {

using Json = nlohmann::ordered_json;

struct Compared {
  MemoryDifference memory;
  std::vector<std::string> notes;
  bool same() const { return memory.same() && notes.empty(); }
};

absl::StatusOr<Compared> CompareWithDump(const Invocation& call, const Vmcore& a, const std::string& path) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Vmcore> b, OpenCore(call, path));
  Compared compared;
  ASSIGN_OR_RETURN(compared.memory, CompareMemory(a.memory(), b->memory()));
  if (!call.Has("memory")) compared.notes = CompareNotes(a, *b);
  return compared;
}

// Includes the missing RAM, because the plain file has all of it.
std::vector<GuestRange> AllRam(const Vmcore& core) {
  std::vector<GuestRange> parts = core.memory().Ranges(), all;
  parts.insert(parts.end(), core.missing_ram().begin(), core.missing_ram().end());
  std::ranges::sort(parts, {}, [](const GuestRange& range) { return range.start.value; });
  for (const GuestRange& part : parts) {
    if (!all.empty() && all.back().end() == part.start) {
      all.back().size += part.size;
    } else {
      all.push_back(part);
    }
  }
  return all;
}

absl::StatusOr<Compared> CompareWithRaw(const Vmcore& a, const std::string& path) {
  ASSIGN_OR_RETURN(const CoreFile file, CoreFile::Open(path));
  const std::vector<GuestRange> ram = AllRam(a);
  ASSIGN_OR_RETURN(const std::unique_ptr<PhysicalMemory> b, OpenRawMemory(file, ram));
  Compared compared;
  ASSIGN_OR_RETURN(compared.memory, CompareMemory(a.memory(), *b));
  return compared;
}

constexpr size_t kFewRanges = 40;

void PrintRanges(std::string_view what, const RangeList& list, bool all, std::ostream& out) {
  if (list.pages == 0) return;
  out << absl::StrFormat("\n%s: %d pages\n", what, list.pages);
  for (size_t i = 0; i < list.ranges.size(); ++i) {
    if (i == kFewRanges && !all) {
      out << absl::StrFormat("  and %d more ranges (--all)\n", list.ranges.size() - i);
      return;
    }
    const GuestRange& range = list.ranges[i];
    out << absl::StrFormat("  0x%012x-0x%012x  %s\n", range.start.value, range.end().value - 1, Size(range.size));
  }
}

void PrintText(const Compared& compared, bool all, std::ostream& out) {
  const MemoryDifference& memory = compared.memory;
  out << absl::StrFormat("%d pages are in both; %d of them were read, the others are holes in both\n",
                         memory.compared_pages, memory.read_pages);
  PrintRanges("Memory that differs", memory.differ, all, out);
  PrintRanges("Only in the first", memory.only_a, all, out);
  PrintRanges("Only in the second", memory.only_b, all, out);
  if (!compared.notes.empty()) out << "\nRegisters and notes\n";
  for (const std::string& line : compared.notes) out << "  " << Printable(line) << "\n";
  if (compared.same()) out << "They are the same.\n";
}

Json RangesJson(const RangeList& list) {
  Json ranges = Json::array();
  for (const GuestRange& range : list.ranges) {
    ranges.push_back({{"physical", absl::StrFormat("%#x", range.start.value)}, {"bytes", range.size}});
  }
  return {{"pages", list.pages}, {"ranges", ranges}};
}

std::string ToJson(const Compared& compared, const std::vector<std::string>& cut_short) {
  Json json;
  if (!cut_short.empty()) json["cut_short"] = cut_short;
  json["same"] = compared.same();
  json["compared_pages"] = compared.memory.compared_pages;
  json["read_pages"] = compared.memory.read_pages;
  json["differ"] = RangesJson(compared.memory.differ);
  json["only_first"] = RangesJson(compared.memory.only_a);
  json["only_second"] = RangesJson(compared.memory.only_b);
  json["notes"] = Json::array();
  for (const std::string& line : compared.notes) json["notes"].push_back(Printable(line));
  return JsonText(std::move(json), /*indent=*/2, JsonCharset::kAscii);
}

int RunCompare(const Invocation& call) {
  const std::optional<std::string> raw = call.Value("raw");
  if (raw.has_value() == (call.operands().size() == 2)) {
    return call.Misused("wanted are two dumps, or one dump and --raw=FILE");
  }
  const auto a = OpenCore(call, call.operands()[0]);
  if (!a.ok()) return call.Fail(a.status());
  const absl::StatusOr<Compared> compared =
      raw.has_value() ? CompareWithRaw(**a, *raw) : CompareWithDump(call, **a, call.operands()[1]);
  if (!compared.ok()) return call.Fail(compared.status());
  if (call.json()) {
    call.out() << ToJson(*compared, call.cut_short()) << "\n";
  } else {
    PrintText(*compared, call.Has("all"), call.out());
  }
  return compared->same() ? kExitFine : kExitBadFile;
}

}  // namespace

Command CompareCommand() {
  Command command;
  command.name = "compare";
  command.operands = "A B";
  command.max_operands = 2;
  command.summary = "whether two dumps hold the same memory, registers and notes";
  command.details =
      "Memory is compared page by page, whatever the formats; what is a hole in both is not read. The exit\n"
      "code is 1 where anything differs.\n";
  command.options = {{"memory", "", "memory only, no registers and notes"},
                     {"raw", "FILE", "against RAM in a plain file, its ranges one behind the other"},
                     {"all", "", "each range, not only the first ones"}};
  command.files = [](const Invocation& call) {
    CommandFiles files = call.Files();
    if (const auto raw = call.Value("raw")) files.inputs.push_back(*raw);
    return files;
  };
  command.run = RunCompare;
  return command;
}

}  // namespace vmm
