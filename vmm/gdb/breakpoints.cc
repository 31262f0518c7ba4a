#include "vmm/gdb/breakpoints.h"

#include <algorithm>
#include <string>

#include "base/status.h"
#include "vmm/gdb/virtual_memory.h"

namespace vmm {
namespace {

constexpr uint64_t kUpperHalf = 1ull << 63;

// A program may not execute an OUT: it would die of it.
bool IsOfProgram(const CpuState& cpu, const PlaceInMemory& place, uint64_t address) {
  const bool in_kernel = (cpu.cs.selector & 3) == 0;
  return place.user && (!in_kernel || (cpu.rip >= kUpperHalf && address < kUpperHalf));
}

}  // namespace

absl::Status Breakpoints::InsertSoftware(const CpuState& cpu, uint64_t address) {
  const VirtualMemory memory(guest_.memory(), cpu, /*physical=*/false, guest_.image());
  ASSIGN_OR_RETURN(const PlaceInMemory place, memory.Translate(address));
  absl::Status why = absl::UnimplementedError("a planted instruction would kill the program");
  if (!IsOfProgram(cpu, place, address)) {
    why = guest_.AddBreak(place.phys);
    if (why.ok()) {
      std::erase_if(planted_, [address](const Planted& one) { return one.address == address; });
      planted_.push_back({address, place.phys});
      return absl::OkStatus();
    }
  }
  const absl::Status hardware = InsertHardware(HardwareBreak::Kind::kExecute, address, 1);
  if (!hardware.ok()) {
    return absl::Status(why.code(), std::string(why.message()) + "; and " + std::string(hardware.message()));
  }
  instead_.push_back(address);
  return absl::OkStatus();
}

void Breakpoints::RemoveSoftware(uint64_t address) {
  const auto found = std::ranges::find(planted_, address, &Planted::address);
  if (found != planted_.end()) {
    guest_.RemoveBreak(found->phys);
    planted_.erase(found);
  } else if (std::erase(instead_, address) > 0) {
    RemoveHardware(HardwareBreak::Kind::kExecute, address, 1);
  }
}

absl::Status Breakpoints::InsertHardware(HardwareBreak::Kind kind, uint64_t address, uint64_t size) {
  const bool can = kind == HardwareBreak::Kind::kExecute ? guest_.abilities().execute : guest_.abilities().watch;
  if (!can) {
    return absl::UnimplementedError(std::string("this host's KVM delivers no ") +
                                    (kind == HardwareBreak::Kind::kExecute ? "hardware breakpoints" : "watchpoints") +
                                    ": a trial at the start had none");
  }
  RETURN_IF_ERROR(slots_.Add(kind, address, size));
  guest_.SetHardware(slots_.breaks());
  return absl::OkStatus();
}

void Breakpoints::RemoveHardware(HardwareBreak::Kind kind, uint64_t address, uint64_t size) {
  slots_.Remove(kind, address, size);
  guest_.SetHardware(slots_.breaks());
}

bool Breakpoints::StandsForSoftware(uint64_t address) const {
  return std::ranges::find(instead_, address) != instead_.end();
}

}  // namespace vmm
