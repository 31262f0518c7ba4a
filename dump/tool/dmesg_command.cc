#include "dump/tool/dmesg_command.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "dump/kernel/kernel_view.h"
#include "dump/read/vmcore.h"
#include "dump/tool/found_xen.h"
#include "dump/tool/log_json.h"
#include "dump/tool/open_core.h"

namespace vmm {
namespace {

int RunDmesg(const Invocation& call) {
  size_t last = SIZE_MAX;
  if (const std::optional<std::string> value = call.Value("last"); value.has_value()) {
    const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), last);
    if (error != std::errc() || end != value->data() + value->size() || last == 0) {
      return call.Misused("--last wants a number of records, 1 or more");
    }
  }
  const auto core = OpenCore(call, call.operands()[0]);
  if (!core.ok()) return call.Fail(core.status());
  const LinuxOf linux_kernel = FindLinux(**core);
  const auto log = ReadGuestLog(*linux_kernel.memory, linux_kernel.kernel, last);
  if (!log.ok()) return call.Fail(log.status());
  if (call.json()) {
    nlohmann::ordered_json json = {{"records", LogJson(*log)}};
    if (!call.cut_short().empty()) json["cut_short"] = call.cut_short();
    call.out() << JsonText(json, /*indent=*/2, JsonCharset::kAscii) << "\n";
  } else {
    for (const LogRecord& record : *log) call.out() << FormatLogRecord(record) << "\n";
  }
  return kExitFine;
}

}  // namespace

Command DmesgCommand() {
  Command command;
  command.name = "dmesg";
  command.operands = "FILE";
  command.summary = "the kernel's log, of Linux 3.5 and later";
  command.details = "Byte for byte what `makedumpfile --dump-dmesg` writes. No vmlinux is needed.\n";
  command.options = {{"last", "N", "only the last N records"}};
  command.run = RunDmesg;
  return command;
}

}  // namespace vmm
