#include "vmm/run/virtio_note.h"

#include "absl/strings/str_format.h"
#include "dump/abi/virtio_note_abi.h"

namespace vmm {
namespace {

constexpr std::string_view kMore = "more does not fit\n";

std::string Lines(const VirtioMmio::Report& report) {
  std::string text = absl::StrFormat("%s: status %#x, features %#x\n", report.name, report.status, report.features);
  for (size_t i = 0; i < report.queues.size(); ++i) {
    const VirtioMmio::QueueReport& queue = report.queues[i];
    if (!queue.ready) continue;
    absl::StrAppendFormat(
        &text, "  queue %d: %d descriptors at %#x; %d requests taken, %d given back; next available %d, next used %d\n",
        i, queue.layout.size, queue.layout.desc.value, queue.progress.popped, queue.progress.pushed,
        queue.progress.next_avail, queue.progress.next_used);
  }
  for (const RequestInFlight& request : report.in_flight) {
    absl::StrAppendFormat(&text, "  queue %d, chain %d: %s\n", request.queue, request.chain, request.words);
  }
  return text;
}

}  // namespace

std::string VirtioNoteText(std::span<const VirtioMmio::Report> reports) {
  std::string text;
  for (const VirtioMmio::Report& report : reports) {
    if (report.status == 0) continue;
    const std::string lines = Lines(report);
    const size_t room = kVirtioNoteMaxBytes - kMore.size() - text.size();
    if (lines.size() > room) {
      // Up to the last whole line that fits.
      const size_t end = lines.rfind('\n', room == 0 ? 0 : room - 1);
      return text + (end == std::string::npos ? "" : lines.substr(0, end + 1)) + std::string(kMore);
    }
    text += lines;
  }
  return text;
}

}  // namespace vmm
