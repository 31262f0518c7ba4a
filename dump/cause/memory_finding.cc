#include "dump/cause/memory_finding.h"

#include <utility>

namespace vmm {

std::string MemoryFinding::Words() const {
  std::string words = meaning.words;
  if (object.has_value()) {
    words += ": " + object->Words();
  } else if (record.has_value() && record->free) {
    words += ": a page that is free";
  }
  return words;
}

MemoryFinding MemoryReader::Look(uint64_t address, std::string source) {
  MemoryFinding finding;
  finding.address = address;
  finding.source = std::move(source);
  finding.meaning = regions_.Explain(address);
  const Region region = finding.meaning.region;
  // The tables are walked for a poison pattern only if it is an address at all.
  if (region == Region::kNonCanonical || region == Region::kPoison) return finding;
  absl::StatusOr<PageState> page = ReadPageState(memory_, cr3_, view_.memory().map().levels, address);
  if (page.ok()) finding.page = *std::move(page);
  const std::optional<uint64_t> physical = regions_.PhysicalOf(address);
  if (!physical.has_value()) return finding;
  absl::StatusOr<PageRecord> record = ReadPageRecord(view_, info_, regions_.vmemmap(), *physical, meter_);
  if (!record.ok()) return finding;
  finding.record = *record;
  absl::StatusOr<SlabObject> object = FindSlabObject(view_, info_, *record, address, cpus_, meter_);
  if (object.ok()) finding.object = *std::move(object);
  return finding;
}

}  // namespace vmm
