// The physical page and the slab object to which an address of the direct map belongs.
#ifndef DUMP_CAUSE_SLAB_OBJECT_H_
#define DUMP_CAUSE_SLAB_OBJECT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "base/meter.h"
#include "dump/cause/certainty.h"
#include "dump/kernel/kernel_view.h"

namespace vmm {

// The kernel's own record of a page, its struct page.
struct PageRecord {
  uint64_t address = 0;  // of the struct page; of the first one of a compound page
  uint64_t first = 0;    // the direct map's address of the (compound) page
  uint64_t flags = 0;
  int32_t references = 0;
  bool free = false;  // in the page allocator's lists
};

struct SlabObject {
  uint64_t cache = 0;  // of the struct kmem_cache
  std::string cache_name;
  uint64_t object = 0;       // its first byte
  uint64_t offset = 0;       // of the address in the object
  uint64_t object_size = 0;  // that its user asked for
  uint64_t stride = 0;       // from one object to the next

  // True: it is on a free list of its slab. False: on none. None: a free list could not be followed.
  std::optional<bool> freed;

  // A guess if the kernel does not say which pages are slabs.
  Certainty certainty = Certainty::kGuess;

  // "kmalloc-64+0x18, freed".
  std::string Words() const;
};

// `physical` is the address in question, `vmemmap` the array of struct page, and the direct map must be known. NotFound
// if BTF is missing. `info` may be null.
absl::StatusOr<PageRecord> ReadPageRecord(const KernelView& view, const VmcoreInfo* info, uint64_t vmemmap,
                                          uint64_t physical, Meter& meter);

// The object that contains `address` in a page of which `page` is the record. NotFound if no cache of the kernel's list
// owns the page. `cpus`: the CPUs whose free lists are looked at. `meter` pays for each read.
absl::StatusOr<SlabObject> FindSlabObject(const KernelView& view, const VmcoreInfo* info, const PageRecord& page,
                                          uint64_t address, size_t cpus, Meter& meter);

}  // namespace vmm

#endif  // DUMP_CAUSE_SLAB_OBJECT_H_
