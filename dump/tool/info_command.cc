#include "dump/tool/info_command.h"

#include "dump/read/vmcore.h"
#include "dump/tool/info_json.h"
#include "dump/tool/info_text.h"
#include "dump/tool/inspected.h"
#include "dump/tool/open_core.h"
#include "dump/tool/printable.h"

namespace vmm {
namespace {

int RunInfo(const Invocation& call) {
  const auto core = OpenCore(call, call.operands()[0]);
  if (!core.ok()) return call.Fail(core.status());
  if (call.Has("vmcoreinfo")) {
    if (!(*core)->vmcoreinfo().has_value()) return call.Fail(absl::NotFoundError("there is no VMCOREINFO note"));
    call.out() << Printable((*core)->vmcoreinfo()->text(), "\n");
    return kExitFine;
  }
  const absl::StatusOr<Inspected> seen = Inspect(**core);
  if (!seen.ok()) return call.Fail(seen.status());
  if (call.json()) {
    call.out() << InfoJson(*seen) << "\n";
  } else {
    PrintInfo(*seen, {.all_registers = call.Has("registers"), .all_segments = call.Has("all")}, call.out());
  }
  return kExitFine;
}

}  // namespace

Command InfoCommand() {
  Command command;
  command.name = "info";
  command.operands = "FILE";
  command.summary = "what the dump is: kernel, memory, CPUs, program headers, notes";
  command.details = "A file that can be read but has faults is told about; `vmcore check` judges it.\n";
  command.options = {{"registers", "", "all registers of each CPU"},
                     {"all", "", "each program header, range and kind of note, not only the first"},
                     {"vmcoreinfo", "", "only the kernel's VMCOREINFO, as it is"}};
  command.run = RunInfo;
  return command;
}

}  // namespace vmm
