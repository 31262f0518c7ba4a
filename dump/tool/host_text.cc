#include "dump/tool/host_text.h"

#include "absl/strings/str_format.h"
#include "dump/flight/host_words.h"
#include "dump/flight/time_line.h"
#include "dump/flight/vcpu_sums.h"
#include "dump/tool/printable.h"

namespace vmm {
namespace {

constexpr size_t kLastExits = 20;
constexpr size_t kFewVcpus = 16;  // these are printed in full; --json has the others too

class HostText {
 public:
  HostText(const HostStory& story, bool colour, std::ostream& out) : story_(story), colour_(colour), out_(out) {}

  void Print() {
    Heading("The host's side");
    if (story_.clock.guest_zero().has_value()) {
      out_ << "  times are the guest's, as its log has them\n";
    } else if (!story_.empty()) {
      out_ << "  times are seconds before the end: the console does not tell the guest's clock, or that ran apart\n";
    }
    for (const std::string& refused : story_.refused) out_ << "  refused    " << Printable(refused) << "\n";
    for (size_t i = 0; i < story_.vcpus.size() && i < kFewVcpus; ++i) PrintVcpu(story_.vcpus[i]);
    if (story_.vcpus.size() > kFewVcpus) {
      out_ << absl::StrFormat("\n  and %d more vCPUs (--json)\n", story_.vcpus.size() - kFewVcpus);
    }
  }

 private:
  void Heading(const std::string& text) { out_ << "\n" << (colour_ ? "\x1b[1m" + text + "\x1b[0m" : text) << "\n"; }
  void Row(std::string_view label, const std::string& value) { out_ << absl::StrFormat("  %-10s %s\n", label, value); }

  void PrintVcpu(const VcpuStory& vcpu) {
    const VcpuSums sums = SumUp(vcpu, story_.clock);
    Heading(absl::StrFormat("vCPU %d", vcpu.vcpu()));
    PrintThread(vcpu, sums);
    Row("exits", Exits(sums));
    for (const ExitPlace& place : sums.places) {
      out_ << absl::StrFormat("  %10d  %-12s %-18s %10s in vmm\n", place.exits, NameOf(place.kind),
                              PlaceInWords(place.kind, place.address), InWords(place.handling));
    }
    if (sums.longest_handling.has_value()) {
      const FlightRecord& record = vcpu.flight.records[*sums.longest_handling];
      Row("longest", absl::StrFormat("in vmm %s, at %s: %s", HandlingInWords(record, story_.clock),
                                     Stamp(story_.clock, story_.clock.Seconds(record.tsc)), DescribeExit(record)));
    }
    if (sums.longest_gap.has_value()) {
      Row("", absl::StrFormat("without an exit %s, from %s", InWords(sums.longest_gap->length()),
                              Stamp(story_.clock, sums.longest_gap->from)));
    }
    Row("KVM", KvmCounters(vcpu));
    PrintLastExits(vcpu);
  }

  void PrintThread(const VcpuStory& vcpu, const VcpuSums& sums) {
    const std::string lived = "lived " + InWords(sums.life.length());
    if (!sums.thread_known) {
      Row("thread", lived + "; the host's scheduler told nothing of it");
      return;
    }
    Row("thread", absl::StrFormat("%s: %s on a CPU, %s waiting for one, %s asleep", lived, InWords(sums.ran),
                                  InWords(sums.waited), InWords(sums.asleep())));
    Row("starved", PerCent(sums.starved()) + " of the time that it could have run" + WorstWait(vcpu));
  }

  std::string WorstWait(const VcpuStory& vcpu) {
    const std::optional<Stretch> wait = LongestWait(ThreadStretches(vcpu, story_.clock));
    if (!wait.has_value()) return "";
    return absl::StrFormat("; longest about %s, from %s", InWords(wait->length()), Stamp(story_.clock, wait->from));
  }

  static std::string Exits(const VcpuSums& sums) {
    std::string text = absl::StrFormat("%d", sums.exits);
    if (sums.kept < sums.exits) text += absl::StrFormat(", of which the last %d are known", sums.kept);
    std::string_view separator = ": ";
    for (size_t i = 0; i < kExitFamilies; ++i) {
      if (sums.by_family[i] == 0) continue;
      text += absl::StrFormat("%s%d %s", separator, sums.by_family[i], NameOf(static_cast<ExitFamily>(i)));
      separator = ", ";
    }
    return text;
  }

  static std::string KvmCounters(const VcpuStory& vcpu) {
    if (vcpu.kvm.empty()) return "no counters in the dump";
    std::string text;
    for (const std::string_view name : TellingVcpuStats()) {
      const std::optional<uint64_t> value = FindKvmStat(vcpu.kvm, name);
      if (value.value_or(0) != 0) text += absl::StrFormat("%s%s %d", text.empty() ? "" : ", ", name, *value);
    }
    return text.empty() ? "counted nothing" : text;
  }

  void PrintLastExits(const VcpuStory& vcpu) {
    const std::vector<FlightRecord>& records = vcpu.flight.records;
    if (records.empty()) return;
    const size_t first = records.size() - std::min(records.size(), kLastExits);
    Row("last", absl::StrFormat("%d exits", records.size() - first));
    for (size_t i = first; i < records.size(); ++i) {
      out_ << absl::StrFormat("    %s %9s  %s\n", Stamp(story_.clock, story_.clock.Seconds(records[i].tsc)),
                              HandlingInWords(records[i], story_.clock), DescribeExit(records[i]));
    }
  }

  const HostStory& story_;
  const bool colour_;
  std::ostream& out_;
};

}  // namespace

void PrintHostStory(const HostStory& story, bool colour, std::ostream& out) {
  if (story.empty() && story.refused.empty()) return;
  HostText(story, colour, out).Print();
}

}  // namespace vmm
