#include "dump/snapshot/dump_format.h"

namespace vmm {

std::string_view NameOf(DumpFormat format) {
  switch (format) {
    case DumpFormat::kElf: return "elf";
    case DumpFormat::kKdumpZlib: return "kdump-zlib";
    case DumpFormat::kKdumpZstd: return "kdump-zstd";
  }
  return "unknown";
}

absl::StatusOr<DumpFormat> ParseDumpFormat(std::string_view text) {
  for (const DumpFormat format : {DumpFormat::kElf, DumpFormat::kKdumpZlib, DumpFormat::kKdumpZstd}) {
    if (text == NameOf(format)) return format;
  }
  return absl::InvalidArgumentError("must be elf, kdump-zlib or kdump-zstd");
}

absl::StatusOr<int> ParseDumpLevel(std::string_view text) {
  if (text == "0") return kLevelAll;
  if (text == "1") return kLevelNoZeros;
  if (text == "31") return kLevelFiltered;
  return absl::InvalidArgumentError("must be 0, 1 or 31");
}

}  // namespace vmm
