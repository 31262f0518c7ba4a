#include "dump/cause/slab_object.h"

#include <array>

#include "absl/strings/str_format.h"
#include "base/guest_addr.h"
#include "base/printable.h"

namespace vmm {
namespace {

constexpr size_t kMaxCaches = 4096;
constexpr size_t kMaxName = 64;
constexpr uint64_t kMaxObject = 8 << 20;
constexpr uint64_t kMaxObjectsOfSlab = 65535;  // MAX_OBJS_PER_PAGE of mm/slub.c

absl::Status Missing(std::string_view what) {
  return absl::NotFoundError(absl::StrFormat("slab objects: %s is not known without BTF", what));
}

// Reads fields of the kernel's structs by name. Each read costs a step.
class Fields {
 public:
  Fields(const KernelView& view, Meter& meter) : view_(view), meter_(meter) {}

  template <typename T>
  absl::StatusOr<T> Read(uint64_t address) {
    if (!meter_.Step()) return meter_.status();
    return view_.memory().ReadObject<T>(address);
  }
  template <typename T>
  absl::StatusOr<T> Field(uint64_t object, std::string_view field) {
    const std::optional<uint64_t> offset = view_.layout().Offset(field);
    if (!offset.has_value()) return Missing(field);
    return Read<T>(object + *offset);
  }

 private:
  const KernelView& view_;
  Meter& meter_;
};

// One slab and its cache, to follow its free lists.
struct Slab {
  uint64_t first = 0, count = 0, stride = 0;
  uint64_t link = 0;               // offset in a free object of the pointer to the next
  std::optional<uint64_t> secret;  // CONFIG_SLAB_FREELIST_HARDENED

