#include "dump/flight/host_story.h"

#include <map>
#include <utility>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

constexpr size_t kMaxRefused = 16;

class Reader {
 public:
  void Read(const VmcoreNote& note) {
    if (note.type != 0) return;
    if (note.name == kFlightNoteName) {
      Take(FlightNote::Parse(note.desc), [this](FlightNote flight) { return AddVcpu(std::move(flight)); });
    } else if (note.name == kSchedNoteName) {
      Take(SchedNote::Parse(note.desc), [this](SchedNote sched) {
        const uint32_t vcpu = sched.vcpu;
        return sched_.size() < HostStory::kMaxVcpus && sched_.emplace(vcpu, std::move(sched)).second;
      });
    } else if (note.name == kKvmStatsNoteName) {
      Take(KvmStatsNote::Parse(note.desc), [this](KvmStatsNote stats) {
        return kvm_.size() <= HostStory::kMaxVcpus && kvm_.emplace(stats.vcpu, std::move(stats.stats)).second;
      });
    } else if (note.name == kConsoleNoteName) {
      Take(ConsoleNote::Parse(note.desc), [this](ConsoleNote console) {
        if (story_.console.has_value()) return false;
        story_.console = std::move(console);
        return true;
      });
    }
  }

  HostStory Finish() {
    std::vector<FlightNoteHeader> headers;
    for (auto& [number, vcpu] : vcpus_) {
      if (const auto sched = sched_.find(number); sched != sched_.end()) vcpu.sched = std::move(sched->second);
      if (const auto kvm = kvm_.find(number); kvm != kvm_.end()) vcpu.kvm = std::move(kvm->second);
      headers.push_back(vcpu.flight.header);
      story_.vcpus.push_back(std::move(vcpu));
    }
    if (const auto vm = kvm_.find(kKvmStatsOfVm); vm != kvm_.end()) story_.vm = std::move(vm->second);
    story_.clock = HostClock(headers, story_.console.has_value() ? story_.console->lines : std::vector<ConsoleLine>());
    return std::move(story_);
  }

 private:
  // `add` returns false if such a note is there already, or if there are too many.
  template <typename Note, typename Add>
  void Take(absl::StatusOr<Note> note, Add add) {
    std::string why;
    if (!note.ok()) {
      why = std::string(note.status().message());
    } else if (!add(*std::move(note))) {
      why = "a note that was there already, or is one too many";
    }
    if (!why.empty() && story_.refused.size() < kMaxRefused) story_.refused.push_back(std::move(why));
  }

  bool AddVcpu(FlightNote flight) {
    const uint32_t number = flight.header.vcpu;
    return vcpus_.size() < HostStory::kMaxVcpus && vcpus_.emplace(number, VcpuStory{std::move(flight)}).second;
  }

  HostStory story_;
  std::map<uint32_t, VcpuStory> vcpus_;
  std::map<uint32_t, SchedNote> sched_;
  std::map<uint32_t, std::vector<KvmStat>> kvm_;
};

}  // namespace

HostStory ReadHostStory(std::span<const VmcoreNote> notes) {
  Reader reader;
  for (const VmcoreNote& note : notes) reader.Read(note);
  return reader.Finish();
}

}  // namespace vmm
