// Shows the registers that a hanging guest had before an NMI was sent to it (note VMM-HANG-REGS), as text and as JSON.
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

// Empty if the dump has no such note. An error, with the place in the file, if the note cannot be parsed.
std::optional<absl::StatusOr<HangRegistersNote>> HangRegistersOf(const Vmcore& core);

// Prints a heading first. Prints nothing if there is no such note. `name` returns the function at an address, or "".
void PrintHangRegisters(const Vmcore& core, const std::function<std::string(uint64_t)>& name, std::ostream& out);

// {nmi_cpu, destroyed_cpu, cpus: [...]}, or {error}. Null if there is no such note.
nlohmann::ordered_json HangRegistersJson(const Vmcore& core);

}  // namespace vmm

#endif  // DUMP_TOOL_HANG_REGISTERS_TEXT_H_
