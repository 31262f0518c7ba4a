#include "dump/kernel/kallsyms.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_format.h"
#include "base/printable.h"

namespace vmm {
namespace {

constexpr size_t kMarkerEvery = 256;
constexpr size_t kReadStep = 256 << 10;

// Longer names than Linux allows are rubbish (KSYM_NAME_LEN is 512).
constexpr size_t kMaxName = 1024;

// The names that this program asks for are fewer.
constexpr size_t kMaxAnswers = 256;

// Static functions may share a name, but not so many.
constexpr size_t kMaxSameName = 4096;

bool AllPrintable(std::string_view text) { return std::all_of(text.begin(), text.end(), IsPrintable); }

}  // namespace

absl::StatusOr<std::unique_ptr<Kallsyms>> Kallsyms::Open(const KernelMemory& memory,
                                                         const std::optional<VmcoreInfo>& info) {
  absl::Status by_info;
  if (info.has_value()) {
    const absl::StatusOr<KallsymsTables> tables = KallsymsByVmcoreInfo(memory, *info);
    by_info = tables.status();
    if (tables.ok()) {
      absl::StatusOr<std::unique_ptr<Kallsyms>> kallsyms = Read(memory, *tables);
      if (kallsyms.ok()) return kallsyms;
      by_info = kallsyms.status();
    }
  }
  const absl::StatusOr<KallsymsTables> tables = KallsymsByScan(memory);
  if (!tables.ok()) return by_info.ok() ? tables.status() : Annotate(tables.status(), std::string(by_info.message()));
  return Read(memory, *tables);
}

absl::StatusOr<std::unique_ptr<Kallsyms>> Kallsyms::Read(const KernelMemory& memory, const KallsymsTables& tables) {
  std::unique_ptr<Kallsyms> kallsyms(new Kallsyms(memory.map().image));
  Meter meter(kKallsymsBudget);
  RETURN_IF_ERROR(kallsyms->ReadTokens(memory, tables));
  RETURN_IF_ERROR(kallsyms->ReadNames(memory, tables, meter));
  absl::Status failed = absl::NotFoundError("kallsyms: no table of addresses");
  for (const KallsymsTables::Addresses& where : tables.addresses) {
    failed = kallsyms->ReadAddresses(memory, where);
    if (failed.ok()) return kallsyms;
  }
  return failed;
}

absl::Status Kallsyms::ReadTokens(const KernelMemory& memory, const KallsymsTables& tables) {
  using Index = std::array<uint16_t, kKallsymsTokens>;
  ASSIGN_OR_RETURN(const Index index, memory.ReadObject<Index>(tables.token_index));
  if (!memory.IsImage(tables.token_table)) return absl::NotFoundError("kallsyms: the tokens are not in the image");
  const uint64_t left = image_.vaddr + image_.range.size - tables.token_table;
  ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes,
                   memory.ReadBytes(tables.token_table, std::min<uint64_t>(left, UINT16_MAX + kMaxName)));
  tokens_.clear();
  for (const uint16_t offset : index) {
    const size_t limit = std::min(bytes.size(), offset + kMaxName);
    const auto* const nul =
        offset < limit ? static_cast<const uint8_t*>(std::memchr(&bytes[offset], 0, limit - offset)) : nullptr;
    if (nul == nullptr) return absl::NotFoundError("kallsyms: a token has no end");
    std::string token(reinterpret_cast<const char*>(&bytes[offset]), reinterpret_cast<const char*>(nul));
    if (!AllPrintable(token)) return absl::NotFoundError("kallsyms: a token is no printable string");
    tokens_.push_back(std::move(token));
  }
  return absl::OkStatus();
}

absl::Status Kallsyms::ReadNames(const KernelMemory& memory, const KallsymsTables& tables, Meter& meter) {
  ASSIGN_OR_RETURN(count_, memory.ReadObject<uint32_t>(tables.num_syms));
  if (count_ == 0 || count_ > kMaxKallsyms) {
    return absl::NotFoundError(absl::StrFormat("kallsyms: %d symbols, not 1 to %d", count_, kMaxKallsyms));
  }
  if (!memory.IsImage(tables.names)) return absl::NotFoundError("kallsyms: the names are not in the image");
  const uint64_t limit = image_.vaddr + image_.range.size - tables.names;
  names_.clear();
  markers_.clear();

  // The names' total length is known only after the last name has been reached.
  const auto have = [&](size_t end) -> absl::Status {
    while (names_.size() < end) {
      if (names_.size() >= limit) return absl::NotFoundError("kallsyms: the names pass the end of the image");
      const size_t old = names_.size();
      const size_t more = std::min<uint64_t>(kReadStep, limit - old);
      if (!meter.Bytes(more)) return meter.status();
      names_.resize(old + more);
      RETURN_IF_ERROR(memory.Read(tables.names + old, std::span(names_).subspan(old)));
    }
    return absl::OkStatus();
  };
  size_t at = 0;
  for (uint32_t i = 0; i < count_; ++i) {
    if (i % kMarkerEvery == 0) markers_.push_back(static_cast<uint32_t>(at));
    if (!meter.Step()) return meter.status();
    RETURN_IF_ERROR(have(at + 2));
    size_t length = names_[at++];
    if ((length & 0x80) != 0) length = (length & 0x7f) | (size_t{names_[at++]} << 7);
    if (length == 0 || length > kMaxName) {
      return absl::NotFoundError(absl::StrFormat("kallsyms: name %d is %d bytes long", i, length));
    }
    at += length;
    RETURN_IF_ERROR(have(at));
  }
  names_.resize(at);
  names_.shrink_to_fit();
  return absl::OkStatus();
}

