#include "dump/html/time_line_svg.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "absl/strings/str_format.h"
#include "dump/flight/host_words.h"
#include "dump/flight/time_line.h"
#include "dump/html/escape.h"

namespace vmm {
namespace {

constexpr size_t kBins = 250;
constexpr size_t kMarks = 400;  // the most console lines shown in a window: the last ones

// A row, from top to bottom: the thread's band, the time in vmm, the exits.
constexpr double kThreadHeight = 22, kVmmTop = 25, kVmmHeight = 6, kExitsTop = 34, kExitsHeight = 26;
constexpr double kRowHeight = kExitsTop + kExitsHeight;

constexpr std::string_view kFamilyClasses[kExitFamilies] = {"pio", "mmio", "interrupted", "halt", "fatal", "other"};

// The path of a stepped area over the bins, rising from `bottom` by height(bin).
std::string StepArea(double bottom, const std::function<double(size_t)>& height) {
  std::string path = absl::StrFormat("M0 %g", bottom);
  double last = 0;
  for (size_t bin = 0; bin < kBins; ++bin) {
    const double now = std::round(height(bin) * 10) / 10;
    if (now == last) continue;
    path += absl::StrFormat("H%dV%g", bin, bottom - now);
    last = now;
  }
  return path + absl::StrFormat("H%dV%gZ", kBins, bottom);
}

void PrintArea(std::string_view css, double bottom, const std::function<double(size_t)>& height, std::ostream& out) {
  const std::string path = StepArea(bottom, height);
  out << absl::StrFormat("<path class=\"%s\" d=\"%s\"/>", css, path);
}

class TimeLine {
 public:
  TimeLine(const HostStory& story, std::ostream& out)
      : story_(story), out_(out), windows_(ChooseWindows(story)), drawn_(std::min(story.vcpus.size(), kDrawnVcpus)) {}

  void Print() {
    for (size_t i = 0; i < windows_.size(); ++i) {
      out_ << absl::StrFormat("<input class=\"choice\" type=\"radio\" name=\"w\" id=\"w%d\"%s>", i,
                              i == 0 ? " checked" : "");
    }
    out_ << "<div class=\"tabs\">";
    for (size_t i = 0; i < windows_.size(); ++i) {
      out_ << absl::StrFormat("<label for=\"w%d\">%s</label>", i, windows_[i].name);
    }
    out_ << "</div>\n";
    json_ = "{\"kinds\":[";
    for (size_t i = 0; i < kExitFamilies; ++i) {
      json_ += absl::StrFormat("%s\"%s\"", i == 0 ? "" : ",", NameOf(static_cast<ExitFamily>(i)));
    }
    json_ += "],\"windows\":[";
    for (size_t i = 0; i < windows_.size(); ++i) PrintWindow(i);
    json_ += "]}";
    PrintLegend();
    if (drawn_ < story_.vcpus.size()) {
      out_ << absl::StrFormat("<p class=\"note\">The first %d of %d vCPUs.</p>\n", drawn_, story_.vcpus.size());
    }
    out_ << "<script type=\"application/json\" id=\"bins\">" << json_ << "</script>\n";
  }

 private:
  // Seconds on the guest's clock, or else relative to the end.
  double Shown(double seconds) const {
    return story_.clock.guest_zero().has_value() ? seconds + *story_.clock.guest_zero() : seconds - story_.clock.end();
  }

  // The place of `seconds` in per cent of the window's width.
  static double Place(const Stretch& window, double seconds) { return (seconds - window.from) / window.length() * 100; }

  // Chooses the numbers on the axis. They are 1, 2 or 5 times a power of ten apart.
  void ChooseTicks(const Stretch& window) {
    constexpr double kAbout = 7;
    const double rough = window.length() / kAbout, power = std::pow(10, std::floor(std::log10(rough)));
    const double step = power * (rough / power < 1.5 ? 1 : rough / power < 3.5 ? 2 : rough / power < 7.5 ? 5 : 10);
    decimals_ = std::clamp(static_cast<int>(-std::floor(std::log10(step) + 1e-9)), 0, 9);
    ticks_.clear();
    for (double k = std::ceil(Shown(window.from) / step); k * step <= Shown(window.to) && ticks_.size() < 20; ++k) {
      ticks_.push_back(k * step + 0.0);  // no -0
    }
  }

  void PrintGrid(const Stretch& window) {
    for (const double tick : ticks_) {
      out_ << absl::StrFormat("<rect class=\"grid\" x=\"%.3f%%\" width=\"1\" height=\"100%%\"/>",
                              (tick - Shown(window.from)) / window.length() * 100);
    }
  }

  void PrintAxis(const Stretch& window) {
    out_ << "<div class=\"row axis\"><small>"
         << (story_.clock.guest_zero().has_value() ? "guest's log, s" : "before the end, s")
         << "</small><svg height=\"18\" aria-hidden=\"true\">";
    for (const double tick : ticks_) {
      const double place = (tick - Shown(window.from)) / window.length() * 100;
      const std::string_view anchor = place < 3 ? "start" : place > 97 ? "end" : "middle";
      out_ << absl::StrFormat("<text class=\"tick\" x=\"%.3f%%\" y=\"12\" text-anchor=\"%s\">%.*f</text>", place,
                              anchor, decimals_, tick);
    }
    out_ << "</svg></div>\n";
  }

