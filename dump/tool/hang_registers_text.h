// The registers that a hanging guest had before it was asked by an NMI (note VMM-HANG-REGS), for people and for
// programs.
#ifndef DUMP_TOOL_HANG_REGISTERS_TEXT_H_
#define DUMP_TOOL_HANG_REGISTERS_TEXT_H_

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <string>

#include "absl/status/statusor.h"
#include "dump/flight/hang_registers_note.h"
#include "dump/read/vmcore.h"

namespace vmm {

// Empty where the dump has no such note; an error, with the place in the file, where it has one that cannot be parsed.
std::optional<absl::StatusOr<HangRegistersNote>> HangRegistersOf(const Vmcore& core);

// With a heading; nothing where there is no such note. `name` gives the function at an address, or an empty text.
void PrintHangRegisters(const Vmcore& core, const std::function<std::string(uint64_t)>& name, std::ostream& out);

// {nmi_cpu, destroyed_cpu, cpus: [...]}, or {error}. Null where there is no such note.
nlohmann::ordered_json HangRegistersJson(const Vmcore& core);

}  // namespace vmm

#endif  // DUMP_TOOL_HANG_REGISTERS_TEXT_H_
