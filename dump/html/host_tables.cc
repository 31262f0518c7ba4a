#include "dump/html/host_tables.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "dump/flight/host_words.h"
#include "dump/flight/time_line.h"
#include "dump/flight/vcpu_sums.h"
#include "dump/html/escape.h"

namespace vmm {
namespace {

constexpr size_t kVcpus = 64;
constexpr size_t kLastExits = 20;
constexpr size_t kConsoleLines = 200;
constexpr double kStarved = 0.1;  // from this share on, a colour

std::string Cell(const std::string& text, std::string_view css = "") {
  return css.empty() ? "<td>" + text + "</td>" : absl::StrFormat("<td class=\"%s\">%s</td>", css, text);
}

// One unit for the whole column, so that values can be compared at a glance.
std::string InSeconds(double seconds) { return absl::StrFormat("%.3f", seconds); }
std::string InMilliseconds(double seconds) { return absl::StrFormat("%.3f", seconds * 1e3); }

std::string LongestHandling(const VcpuStory& vcpu, const VcpuSums& sums, const HostClock& clock) {
  if (!sums.longest_handling.has_value()) return "";
  const uint32_t ticks = vcpu.flight.records[*sums.longest_handling].handling;
  return (ticks == kHandlingOrMore ? "&gt;= " : "") + InMilliseconds(clock.SecondsOfTicks(ticks));
}

void PrintPlaces(const VcpuSums& sums, std::ostream& out) {
  if (sums.places.empty()) return;
  out << "<table><tr><th>exits</th><th class=\"left\">kind</th><th class=\"left\">where</th><th>in vmm</th></tr>\n";
  for (const ExitPlace& place : sums.places) {
    out << absl::StrFormat(
        "<tr><td>%d</td><td class=\"left\">%s</td><td class=\"left\"><code>%s</code></td><td>%s</td></tr>\n",
        place.exits, NameOf(place.kind), PlaceInWords(place.kind, place.address), InWords(place.handling));
  }
  out << "</table>\n";
}

void PrintLastExits(const VcpuStory& vcpu, const HostClock& clock, std::ostream& out) {
  const std::vector<FlightRecord>& records = vcpu.flight.records;
  if (records.empty()) return;
  out << "<pre>";
  for (size_t i = records.size() - std::min(records.size(), kLastExits); i < records.size(); ++i) {
    out << absl::StrFormat("<span class=\"dim\">%s</span> %s  %s\n", Stamp(clock, clock.Seconds(records[i].tsc)),
                           Escape(absl::StrFormat("%9s", HandlingInWords(records[i], clock))),
                           Escape(DescribeExit(records[i])));
  }
  out << "</pre>\n";
}

void PrintCounters(const HostStory& story, std::ostream& out) {
  const size_t columns = std::min<size_t>(story.vcpus.size(), 16);
  const bool any = std::ranges::any_of(story.vcpus, [](const VcpuStory& vcpu) { return !vcpu.kvm.empty(); });
  if (!any) {
    out << "<p class=\"note\">No counters of KVM in the dump.</p>\n";
    return;
  }
  out << "<details><summary><b>KVM's counters</b></summary>\n<div class=\"wide\"><table><tr><th></th>";
  for (size_t i = 0; i < columns; ++i) out << absl::StrFormat("<th>vCPU %d</th>", story.vcpus[i].vcpu());
  out << "</tr>\n";
  for (const std::string_view name : TellingVcpuStats()) {
    const auto value = [&](size_t i) { return FindKvmStat(story.vcpus[i].kvm, name); };
    std::string row;
    bool telling = false;
    for (size_t i = 0; i < columns; ++i) {
      row += value(i).has_value() ? absl::StrFormat("<td>%d</td>", *value(i)) : "<td></td>";
      telling |= value(i).value_or(0) != 0;
    }
    if (telling) out << "<tr><td><code>" << name << "</code></td>" << row << "</tr>\n";
  }
  out << "</table></div></details>\n";
}

void PrintConsole(const HostStory& story, std::ostream& out) {
  if (!story.console.has_value() || story.console->lines.empty()) return;
  const std::vector<ConsoleLine>& lines = story.console->lines;
  const size_t first = lines.size() - std::min(lines.size(), kConsoleLines);
  out << absl::StrFormat(
      "<details><summary><b>Console</b>, the last %d of %d lines, by the time when each began</summary>\n<pre>",
      lines.size() - first, story.console->lines_seen);
  for (size_t i = first; i < lines.size(); ++i) {
    out << absl::StrFormat("<span class=\"dim\">%s</span> %s%s\n",
                           Stamp(story.clock, story.clock.Seconds(lines[i].tsc)), Escape(lines[i].text),
                           lines[i].full_size > lines[i].text.size() ? "..." : "");
  }
  out << "</pre></details>\n";
}

}  // namespace

void PrintSums(const HostStory& story, std::ostream& out) {
  out << "<div class=\"wide\"><table id=\"sums\"><tr><th></th><th>lived, s</th><th>on a CPU, s</th><th>asleep, s</th>"
         "<th>waited, s</th><th>starved</th><th>longest wait, s</th><th>exits</th><th>longest in vmm, ms</th>"
         "<th>longest without exit, ms</th></tr>\n";
  for (size_t i = 0; i < story.vcpus.size() && i < kVcpus; ++i) {
    const VcpuStory& vcpu = story.vcpus[i];
    const VcpuSums sums = SumUp(vcpu, story.clock);
    const std::optional<Stretch> wait = LongestWait(ThreadStretches(vcpu, story.clock));
    const auto of_thread = [&](const std::string& text, std::string_view css = "") {
      return sums.thread_known ? Cell(text, css) : Cell("unknown");
    };
    out << "<tr>" << Cell(absl::StrFormat("vCPU %d", vcpu.vcpu())) << Cell(InSeconds(sums.life.length()))
        << of_thread(InSeconds(sums.ran)) << of_thread(InSeconds(sums.asleep())) << of_thread(InSeconds(sums.waited))
        << of_thread(Escape(PerCent(sums.starved())), sums.starved() >= kStarved ? "hot" : "")
        << Cell(wait.has_value() ? InSeconds(wait->length()) : "") << Cell(absl::StrFormat("%d", sums.exits))
        << Cell(LongestHandling(vcpu, sums, story.clock))
        << Cell(sums.longest_gap.has_value() ? InMilliseconds(sums.longest_gap->length()) : "") << "</tr>\n";
  }
  out << "</table></div>\n<p class=\"note\">Starved: of the time that the vCPU's thread could have run, the share in "
         "which the host let it wait. Longest times are of the exits that were kept, the last ones.</p>\n";
}

void PrintHostDetails(const HostStory& story, std::ostream& out) {
  if (story.empty()) return;
  out << "<h2>The host in detail</h2>\n";
  PrintConsole(story, out);
  PrintCounters(story, out);
  for (size_t i = 0; i < story.vcpus.size() && i < kVcpus; ++i) {
    const VcpuSums sums = SumUp(story.vcpus[i], story.clock);
    out << absl::StrFormat("<details><summary><b>vCPU %d</b>, where its exits went, and its last ones</summary>\n",
                           story.vcpus[i].vcpu());
    PrintPlaces(sums, out);
    PrintLastExits(story.vcpus[i], story.clock, out);
    out << "</details>\n";
  }
}

}  // namespace vmm