  bool Has(uint64_t object) const { return object - first < count * stride && (object - first) % stride == 0; }
};

// The object that follows `object` in a free list, 0 at its end. None if neither way to read the pointer makes sense.
std::optional<uint64_t> NextFree(Fields& fields, const Slab& slab, uint64_t object) {
  const uint64_t at = object + slab.link;
  const absl::StatusOr<uint64_t> word = fields.Read<uint64_t>(at);
  if (!word.ok()) return std::nullopt;
  // Since Linux 5.7 the place's bytes are swapped before they are mixed in (mm/slub.c, freelist_ptr).
  const uint64_t plain[] = {*word};
  const uint64_t mixed[] = {*word ^ slab.secret.value_or(0) ^ __builtin_bswap64(at),
                            *word ^ slab.secret.value_or(0) ^ at};
  const std::span<const uint64_t> ways =
      slab.secret.has_value() ? std::span<const uint64_t>(mixed) : std::span<const uint64_t>(plain);
  for (const uint64_t next : ways) {
    if (next == 0 || slab.Has(next)) return next;
  }
  return std::nullopt;
}

// True if `object` is in the list that starts at `head`; none if the list breaks off before its end.
std::optional<bool> IsInList(Fields& fields, const Slab& slab, uint64_t head, uint64_t object) {
  if (head != 0 && !slab.Has(head)) return std::nullopt;
  for (uint64_t steps = 0; head != 0; ++steps) {
    if (head == object) return true;
    if (steps >= slab.count) return std::nullopt;  // a cycle
    const std::optional<uint64_t> next = NextFree(fields, slab, head);
    if (!next.has_value()) return std::nullopt;
    head = *next;
  }
  return false;
}

// Looks through the slab's own free list, and those of the CPUs that allocate from it.
std::optional<bool> IsFree(const KernelView& view, Fields& fields, const Slab& slab, uint64_t page, uint64_t cache,
                           uint64_t object, size_t cpus) {
  const bool has_slab = view.layout().Offset("slab.freelist").has_value();  // since Linux 5.17, else in struct page
  const absl::StatusOr<uint64_t> own = fields.Field<uint64_t>(page, has_slab ? "slab.freelist" : "page.freelist");
  if (!own.ok()) return std::nullopt;
  const std::optional<bool> in_own = IsInList(fields, slab, *own, object);
  if (in_own != false) return in_own;
  const absl::StatusOr<uint64_t> per_cpu = fields.Field<uint64_t>(cache, "kmem_cache.cpu_slab");
  if (!per_cpu.ok() || view.symbols() == nullptr) return std::nullopt;
  const bool named_slab = view.layout().Offset("kmem_cache_cpu.slab").has_value();
  for (size_t cpu = 0; cpu < cpus; ++cpu) {
    const auto at = PerCpuAddress(view.memory(), *view.symbols(), *per_cpu, static_cast<int>(cpu));
    if (!at.ok()) return std::nullopt;
    const auto active = fields.Field<uint64_t>(*at, named_slab ? "kmem_cache_cpu.slab" : "kmem_cache_cpu.page");
    if (!active.ok()) return std::nullopt;
    if (*active != page) continue;
    const absl::StatusOr<uint64_t> head = fields.Field<uint64_t>(*at, "kmem_cache_cpu.freelist");
    if (!head.ok()) return std::nullopt;
    return IsInList(fields, slab, *head, object);  // a slab is active on one CPU at most
  }
  return false;
}

std::optional<int64_t> Number(const VmcoreInfo* info, std::string_view name) {
  return info != nullptr ? info->Number(name) : std::nullopt;
}

// True if `cache` is on the kernel's list of caches.
absl::StatusOr<bool> IsCache(const KernelView& view, Fields& fields, uint64_t cache) {
  const std::optional<uint64_t> list = view.layout().Offset("kmem_cache.list");
  const std::optional<uint64_t> head = view.symbols() != nullptr ? view.symbols()->Find("slab_caches") : std::nullopt;
  if (!list.has_value() || !head.has_value()) return Missing("the list of caches");
  ASSIGN_OR_RETURN(uint64_t next, fields.Read<uint64_t>(*head));
  for (size_t count = 0; next != *head && count < kMaxCaches; ++count) {
    if (next - *list == cache) return true;
    ASSIGN_OR_RETURN(next, fields.Read<uint64_t>(next));
  }
  return false;
}

}  // namespace

std::string SlabObject::Words() const {
  std::string words = absl::StrFormat("%s+%#x", cache_name, offset);
  if (freed.has_value()) words += *freed ? ", freed" : ", allocated";
  if (certainty == Certainty::kGuess) words += " (guess)";
  return words;
}

absl::StatusOr<PageRecord> ReadPageRecord(const KernelView& view, const VmcoreInfo* info, uint64_t vmemmap,
                                          uint64_t physical, Meter& meter) {
  const std::optional<uint64_t> size = view.layout().Size("page");
  const std::optional<uint64_t> page_offset = view.memory().map().page_offset;
  if (!size.has_value()) return Missing("struct page");
  if (!page_offset.has_value()) return absl::NotFoundError("slab objects: the direct map is not known");
  Fields fields(view, meter);
  PageRecord page;
  page.address = vmemmap + physical / kPageSize * *size;
  const absl::StatusOr<uint64_t> head = fields.Field<uint64_t>(page.address, "page.compound_head");
  if (head.ok() && (*head & 1) != 0) page.address = *head - 1;
  if ((page.address - vmemmap) % *size != 0) return absl::DataLossError("a compound page's head is no struct page");
  page.first = *page_offset + (page.address - vmemmap) / *size * kPageSize;
  ASSIGN_OR_RETURN(page.flags, fields.Field<uint64_t>(page.address, "page.flags"));
  const absl::StatusOr<int32_t> references = fields.Field<int32_t>(page.address, "page._refcount");
  if (references.ok()) page.references = *references;
  const std::optional<int64_t> buddy = Number(info, "PAGE_BUDDY_MAPCOUNT_VALUE");
  const absl::StatusOr<int32_t> type = fields.Field<int32_t>(page.address, "page._mapcount");
  page.free = buddy.has_value() && type.ok() && *type == static_cast<int32_t>(*buddy);
  return page;
}

absl::StatusOr<SlabObject> FindSlabObject(const KernelView& view, const VmcoreInfo* info, const PageRecord& page,
                                          uint64_t address, size_t cpus, Meter& meter) {
  const std::optional<int64_t> bit = Number(info, "PG_slab");  // up to Linux 6.9
  const bool says = bit.has_value() && *bit >= 0 && *bit < 64;
  if (says && (page.flags >> *bit & 1) == 0) return absl::NotFoundError("the page is no slab");
  Fields fields(view, meter);
  const bool has_slab = view.layout().Offset("slab.slab_cache").has_value();
  SlabObject found;
  ASSIGN_OR_RETURN(found.cache, fields.Field<uint64_t>(page.address, has_slab ? "slab.slab_cache" : "page.slab_cache"));
  ASSIGN_OR_RETURN(const bool is_cache, IsCache(view, fields, found.cache));
  if (!is_cache) return absl::NotFoundError("no cache owns the page");
  ASSIGN_OR_RETURN(const uint32_t stride, fields.Field<uint32_t>(found.cache, "kmem_cache.size"));
  ASSIGN_OR_RETURN(const uint32_t object_size, fields.Field<uint32_t>(found.cache, "kmem_cache.object_size"));
  if (stride == 0 || stride > kMaxObject || object_size > stride || address < page.first) {
    return absl::DataLossError(absl::StrFormat("a cache has objects of %d bytes", stride));
  }
  found.stride = stride;
  found.object_size = object_size;
  const uint64_t index = (address - page.first) / stride;
  found.object = page.first + index * stride;
  found.offset = address - found.object;
  found.certainty = says ? Certainty::kSure : Certainty::kGuess;
  const absl::StatusOr<uint64_t> name = fields.Field<uint64_t>(found.cache, "kmem_cache.name");
  if (name.ok()) found.cache_name = view.memory().ReadString(*name, kMaxName).value_or("?");
  for (char& c : found.cache_name) {
    if (!IsPrintable(c)) c = '?';
  }
  Slab slab{page.first, 0, stride, 0, std::nullopt};
  // kmem_cache_order_objects: the order in the upper half, the number of objects in the lower.
  const absl::StatusOr<uint32_t> objects = fields.Field<uint32_t>(found.cache, "kmem_cache.oo");
  const absl::StatusOr<uint32_t> link = fields.Field<uint32_t>(found.cache, "kmem_cache.offset");
  const absl::StatusOr<uint64_t> secret = fields.Field<uint64_t>(found.cache, "kmem_cache.random");
  if (secret.ok()) slab.secret = *secret;
  if (!objects.ok() || !link.ok() || *link > stride) return found;
  slab.count = *objects & kMaxObjectsOfSlab;
  slab.link = *link;
  if (index < slab.count) found.freed = IsFree(view, fields, slab, page.address, found.cache, found.object, cpus);
  return found;
}

}  // namespace vmm