  void PrintConsole(const Stretch& window) {
    if (!story_.console.has_value()) return;
    std::vector<const ConsoleLine*> lines;
    for (const ConsoleLine& line : story_.console->lines) {
      const double at = story_.clock.Seconds(line.tsc);
      if (at >= window.from && at <= window.to) lines.push_back(&line);
    }
    out_ << absl::StrFormat(
        "<div class=\"row\"><div><b>console</b><small>%d lines</small></div><svg class=\"lane\" "
        "height=\"24\" role=\"img\" aria-label=\"console lines\">",
        lines.size());
    PrintGrid(window);
    for (size_t i = lines.size() - std::min(lines.size(), kMarks); i < lines.size(); ++i) {
      const std::string_view text = lines[i]->text;
      const bool bad = IsTrouble(text);
      out_ << absl::StrFormat(
          "<rect class=\"line%s\" x=\"%.3f%%\" y=\"%d\" width=\"%s\" height=\"%d\"><title>%s</title></rect>",
          bad ? " bad" : "", Place(window, story_.clock.Seconds(lines[i]->tsc)), bad ? 0 : 8, bad ? "2" : "1",
          bad ? 24 : 12, Escape(text, false, 160));
    }
    out_ << "</svg></div>\n";
  }

  // Only those words of a dying kernel that deserve a look. vmm/witness has all of them.
  static bool IsTrouble(std::string_view line) {
    for (const std::string_view words :
         {"Kernel panic", "BUG:", "Oops", "WARNING:", "soft lockup", "LOCKUP", "stall"}) {
      if (line.find(words) != line.npos) return true;
    }
    return false;
  }

  void PrintVcpu(const VcpuStory& vcpu, size_t row, const Stretch& window) {
    const std::vector<TimeBin> bins = MakeTimeBins(vcpu, story_.clock, window, kBins);
    const VcpuSums sums = SumUp(vcpu, story_.clock);
    const bool hot = sums.starved() >= 0.1;
    out_ << absl::StrFormat(
        "<div class=\"row\"><div><b>vCPU %d</b><small%s>starved %s</small><small>%d exits</small></div>", vcpu.vcpu(),
        hot ? " class=\"hot\"" : "", sums.thread_known ? Escape(PerCent(sums.starved())) : "unknown", sums.exits);
    out_ << absl::StrFormat(
        "<svg class=\"lane\" data-row=\"%d\" height=\"%g\" tabindex=\"0\" role=\"img\" "
        "aria-label=\"vCPU %d: %s, %d exits\">",
        row, kRowHeight, vcpu.vcpu(), ThreadInWords(sums), sums.exits);
    PrintLife(vcpu, sums, window);
    PrintGrid(window);
    PrintUnknown(vcpu, sums, window);
    out_ << absl::StrFormat("<svg width=\"100%%\" height=\"%g\" viewBox=\"0 0 %d %g\" preserveAspectRatio=\"none\">",
                            kRowHeight, kBins, kRowHeight);
    PrintArea(
        "wait", kThreadHeight, [&](size_t i) { return kThreadHeight * (bins[i].ran + bins[i].waited); }, out_);
    PrintArea(
        "run", kThreadHeight, [&](size_t i) { return kThreadHeight * bins[i].ran; }, out_);
    // Any time above 0 gets a height that can be seen.
    PrintArea(
        "vmm", kVmmTop + kVmmHeight,
        [&](size_t i) { return bins[i].in_vmm > 0 ? 1 + (kVmmHeight - 1) * bins[i].in_vmm : 0; }, out_);
    PrintExits(bins);
    out_ << "</svg></svg></div>\n";
    AppendJson(vcpu, row, bins);
  }

  static std::string ThreadInWords(const VcpuSums& sums) {
    if (!sums.thread_known) return "its thread's time unknown";
    return absl::StrFormat("%s on a CPU, %s waiting", InWords(sums.ran), InWords(sums.waited));
  }

  // Draws the thread's life as a bed for its band. The thread slept in the parts that are not filled, or nobody knows.
  void PrintLife(const VcpuStory& vcpu, const VcpuSums& sums, const Stretch& window) {
    const double from = std::max(0.0, Place(window, sums.life.from)), to = std::min(100.0, Place(window, sums.life.to));
    if (from >= to) return;
    out_ << absl::StrFormat("<rect class=\"%s\" x=\"%.3f%%\" width=\"%.3f%%\" height=\"%g\"/>",
                            vcpu.sampled() ? "bed" : "unknown", from, to - from, kThreadHeight);
  }

