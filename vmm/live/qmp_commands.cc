#include "vmm/live/qmp_commands.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "vmm/live/qmp_dump.h"
#include "vmm/live/text_monitor.h"

namespace vmm {
namespace {

using Json = QmpSession::Json;
using Type = Json::value_t;
using Caller = QmpCommand::Caller;

Json Done() { return Json::object(); }

absl::StatusOr<Json> Stop(const Caller& caller, const Json&) {
  RETURN_IF_ERROR(caller.guest.Pause());
  return Done();
}

absl::StatusOr<Json> Continue(const Caller& caller, const Json&) {
  RETURN_IF_ERROR(caller.guest.Resume());
  return Done();
}

absl::StatusOr<Json> Quit(const Caller& caller, const Json&) {
  caller.session.TellAll("SHUTDOWN", {{"guest", false}, {"reason", "host-qmp-quit"}});
  caller.guest.Quit();
  return Done();
}

absl::StatusOr<Json> InjectNmi(const Caller& caller, const Json&) {
  RETURN_IF_ERROR(caller.guest.InjectNmi());
  return Done();
}

absl::StatusOr<Json> QueryStatus(const Caller& caller, const Json&) {
  const GuestState state = caller.guest.state();
  return Json{{"running", state == GuestState::kRunning},
              {"singlestep", false},
              {"status", std::string(GuestStateName(state))}};
}

absl::StatusOr<Json> QueryVersion(const Caller&, const Json&) { return QmpVersion(); }
absl::StatusOr<Json> QueryTarget(const Caller&, const Json&) { return Json{{"arch", "x86_64"}}; }
absl::StatusOr<Json> QueryName(const Caller&, const Json&) { return Json::object(); }
absl::StatusOr<Json> QueryKvm(const Caller&, const Json&) { return Json{{"enabled", true}, {"present", true}}; }
absl::StatusOr<Json> QueryUuid(const Caller&, const Json&) {
  return Json{{"UUID", "00000000-0000-0000-0000-000000000000"}};
}

absl::StatusOr<Json> QueryCommands(const Caller&, const Json&) {
  Json names = Json::array({{{"name", "qmp_capabilities"}}});
  for (const QmpCommand& command : QmpCommands()) names.push_back({{"name", std::string(command.name)}});
  return names;
}

absl::StatusOr<Json> QueryCpusFast(const Caller& caller, const Json&) {
  Json cpus = Json::array();
  for (int id = 0; id < caller.guest.vcpus(); ++id) {
    cpus.push_back({{"cpu-index", id},
                    {"qom-path", absl::StrFormat("/machine/cpu[%d]", id)},
                    {"thread-id", caller.guest.ThreadId(id)},
                    {"target", "x86_64"}});
  }
  return cpus;
}

absl::StatusOr<Json> GetFd(const Caller& caller, const Json& arguments) {
  RETURN_IF_ERROR(caller.session.NameReceivedFd(arguments["fdname"].get<std::string>()));
  return Done();
}

absl::StatusOr<Json> CloseFd(const Caller& caller, const Json& arguments) {
  RETURN_IF_ERROR(caller.session.TakeNamedFd(arguments["fdname"].get<std::string>()).status());
  return Done();
}

absl::StatusOr<Json> HumanMonitorCommand(const Caller& caller, const Json& arguments) {
  return Json(RunTextCommand(caller.guest, arguments["command-line"].get<std::string>()));
}

constexpr std::array<QmpArgument, 0> kNone = {};
constexpr std::array kFdName = {QmpArgument{"fdname", Type::string, true}};
constexpr std::array kText = {QmpArgument{"command-line", Type::string, true},
                              QmpArgument{"cpu-index", Type::number_unsigned}};
constexpr std::array kDump = {
    QmpArgument{"paging", Type::boolean, true},   QmpArgument{"protocol", Type::string, true},
    QmpArgument{"detach", Type::boolean},         QmpArgument{"begin", Type::number_unsigned},
    QmpArgument{"length", Type::number_unsigned}, QmpArgument{"format", Type::string},
};

constexpr std::array kCommands = {
    QmpCommand{"closefd", kFdName, CloseFd},
    QmpCommand{"cont", kNone, Continue},
    QmpCommand{"dump-guest-memory", kDump, DumpGuestMemory},
    QmpCommand{"getfd", kFdName, GetFd},
    QmpCommand{"human-monitor-command", kText, HumanMonitorCommand},
    QmpCommand{"inject-nmi", kNone, InjectNmi},
    QmpCommand{"query-commands", kNone, QueryCommands},
    QmpCommand{"query-cpus-fast", kNone, QueryCpusFast},
    QmpCommand{"query-dump", kNone, QueryDump},
    QmpCommand{"query-dump-guest-memory-capability", kNone, QueryDumpFormats},
    QmpCommand{"query-kvm", kNone, QueryKvm},
    QmpCommand{"query-name", kNone, QueryName},
    QmpCommand{"query-status", kNone, QueryStatus},
    QmpCommand{"query-target", kNone, QueryTarget},
    QmpCommand{"query-uuid", kNone, QueryUuid},
    QmpCommand{"query-version", kNone, QueryVersion},
    QmpCommand{"quit", kNone, Quit},
    QmpCommand{"stop", kNone, Stop},
};

bool Fits(const Json& value, Type type) {
  if (type == Type::number_unsigned) return value.is_number_unsigned();
  return value.type() == type;
}

std::string_view TypeName(Type type) {
  switch (type) {
    case Type::string: return "string";
    case Type::boolean: return "boolean";
    default: return "integer";
  }
}

}  // namespace

std::span<const QmpCommand> QmpCommands() { return kCommands; }

const QmpCommand* FindQmpCommand(std::string_view name) {
  const auto found = std::ranges::find(kCommands, name, &QmpCommand::name);
  return found == kCommands.end() ? nullptr : &*found;
}

absl::StatusOr<Json> CheckArguments(const QmpCommand& command, const Json& arguments) {
  for (const auto& [name, value] : arguments.items()) {
    const auto known = std::ranges::find(command.arguments, std::string_view(name), &QmpArgument::name);
    if (known == command.arguments.end()) {
      return absl::InvalidArgumentError(absl::StrFormat("Parameter '%s' is unexpected", name));
    }
    if (!Fits(value, known->type)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("Invalid parameter type for '%s', expected: %s", name, TypeName(known->type)));
    }
  }
  for (const QmpArgument& argument : command.arguments) {
    if (argument.needed && !arguments.contains(std::string(argument.name))) {
      return absl::InvalidArgumentError(absl::StrFormat("Parameter '%s' is missing", argument.name));
    }
  }
  return Done();
}

std::string_view GuestStateName(GuestState state) {
  switch (state) {
    case GuestState::kRunning: return "running";
    case GuestState::kPaused: return "paused";
    case GuestState::kPanicked: return "guest-panicked";
  }
  return "?";
}

}  // namespace vmm
