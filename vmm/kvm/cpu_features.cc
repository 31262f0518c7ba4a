#include "vmm/kvm/cpu_features.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "vmm/kvm/cpu_feature_names.h"

namespace vmm {
namespace {

constexpr std::string_view kPerfmon = "arch_perfmon";
// Longer than any name. A longer entry cannot be a typing mistake and is not compared.
constexpr size_t kLongestName = 32;

std::vector<CpuidBit> FindBits(std::string_view name) {
  std::vector<CpuidBit> bits;
  for (const CpuFeatureWord& word : CpuFeatureWords()) {
    for (const CpuFeatureName& feature : word.names) {
      if (feature.name == name) bits.push_back({word.function, word.index, word.reg, feature.bit});
    }
  }
  return bits;
}

// Removes differences in case and in the separators that people mix up: "AVX512-VNNI", "sse4.2".
std::string Folded(std::string_view name) {
  std::string folded;
  for (char c : name) {
    if (c == '_' || c == '-' || c == '.' || c == ' ') continue;
    folded.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return folded;
}

// The number of edits from one to the other. Swapping two adjacent letters is one edit.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> cost(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      const size_t replaced = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

// Up to three names: the nearest ones if any are near, or else names that begin with `name`.
std::vector<std::string> NearMatches(std::string_view name) {
  if (name.size() < 2 || name.size() > kLongestName) return {};
  const std::string wanted = Folded(name);
  const size_t farthest = wanted.size() <= 4 ? 1 : 2;
  std::map<size_t, std::vector<std::string>> by_distance;
  const auto consider = [&](std::string_view candidate) {
    const std::string folded = Folded(candidate);
    size_t distance = EditDistance(wanted, folded);
    if (distance > farthest) {
      if (!folded.starts_with(wanted)) return;
      distance = farthest + 1;
    }
    std::vector<std::string>& names = by_distance[distance];
    const bool is_new = std::find(names.begin(), names.end(), candidate) == names.end();
    if (is_new && names.size() < 3) names.emplace_back(candidate);
  };
  for (const CpuFeatureWord& word : CpuFeatureWords()) {
    for (const CpuFeatureName& feature : word.names) consider(feature.name);
  }
  consider(kPerfmon);
  return by_distance.empty() ? std::vector<std::string>{} : by_distance.begin()->second;
}

absl::Status UnknownName(std::string_view name) {
  const std::vector<std::string> near = NearMatches(name);
  if (near.empty()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("\"%s\" is no CPUID feature; names are those of the flags line in /proc/cpuinfo", name));
  }
  return absl::InvalidArgumentError(
      absl::StrFormat("\"%s\" is no CPUID feature; did you mean %s?", name, absl::StrJoin(near, " or ")));
}

}  // namespace

absl::StatusOr<CpuFeatures> ParseCpuFeatures(std::string_view list) {
  CpuFeatures features;
  std::map<std::string, bool, std::less<>> seen;
  while (!list.empty()) {
    const std::string_view entry = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), entry.size() + 1));
    if (entry.size() < 2 || (entry[0] != '+' && entry[0] != '-')) {
      return absl::InvalidArgumentError(
          absl::StrFormat("\"%s\": each entry is +name or -name, as in -la57,+x2apic", entry));
    }
    const bool wanted = entry[0] == '+';
    const std::string name(entry.substr(1));
    std::vector<CpuidBit> bits = FindBits(name);
    if (bits.empty() && name != kPerfmon) return UnknownName(name);

    const auto [earlier, is_new] = seen.emplace(name, wanted);
    if (!is_new && earlier->second != wanted) {
      return absl::InvalidArgumentError(absl::StrFormat("\"%s\" is both asked for and taken away", name));
    }
    if (!is_new) continue;
    if (name == kPerfmon) {
      features.perfmon = wanted;
    } else {
      features.changes.push_back({name, wanted, std::move(bits)});
    }
  }
  return features;
}

}  // namespace vmm
