#include "dump/cause/page_state.h"

#include "absl/strings/str_format.h"
#include "base/guest_addr.h"
#include "base/status.h"

namespace vmm {
namespace {

// Intel SDM vol. 3, section 4.5.
constexpr uint64_t kPresent = 1 << 0, kWritable = 1 << 1, kUser = 1 << 2, kAccessed = 1 << 5, kDirty = 1 << 6;
constexpr uint64_t kPageSizeBit = 1 << 7, kGlobal = 1 << 8, kNoExecute = 1ull << 63;
constexpr uint64_t kAddress = 0x000ffffffffff000;

}  // namespace

std::string PageState::Words() const {
  if (!present) return absl::StrFormat("not present (level %d entry %#x)", level, entry);
  std::string words = absl::StrFormat("present, %s, %s, %s", writable ? "writable" : "read-only",
                                      user ? "user" : "kernel", executable ? "executable" : "no-execute");
  if ((entry & kAccessed) != 0) words += ", accessed";
  if ((entry & kDirty) != 0) words += ", dirty";
  if ((entry & kGlobal) != 0) words += ", global";
  if (level > 1) words += level == 2 ? ", 2 MiB page" : ", 1 GiB page";
  return words;
}

absl::StatusOr<PageState> ReadPageState(const PhysicalMemory& memory, uint64_t root, int levels, uint64_t vaddr) {
  PageState state;
  state.writable = state.user = state.executable = true;
  uint64_t table = root & kAddress;
  for (state.level = levels; state.level >= 1; --state.level) {
    const uint64_t span = kPageSize << (9 * (state.level - 1));
    state.entry_at = table + 8 * (vaddr / span % 512);
    ASSIGN_OR_RETURN(state.entry, memory.ReadObject<uint64_t>(GuestAddr{state.entry_at}));
    if ((state.entry & kPresent) == 0) return state;
    state.writable = state.writable && (state.entry & kWritable) != 0;
    state.user = state.user && (state.entry & kUser) != 0;
    state.executable = state.executable && (state.entry & kNoExecute) == 0;
    const bool leaf = state.level == 1 || (state.level <= 3 && (state.entry & kPageSizeBit) != 0);
    if (leaf) {
      state.present = true;
      state.physical = AlignDown(state.entry & kAddress, span) + vaddr % span;
      return state;
    }
    table = state.entry & kAddress;
  }
  return absl::InternalError("page walk passed level 1");
}

}  // namespace vmm
