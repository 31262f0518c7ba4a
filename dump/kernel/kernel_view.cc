#include "dump/kernel/kernel_view.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "base/printable.h"
#include "dump/kernel/kallsyms.h"

namespace vmm {
namespace {

constexpr size_t kMaxBanner = 512;
constexpr std::string_view kBannerStart = "Linux version ";

}  // namespace

absl::StatusOr<std::vector<LogRecord>> ReadGuestLog(const PhysicalMemory& memory, const FoundKernel& found,
                                                    size_t max_records) {
  if (!found.map.has_value()) return absl::FailedPreconditionError(found.why_not);
  if (found.vmcoreinfo.has_value()) {
    const auto by_info = [&](std::string_view name) { return found.vmcoreinfo->Symbol(name); };
    auto log = ReadKernelLog(KernelMemory(memory, *found.map), StructLayout(&*found.vmcoreinfo, nullptr), by_info,
                             max_records);
    if (log.ok()) return log;
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<KernelView> view, KernelView::Open(memory, found));
  return view->ReadLog(max_records);
}

KernelView::KernelView(const PhysicalMemory& memory, const FoundKernel& found)
    : memory_(memory, *found.map), info_(found.vmcoreinfo), layout_(info_.has_value() ? &*info_ : nullptr, nullptr) {}

absl::StatusOr<std::unique_ptr<KernelView>> KernelView::Open(const PhysicalMemory& memory, const FoundKernel& found,
                                                             std::unique_ptr<SymbolList> given) {
  if (!found.map.has_value()) return absl::FailedPreconditionError(found.why_not);
  std::unique_ptr<KernelView> view(new KernelView(memory, found));
  if (!found.why_not.empty()) view->why_not_.push_back(found.why_not);
  RETURN_IF_ERROR(view->OpenSymbols(std::move(given), found));
  view->OpenBtf();
  view->FindCodeAndModules();
  return view;
}

absl::Status KernelView::OpenSymbols(std::unique_ptr<SymbolList> given, const FoundKernel& found) {
  if (given == nullptr) {
    absl::StatusOr<std::unique_ptr<Kallsyms>> kallsyms = Kallsyms::Open(memory_, info_);
    if (kallsyms.ok()) {
      symbols_ = *std::move(kallsyms);
    } else {
      why_not_.emplace_back(kallsyms.status().message());
    }
    return absl::OkStatus();
  }
  uint64_t offset = found.kernel_offset.value_or(0);
  const std::optional<uint64_t> stext = given->Find("_stext");
  const std::optional<uint64_t> real_stext = info_.has_value() ? info_->Symbol("_stext") : std::nullopt;
  if (stext.has_value() && real_stext.has_value()) offset = *real_stext - *stext;
  if (!given->Find("linux_banner").has_value()) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "%s has no linux_banner: it is no kernel's (Debian's linux-image holds a System.map that only says where the "
        "real one is)",
        given->Source()));
  }
  symbols_ = given->Moved(offset);
  if (!Banner().starts_with(kBannerStart)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s is of another kernel: where it has linux_banner there is none", given->Source()));
  }
  return absl::OkStatus();
}

void KernelView::OpenBtf() {
  if (symbols_ == nullptr) return;
  absl::StatusOr<Btf> btf = Btf::Read(memory_, *symbols_);
  if (!btf.ok()) {
    why_not_.emplace_back(btf.status().message());
    return;
  }
  btf_ = *std::move(btf);
  layout_ = StructLayout(info_.has_value() ? &*info_ : nullptr, &*btf_);
}

void KernelView::FindCodeAndModules() {
  std::optional<OrcTable> orc;
  if (symbols_ != nullptr) {
    const absl::StatusOr<OrcTable> found = OrcTable::Find(memory_, *symbols_);
    if (found.ok()) {
      orc = *found;
    } else {
      why_not_.emplace_back(found.status().message());
    }
    constexpr std::string_view kBounds[][2] = {{"_stext", "_etext"}, {"_sinittext", "_einittext"}};
    for (const auto& [first, last] : kBounds) {
      const std::optional<uint64_t> start = Find(first);
      const std::optional<uint64_t> end = Find(last);
      if (start && end && *start < *end && memory_.IsImage(*start)) code_.push_back({*start, *end - *start, orc});
    }
    if (const auto list = Find("modules"); list) {
      modules_ = ReadModules(memory_, layout_, *list, orc.has_value() ? std::optional(orc->layout()) : std::nullopt);
    }
  }
  if (code_.empty()) {
    code_.push_back({memory_.map().image.vaddr, memory_.map().image.range.size, orc});
  }
  for (const Module& module : modules_) code_.insert(code_.end(), module.code.begin(), module.code.end());
}