  void PrintUnknown(const VcpuStory& vcpu, const VcpuSums& sums, const Stretch& window) {
    if (sums.kept == sums.exits || vcpu.flight.records.empty()) return;
    const double known = story_.clock.Seconds(vcpu.flight.records.front().tsc);
    const double to = std::min(100.0, Place(window, known)), from = std::max(0.0, Place(window, sums.life.from));
    if (from >= to) return;
    out_ << absl::StrFormat(
        "<rect class=\"unknown\" x=\"%.3f%%\" width=\"%.3f%%\" y=\"%g\" height=\"%g\"><title>of %d "
        "exits the last %d were kept</title></rect>",
        from, to - from, kExitsTop, kExitsHeight, sums.exits, sums.kept);
  }

  // Stacked: the whole in the last kind's colour, over it everything but that kind, and so on.
  void PrintExits(const std::vector<TimeBin>& bins) {
    uint32_t most = 1;
    for (const TimeBin& bin : bins) most = std::max(most, bin.all_exits());
    for (size_t kinds = kExitFamilies; kinds > 0; --kinds) {
      const bool any = std::ranges::any_of(bins, [&](const TimeBin& bin) { return bin.exits[kinds - 1] != 0; });
      if (!any) continue;
      PrintArea(
          kFamilyClasses[kinds - 1], kRowHeight,
          [&](size_t i) {
            uint32_t sum = 0;
            for (size_t kind = 0; kind < kinds; ++kind) sum += bins[i].exits[kind];
            if (sum == 0) return 0.0;
            const double all = bins[i].all_exits();
            return kExitsHeight * std::log1p(all) / std::log1p(most) * sum / all;
          },
          out_);
    }
  }

  void PrintWindow(size_t index) {
    const Stretch& window = windows_[index].time;
    ChooseTicks(window);
    out_ << absl::StrFormat("<figure class=\"window window%d\" data-window=\"%d\">\n", index, index);
    json_ += absl::StrFormat("%s{\"from\":%.9f,\"length\":%.9f,\"count\":%d,\"vcpus\":[", index == 0 ? "" : ",",
                             Shown(window.from), window.length(), kBins);
    PrintAxis(window);
    PrintConsole(window);
    for (size_t row = 0; row < drawn_; ++row) PrintVcpu(story_.vcpus[row], row, window);
    json_ += "]}";
    out_ << "</figure>\n";
  }

  // Appends the row's numbers for the page's script. An empty bin is 0.
  void AppendJson(const VcpuStory& vcpu, size_t row, const std::vector<TimeBin>& bins) {
    json_ += absl::StrFormat("%s{\"vcpu\":%d,\"sampled\":%s,\"bins\":[", row == 0 ? "" : ",", vcpu.vcpu(),
                             vcpu.sampled() ? "true" : "false");
    for (size_t i = 0; i < bins.size(); ++i) {
      const TimeBin& bin = bins[i];
      if (i > 0) json_ += ',';
      if (bin.ran + bin.waited + bin.in_vmm == 0 && bin.all_exits() == 0) {
        json_ += '0';
        continue;
      }
      json_ += absl::StrFormat("[%.0f,%.0f,%.0f", bin.ran * 1000, bin.waited * 1000, bin.in_vmm * 1000);
      for (const uint32_t count : bin.exits) json_ += absl::StrFormat(",%d", count);
      json_ += ']';
    }
    json_ += "]}";
  }

  void PrintLegend() {
    const auto entry = [this](std::string_view css, std::string_view words) {
      out_ << absl::StrFormat(
          "<span><svg viewBox=\"0 0 12 12\"><rect class=\"%s\" width=\"12\" height=\"12\"/></svg>%s</span>", css,
          words);
    };
    out_ << "<div class=\"legend\">";
    entry("run", "on a CPU");
    entry("wait", "waiting for a CPU");
    entry("bed", "asleep: halted, or vmm waits");
    entry("vmm", "of that in vmm");
    for (size_t i = 0; i < kExitFamilies; ++i) {
      const bool any = std::ranges::any_of(story_.vcpus, [&](const VcpuStory& vcpu) {
        return std::ranges::any_of(vcpu.flight.records, [&](const FlightRecord& record) {
          return FamilyOf(record.kind) == static_cast<ExitFamily>(i);
        });
      });
      if (any) entry(kFamilyClasses[i], absl::StrFormat("exits: %s", NameOf(static_cast<ExitFamily>(i))));
    }
    const bool all_known = std::ranges::all_of(story_.vcpus, [](const VcpuStory& vcpu) {
      return vcpu.sampled() && vcpu.flight.records.size() == vcpu.flight.header.exits;
    });
    if (!all_known) entry("unknown", "not kept");
    out_ << "<span>exits on a logarithmic scale</span></div>\n";
  }

  const HostStory& story_;
  std::ostream& out_;
  const std::vector<TimeWindow> windows_;
  const size_t drawn_;
  std::string json_;
  std::vector<double> ticks_;  // in seconds as shown
  int decimals_ = 0;
};

}  // namespace

void PrintTimeLine(const HostStory& story, std::ostream& out) { TimeLine(story, out).Print(); }

}  // namespace vmm
