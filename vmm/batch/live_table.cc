#include "vmm/batch/live_table.h"

#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_format.h"
#include "base/log.h"

namespace vmm {

std::vector<std::string> TableLines(const TableStatus& status, size_t width, size_t height) {
  std::vector<TableStatus::Run> runs = status.running;
  std::stable_sort(runs.begin(), runs.end(), [](const auto& a, const auto& b) { return a.since > b.since; });
  std::vector<std::string> lines;
  for (size_t i = 0; i < std::min(runs.size(), height); ++i) {
    lines.push_back(absl::StrFormat("%7.1f s  %s", absl::ToDoubleSeconds(runs[i].since), runs[i].name));
  }
  if (runs.size() > height) lines.push_back(absl::StrFormat("%11s%d more", "", runs.size() - height));
  lines.push_back(absl::StrFormat("%d of %d ended, %d failed, %d running", status.ended, status.total, status.failed,
                                  status.running.size()));
  for (std::string& line : lines) line.resize(std::min(line.size(), width));
  return lines;
}

LiveTable::LiveTable() : live_(isatty(STDERR_FILENO) != 0) {}

void LiveTable::Draw(const TableStatus& status) {
  if (!live_) return;
  const std::vector<std::string> lines = TableLines(status, 79, 16);
  std::string text = drawn_ > 0 ? absl::StrFormat("\x1b[%dA", drawn_) : "";
  text += "\x1b[J";
  for (const std::string& line : lines) text += line + "\n";
  drawn_ = lines.size();
  DrawProgress(text);
}

void LiveTable::Clear() {
  if (drawn_ > 0) DrawProgress(absl::StrFormat("\x1b[%dA\x1b[J", drawn_));
  drawn_ = 0;
}

}  // namespace vmm
