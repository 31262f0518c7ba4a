#include "dump/kernel/struct_layout.h"

namespace vmm {
namespace {

std::optional<uint64_t> Sane(std::optional<uint64_t> number) {
  return number.has_value() && *number <= kMaxStructSize ? number : std::nullopt;
}

}  // namespace

std::optional<uint64_t> StructLayout::Size(std::string_view name) const {
  std::optional<uint64_t> size;
  if (info_ != nullptr) size = Sane(info_->Size(name));
  if (!size.has_value() && btf_ != nullptr) size = Sane(btf_->SizeOf(name));
  return size == 0u ? std::nullopt : size;
}

std::optional<uint64_t> StructLayout::Offset(std::string_view field) const {
  std::optional<uint64_t> offset;
  if (info_ != nullptr) offset = Sane(info_->Offset(field));
  const size_t dot = field.find('.');
  if (!offset.has_value() && btf_ != nullptr && dot != std::string_view::npos) {
    const std::optional<Btf::Field> found = btf_->FindField(field.substr(0, dot), field.substr(dot + 1));
    if (found.has_value()) offset = Sane(found->offset);
  }
  return offset;
}

}  // namespace vmm
