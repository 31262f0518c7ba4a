#include "dump/compare/compare_notes.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "dump/read/registers.h"

namespace vmm {
namespace {

bool HasQemuNotes(const Vmcore& core) { return core.FindNote("QEMU") != nullptr; }

// These are skipped as notes because registers are compared one by one.
bool IsOfRegisters(const VmcoreNote& note) { return note.name == "CORE" || note.name == "QEMU"; }

class Comparison {
 public:
  Comparison(const Vmcore& a, const Vmcore& b) : a_(a), b_(b) {}

  std::vector<std::string> Run() {
    CompareRegisters();
    CompareOtherNotes();
    return std::move(lines_);
  }

 private:
  void Add(std::string line) {
    if (lines_.size() < kMaxListed) lines_.push_back(std::move(line));
  }

  void CompareRegisters() {
    if (a_.cpus().size() != b_.cpus().size()) {
      Add(absl::StrFormat("there are %d CPUs and %d", a_.cpus().size(), b_.cpus().size()));
    }
    const bool all = HasQemuNotes(a_) && HasQemuNotes(b_);
    for (size_t cpu = 0; cpu < std::min(a_.cpus().size(), b_.cpus().size()); ++cpu) {
      const auto registers_a = RegistersOf(a_.cpus()[cpu]), registers_b = RegistersOf(b_.cpus()[cpu]);
      for (size_t i = 0; i < (all ? kNoteRegisters : kPrstatusRegisters); ++i) {
        if (registers_a[i].second == registers_b[i].second) continue;
        Add(absl::StrFormat("CPU %d: %s is %#x and %#x", cpu, registers_a[i].first, registers_a[i].second,
                            registers_b[i].second));
      }
      CompareSegments(cpu, all);
    }
  }

  void CompareSegments(size_t cpu, bool all) {
    const auto segments_a = SegmentsOf(a_.cpus()[cpu]), segments_b = SegmentsOf(b_.cpus()[cpu]);
    for (size_t i = 0; i < (all ? segments_a.size() : kPrstatusSegments); ++i) {
      const auto& [name, a] = segments_a[i];
      const SegmentState& b = segments_b[i].second;
      if (a.selector != b.selector) {
        Add(absl::StrFormat("CPU %d: %s is %#x and %#x", cpu, name, a.selector, b.selector));
      }
      if (!all) continue;
      if (a.base != b.base) Add(absl::StrFormat("CPU %d: %s.base is %#x and %#x", cpu, name, a.base, b.base));
      if (a.limit != b.limit) Add(absl::StrFormat("CPU %d: %s.limit is %#x and %#x", cpu, name, a.limit, b.limit));
    }
  }

  // Compares the n-th note of a name and type in one dump with the n-th in the other.
  void CompareOtherNotes() {
    std::vector<const VmcoreNote*> notes_b;
    for (const VmcoreNote& note : b_.notes()) {
      if (!IsOfRegisters(note)) notes_b.push_back(&note);
    }
    const auto kind = [](const VmcoreNote* note) { return std::pair(std::string_view(note->name), note->type); };
    std::stable_sort(notes_b.begin(), notes_b.end(), [&](auto* x, auto* y) { return kind(x) < kind(y); });
    std::vector<const VmcoreNote*> notes_a;
    for (const VmcoreNote& note : a_.notes()) {
      if (!IsOfRegisters(note)) notes_a.push_back(&note);
    }
    std::stable_sort(notes_a.begin(), notes_a.end(), [&](auto* x, auto* y) { return kind(x) < kind(y); });

    size_t i = 0, j = 0;
    while (i < notes_a.size() || j < notes_b.size()) {
      const bool has_a = i < notes_a.size(), has_b = j < notes_b.size();
      if (!has_b || (has_a && kind(notes_a[i]) < kind(notes_b[j]))) {
        Add(absl::StrFormat("only the first has a note %s", notes_a[i++]->name));
      } else if (!has_a || kind(notes_b[j]) < kind(notes_a[i])) {
        Add(absl::StrFormat("only the second has a note %s", notes_b[j++]->name));
      } else {
        const VmcoreNote &a = *notes_a[i++], &b = *notes_b[j++];
        if (a.desc != b.desc) {
          Add(absl::StrFormat("note %s differs: %d bytes and %d", a.name, a.desc.size(), b.desc.size()));
        }
      }
    }
  }

  const Vmcore& a_;
  const Vmcore& b_;
  std::vector<std::string> lines_;
};

}  // namespace

std::vector<std::string> CompareNotes(const Vmcore& a, const Vmcore& b) { return Comparison(a, b).Run(); }

}  // namespace vmm
