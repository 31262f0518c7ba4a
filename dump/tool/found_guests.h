// The facts that `vmcore guest` reports about the guests in a dump (L2), before they become text.
#ifndef DUMP_TOOL_FOUND_GUESTS_H_
#define DUMP_TOOL_FOUND_GUESTS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dump/nested/nested_vm.h"
#include "dump/read/vmcore.h"
#include "dump/snapshot/vm_snapshot.h"

namespace vmm {

struct FoundGuests {
  std::vector<NestedVm> vms;
  std::vector<std::string> remarks;
};

// Errors are those of reading the file.
absl::StatusOr<FoundGuests> FindGuests(const Vmcore& core);

// One guest with its memory. `snapshot` refers to `memory`.
struct GuestSnapshot {
  std::unique_ptr<L2Memory> memory;
  VmSnapshot snapshot;
};

// Works like MemoryOf (dump/nested/nested_vm.h). `core` must outlive the result.
absl::StatusOr<GuestSnapshot> SnapshotOf(const Vmcore& core, const NestedVm& vm);

// "SVM, nested page tables at 0x3bd25000 with 5 levels"
std::string TitleOf(const NestedVm& vm);

// A JSON object: kind, root, levels, and the vCPUs with the origin of their registers.
std::string JsonOf(const NestedVm& vm);

}  // namespace vmm

#endif  // DUMP_TOOL_FOUND_GUESTS_H_
