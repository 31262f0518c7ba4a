#include "vmm/outcome/tool_lines.h"

#include <array>
#include <filesystem>

#include "base/input_file.h"
#include "vmm/cli/command_line.h"

namespace vmm {
namespace {

using std::filesystem::path;

bool IsElfFile(const path& file) {
  const absl::StatusOr<InputFile> input = InputFile::Open(file);
  std::array<uint8_t, 4> magic = {};
  if (!input.ok() || input->size() < magic.size() || !input->Read(0, magic).ok()) return false;
  return magic == std::array<uint8_t, 4>{0x7f, 'E', 'L', 'F'};
}

path Absolute(const path& file) {
  std::error_code error;
  const path absolute = std::filesystem::absolute(file, error);
  return error ? file : absolute.lexically_normal();
}

std::string Vmlinux(const VmConfig& config, const std::string& release) {
  std::vector<path> candidates;
  if (config.catching.symbols != nullptr) candidates.emplace_back(config.catching.symbols->Source());
  candidates.emplace_back(config.boot.kernel_path);
  if (!release.empty()) candidates.emplace_back("/usr/lib/debug/boot/vmlinux-" + release);
  for (const path& candidate : candidates) {
    if (IsElfFile(candidate)) return Absolute(candidate);
  }
  return "VMLINUX";
}

std::string Line(std::vector<std::string> words) { return ShellQuote(words); }

bool CanRead(const VmcoreReport& dump, Reader reader) {
  for (const ReadableBy& verdict : dump.readable_by) {
    if (verdict.reader == reader) return !verdict.why_not.has_value();
  }
  return false;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> ToolLines(const VmConfig& config, const VmcoreReport& dump) {
  std::vector<std::pair<std::string, std::string>> lines;
  if (dump.readable_by.empty()) return lines;  // a stream
  const path core = Absolute(dump.path);
  const std::string vmlinux = Vmlinux(config, dump.release);
  if (CanRead(dump, Reader::kCrash)) lines.emplace_back("crash", Line({"crash", vmlinux, core}));
  if (CanRead(dump, Reader::kDrgn)) lines.emplace_back("drgn", Line({"drgn", "-c", core, "-s", vmlinux}));
  if (CanRead(dump, Reader::kGdb)) {
    // The script beside the dump has to be used from its own folder.
    lines.emplace_back("gdb", Line({"cd", core.parent_path()}) + " && " +
                                  Line({"gdb", "-x", core.filename().string() + ".gdb", "-ex", "kernel " + vmlinux,
                                        "-ex", "thread apply all bt"}));
  }
  lines.emplace_back("vmcore", Line({"vmcore", "report", core}));
  return lines;
}

}  // namespace vmm
