#include "vmm/harness/loader_cache.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>

namespace vmm {
namespace {

// elf/cache.c and sysdeps/generic/dl-cache.h of glibc. All offsets count from the start of the file.
constexpr std::string_view kMagic = "glibc-ld.so.cache1.1";

struct CacheHeader {
  char magic[20];
  uint32_t entries;
  uint32_t strings_size;
  uint8_t flags;
  uint8_t padding[3];
  uint32_t extension_offset;
  uint32_t unused[3];
};
static_assert(sizeof(CacheHeader) == 48);

struct CacheEntry {
  int32_t flags;
  uint32_t name;  // offset of the library's name
  uint32_t path;  // offset of its path
  uint32_t os_version;
  uint64_t hwcap;
};
static_assert(sizeof(CacheEntry) == 24);

constexpr int32_t kX8664Libc6 = 0x0303;  // FLAG_X8664_LIB64 | FLAG_ELF_LIBC6

std::optional<std::string_view> StringAt(std::string_view bytes, uint32_t offset) {
  if (offset >= bytes.size()) return std::nullopt;
  const size_t end = bytes.find('\0', offset);
  if (end == std::string_view::npos) return std::nullopt;
  return bytes.substr(offset, end - offset);
}

}  // namespace

LoaderCache ReadLoaderCache(std::string_view bytes) {
  LoaderCache cache;
  if (bytes.size() < sizeof(CacheHeader) || !bytes.starts_with(kMagic)) return cache;
  CacheHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  const uint64_t fit = (bytes.size() - sizeof header) / sizeof(CacheEntry);
  for (uint64_t i = 0; i < std::min<uint64_t>(header.entries, fit); ++i) {
    CacheEntry entry;
    std::memcpy(&entry, bytes.data() + sizeof header + i * sizeof entry, sizeof entry);
    if (entry.flags != kX8664Libc6 || entry.hwcap != 0) continue;
    const std::optional<std::string_view> name = StringAt(bytes, entry.name);
    const std::optional<std::string_view> path = StringAt(bytes, entry.path);
    if (name.has_value() && path.has_value()) cache.emplace(*name, *path);
  }
  return cache;
}

}  // namespace vmm
