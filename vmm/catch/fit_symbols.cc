#include "vmm/catch/fit_symbols.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "absl/strings/str_format.h"
#include "base/guest_addr.h"

namespace vmm {
namespace {

constexpr std::string_view kBannerStart = "Linux version ";

// Names of the first system call in x86 Linux: since 4.17, earlier in 4.x, and in older kernels.
constexpr std::string_view kReadCalls[] = {"__x64_sys_read", "SyS_read", "sys_read"};

absl::Status CheckBanner(const SymbolList& symbols, uint64_t banner, const KernelMemory& memory) {
  const absl::StatusOr<std::string> text = memory.ReadString(banner, kBannerStart.size());
  if (text.ok() && *text == kBannerStart) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrFormat("%s is of another kernel: at its linux_banner, here %#x, there is no \"%s\"", symbols.Source(),
                      banner, std::string(kBannerStart.substr(0, kBannerStart.size() - 1))));
}

absl::Status CheckSystemCalls(const SymbolList& symbols, const KernelMemory& memory) {
  const std::optional<uint64_t> table = symbols.Find("sys_call_table");
  if (!table.has_value()) return absl::OkStatus();
  const absl::StatusOr<uint64_t> first = memory.ReadObject<uint64_t>(*table);
  bool known = false;
  for (const std::string_view name : kReadCalls) {
    const std::optional<uint64_t> read = symbols.Find(name);
    if (read.has_value() && first.ok() && *read == *first) return absl::OkStatus();
    known = known || read.has_value();
  }
  if (!known) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrFormat("%s is of another build: at its sys_call_table, here %#x, the first entry is not its sys_read",
                      symbols.Source(), *table));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SymbolList>> FitSymbols(const SymbolList& file, const KernelMemory& memory) {
  const std::optional<uint64_t> text = file.Find("_text");
  if (!text.has_value() || !file.Find("linux_banner").has_value()) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "%s has no _text and linux_banner: it is no kernel's (Debian's linux-image holds a System.map that only says "
        "where the real one is)",
        file.Source()));
  }
  std::unique_ptr<SymbolList> symbols = file.Moved(memory.map().image.vaddr - AlignDown(*text, kPageSize));
  RETURN_IF_ERROR(CheckBanner(*symbols, *symbols->Find("linux_banner"), memory));
  RETURN_IF_ERROR(CheckSystemCalls(*symbols, memory));
  return symbols;
}

}  // namespace vmm