std::optional<uint64_t> KernelView::Find(std::string_view name) const {
  return symbols_ != nullptr ? symbols_->Find(name) : std::nullopt;
}

std::string KernelView::Banner() const {
  const std::optional<uint64_t> at = Find("linux_banner");
  if (!at.has_value()) return "";
  std::string banner = memory_.ReadString(*at, kMaxBanner).value_or("");
  while (!banner.empty() && banner.back() == '\n') banner.pop_back();
  for (char& c : banner) {
    if (!IsPrintable(c)) c = '?';
  }
  return banner;
}

std::string KernelView::Release() const {
  if (info_.has_value()) return std::string(info_->release());
  const std::string banner = Banner();
  if (!banner.starts_with(kBannerStart)) return "";
  const std::string rest = banner.substr(kBannerStart.size());
  return rest.substr(0, rest.find(' '));
}

std::optional<uint64_t> KernelView::TaintMask() const {
  const std::optional<uint64_t> at = Find("tainted_mask");
  if (!at.has_value()) return std::nullopt;
  const absl::StatusOr<uint64_t> mask = memory_.ReadObject<uint64_t>(*at);
  return mask.ok() ? std::optional<uint64_t>(*mask) : std::nullopt;
}

std::optional<int> KernelView::PanicCpu() const {
  const std::optional<uint64_t> at = Find("panic_cpu");
  if (!at.has_value()) return std::nullopt;
  const absl::StatusOr<int32_t> cpu = memory_.ReadObject<int32_t>(*at);
  return cpu.ok() && *cpu >= 0 ? std::optional<int>(*cpu) : std::nullopt;  // PANIC_CPU_INVALID is -1
}

absl::StatusOr<std::vector<LogRecord>> KernelView::ReadLog(size_t max_records) const {
  const auto find = [this](std::string_view name) {
    const std::optional<uint64_t> by_info = info_.has_value() ? info_->Symbol(name) : std::nullopt;
    return by_info.has_value() ? by_info : Find(name);
  };
  return ReadKernelLog(memory_, layout_, find, max_records);
}

absl::StatusOr<Task> KernelView::TaskOn(int cpu) const {
  if (symbols_ == nullptr) return absl::NotFoundError("there are no symbols");
  return CurrentTask(memory_, *symbols_, layout_, cpu);
}

Backtrace KernelView::Unwind(const CpuState& cpu) {
  Backtrace backtrace;
  if (!frames_meter_.spent()) backtrace = vmm::Unwind(memory_, code_, cpu, unwind_meter_);
  if (frames_meter_.Step(backtrace.frames.size())) return backtrace;
  backtrace.frames.clear();
  backtrace.end = std::string(frames_meter_.status().message());
  return backtrace;
}

std::vector<std::string> KernelView::why_not() const {
  std::vector<std::string> reasons = why_not_;
  for (const Meter* meter : {&module_symbols_meter_, &unwind_meter_, &frames_meter_}) {
    if (meter->spent()) reasons.emplace_back(meter->status().message());
  }
  return reasons;
}

std::optional<KernelView::Place> KernelView::Describe(uint64_t address) {
  if (symbols_ != nullptr && memory_.IsImage(address)) {
    const std::optional<SymbolAt> symbol = symbols_->At(address);
    if (!symbol.has_value()) return std::nullopt;
    return Place{symbol->name, symbol->offset, symbol->size, ""};
  }
  auto module = std::find_if(modules_.begin(), modules_.end(), [address](const Module& candidate) {
    return FindCode(candidate.code, address) != nullptr;
  });
  if (module == modules_.end()) {  // its data; since Linux 6.4 that is elsewhere
    module = std::find_if(modules_.begin(), modules_.end(), [address](const Module& candidate) {
      return candidate.base != 0 && address - candidate.base < candidate.size;
    });
  }
  if (module == modules_.end()) return std::nullopt;
  auto& symbols = module_symbols_[module->name];
  if (symbols == nullptr) {
    auto read = ReadModuleSymbols(memory_, layout_, *module, module_symbols_meter_);
    symbols = read.ok() ? *std::move(read) : std::make_unique<SymbolList>(module->name, std::vector<Symbol>());
  }
  const std::optional<SymbolAt> symbol = symbols->At(address);
  if (!symbol.has_value()) return Place{"", address - module->base, module->size, module->name};
  return Place{symbol->name, symbol->offset, symbol->size, module->name};
}

}  // namespace vmm
