#include "dump/check/finding.h"

#include <algorithm>

#include "absl/strings/str_format.h"

namespace vmm {

std::string_view NameOf(Reader reader) {
  switch (reader) {
    case Reader::kCrash: return "crash";
    case Reader::kDrgn: return "drgn";
    case Reader::kGdb: return "gdb";
    case Reader::kMakedumpfile: return "makedumpfile";
    case Reader::kLibkdumpfile: return "libkdumpfile";
  }
  return "unknown";
}

std::string_view NameOf(Harm harm) {
  switch (harm) {
    case Harm::kLess: return "less";
    case Harm::kWrong: return "wrong";
    case Harm::kRefused: return "refused";
  }
  return "unknown";
}

std::optional<Harm> Finding::harm() const {
  std::optional<Harm> worst;
  for (const Breakage& breakage : breaks) {
    if (!worst.has_value() || breakage.harm > *worst) worst = breakage.harm;
  }
  return worst;
}

std::optional<std::string> WhyNot(Reader reader, VmcoreFormat format, std::span<const Finding> findings) {
  if (reader == Reader::kGdb && format == VmcoreFormat::kKdump) return "it reads ELF cores only";
  std::optional<Harm> worst;
  std::string why;
  for (const Finding& finding : findings) {
    for (const Breakage& breakage : finding.breaks) {
      if (breakage.reader != reader || breakage.harm < Harm::kWrong) continue;
      if (worst.has_value() && *worst >= breakage.harm) continue;
      worst = breakage.harm;
      why = absl::StrFormat("%s: %s", finding.what, breakage.how);
    }
  }
  if (!worst.has_value()) return std::nullopt;
  return why;
}

}  // namespace vmm
