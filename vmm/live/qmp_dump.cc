#include "vmm/live/qmp_dump.h"

#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"

namespace vmm {
namespace {

using Json = QmpSession::Json;

absl::StatusOr<DumpOrder> ReadOrder(const QmpCommand::Caller& caller, const Json& arguments) {
  DumpOrder order;
  const std::string format = arguments.value("format", "elf");
  if (format != "elf") {
    return absl::InvalidArgumentError(absl::StrFormat(
        "Parameter 'format' does not accept value '%s'; elf alone, and vmcore convert makes the others", format));
  }
  if (arguments.contains("begin") != arguments.contains("length")) {
    return absl::InvalidArgumentError("Parameters 'begin' and 'length' must be given together");
  }
  if (arguments.contains("begin")) {
    order.part = GuestRange{GuestAddr{arguments["begin"].get<uint64_t>()}, arguments["length"].get<uint64_t>()};
  }
  const std::string protocol = arguments["protocol"].get<std::string>();
  if (protocol.starts_with("file:")) {
    order.path = protocol.substr(5);
    if (!order.path.empty()) return order;
  }
  if (protocol.starts_with("fd:")) {
    ASSIGN_OR_RETURN(order.fd, caller.session.TakeNamedFd(protocol.substr(3)));
    return order;
  }
  return absl::InvalidArgumentError(
      absl::StrFormat("Parameter 'protocol': '%s' is neither file:PATH nor fd:NAME", protocol));
}

}  // namespace

absl::StatusOr<Json> DumpGuestMemory(const QmpCommand::Caller& caller, const Json& arguments) {
  ASSIGN_OR_RETURN(DumpOrder order, ReadOrder(caller, arguments));
  const absl::Status dumped = caller.guest.Dump(std::move(order));
  Json completed = {{"result",
                     {{"total", caller.guest.memory().size()},
                      {"status", dumped.ok() ? "completed" : "failed"},
                      {"completed", dumped.ok() ? caller.guest.memory().size() : 0}}}};
  if (!dumped.ok()) completed["error"] = std::string(dumped.message());
  caller.session.last_dump = completed["result"];
  caller.session.TellAll("DUMP_COMPLETED", std::move(completed));
  RETURN_IF_ERROR(dumped);
  return Json::object();
}

absl::StatusOr<Json> QueryDump(const QmpCommand::Caller& caller, const Json&) { return caller.session.last_dump; }

absl::StatusOr<Json> QueryDumpFormats(const QmpCommand::Caller&, const Json&) {
  return Json{{"formats", Json::array({"elf"})}};
}

}  // namespace vmm