absl::Status Kallsyms::ReadAddresses(const KernelMemory& memory, const KallsymsTables::Addresses& where) {
  offsets_.clear();
  addresses_.clear();
  offsets_.resize(count_);
  RETURN_IF_ERROR(memory.Read(where.table, {reinterpret_cast<uint8_t*>(offsets_.data()), count_ * sizeof(uint32_t)}));
  if (where.relative_base.has_value()) {
    ASSIGN_OR_RETURN(relative_base_, memory.ReadObject<uint64_t>(*where.relative_base));
    for (const Form form : {Form::kAbsoluteOrBelow, Form::kOffset}) {
      form_ = form;
      if (AddressesMakeSense()) return absl::OkStatus();
    }
  } else {
    // The first symbol is the start of the code, which lies before the tables. Without this check, zeros would make
    // sense.
    relative_base_ = where.table;
    form_ = Form::kFromItsPlace;
    if (AddressOf(0) < where.table && AddressesMakeSense()) return absl::OkStatus();
    offsets_.clear();
    addresses_.resize(count_);
    RETURN_IF_ERROR(
        memory.Read(where.table, {reinterpret_cast<uint8_t*>(addresses_.data()), count_ * sizeof(uint64_t)}));
    form_ = Form::kAddress;
    if (AddressesMakeSense()) return absl::OkStatus();
  }
  return absl::NotFoundError("kallsyms: the addresses are not in ascending order within the image");
}

bool Kallsyms::AddressesMakeSense() const {
  uint64_t last = 0;
  uint32_t in_image = 0;
  for (uint32_t i = 0; i < count_; ++i) {
    const uint64_t address = AddressOf(i);
    if (address < last) return false;
    last = address;
    if (address - image_.vaddr < image_.range.size) ++in_image;
  }
  return in_image > count_ / 2;
}

uint64_t Kallsyms::AddressOf(uint32_t index) const {
  switch (form_) {
    case Form::kAddress: return addresses_[index];
    case Form::kOffset: return relative_base_ + offsets_[index];
    default: break;
  }
  const auto offset = static_cast<uint64_t>(int64_t{static_cast<int32_t>(offsets_[index])});
  if (form_ == Form::kFromItsPlace) return relative_base_ + index * sizeof(uint32_t) + offset;
  return static_cast<int64_t>(offset) >= 0 ? offset : relative_base_ - 1 - offset;
}

std::span<const uint8_t> Kallsyms::NextName(size_t* at) const {
  size_t length = names_[(*at)++];
  if ((length & 0x80) != 0) length = (length & 0x7f) | (size_t{names_[(*at)++]} << 7);
  const std::span<const uint8_t> name = std::span(names_).subspan(*at, length);
  *at += length;
  return name;
}

std::span<const uint8_t> Kallsyms::NameOf(uint32_t index) const {
  size_t at = markers_[index / kMarkerEvery];
  for (uint32_t i = index % kMarkerEvery; i > 0; --i) NextName(&at);
  return NextName(&at);
}

std::string Kallsyms::Expand(std::span<const uint8_t> compressed) const {
  std::string name;
  for (const uint8_t token : compressed) {
    name += tokens_[token];
    if (name.size() > kMaxName) break;
  }
  return name;
}

bool Kallsyms::Expands(std::span<const uint8_t> compressed, std::string_view name) const {
  bool type = true;  // the first character is the type, not part of the name
  for (const uint8_t byte : compressed) {
    std::string_view token = tokens_[byte];
    if (type && !token.empty()) {
      token.remove_prefix(1);
      type = false;
    }
    if (!name.starts_with(token)) return false;
    name.remove_prefix(token.size());
  }
  return name.empty() && !type;
}

void Kallsyms::ForEach(const std::function<bool(const Symbol&)>& visit) const {
  size_t at = 0;
  for (uint32_t i = 0; i < count_; ++i) {
    std::string name = Expand(NextName(&at));
    if (name.empty()) continue;
    const char type = name[0];
    name.erase(0, 1);
    if (!visit({AddressOf(i), type, std::move(name)})) return;
  }
}

std::vector<uint64_t> Kallsyms::FindAll(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  if (const auto answer = answers_.find(name); answer != answers_.end()) return answer->second;
  std::vector<uint64_t> found;
  size_t at = 0;
  compared_ += count_;
  for (uint32_t i = 0; i < count_ && found.size() < kMaxSameName; ++i) {
    if (Expands(NextName(&at), name)) found.push_back(AddressOf(i));
  }
  if (answers_.size() < kMaxAnswers) answers_.emplace(name, found);
  return found;
}

std::optional<SymbolAt> Kallsyms::At(uint64_t address) const {
  if (address - image_.vaddr >= image_.range.size) return std::nullopt;
  const uint32_t after = FirstAtOrAfter(address + 1);
  if (after == 0) return std::nullopt;
  const uint64_t start = AddressOf(after - 1);
  if (start < image_.vaddr) return std::nullopt;
  // A binary search here too: millions of symbols may be made to share the address.
  const uint32_t index = FirstAtOrAfter(start);
  std::string name = Expand(NameOf(index));
  if (name.empty()) return std::nullopt;
  return SymbolAt{name.substr(1), address - start, after < count_ ? AddressOf(after) - start : 0};
}

uint64_t Kallsyms::compared() const {
  const std::lock_guard lock(mutex_);
  return compared_;
}

uint32_t Kallsyms::FirstAtOrAfter(uint64_t address) const {
  uint32_t low = 0;
  uint32_t high = count_;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (AddressOf(middle) >= address) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

}  // namespace vmm
