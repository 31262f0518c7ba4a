// The commands of the monitor, in a table.
#ifndef VMM_LIVE_QMP_COMMANDS_H_
#define VMM_LIVE_QMP_COMMANDS_H_

#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vmm/live/live_guest.h"
#include "vmm/live/qmp_session.h"

namespace vmm {

struct QmpArgument {
  std::string_view name;
  nlohmann::ordered_json::value_t type;  // number_unsigned: a whole number, not negative
  bool needed = false;
};

struct QmpCommand {
  struct Caller {
    LiveGuest& guest;
    QmpSession& session;
  };

  std::string_view name;
  std::span<const QmpArgument> arguments;
  // Called with arguments that fit. The status's message is what the client reads.
  absl::StatusOr<QmpSession::Json> (*run)(const Caller& caller, const QmpSession::Json& arguments);
};

// Null if there is none of that name.
const QmpCommand* FindQmpCommand(std::string_view name);
std::span<const QmpCommand> QmpCommands();

// An empty object, or an error as QEMU words it: an argument is unknown, missing or of another type. Checked before
// anything happens.
absl::StatusOr<QmpSession::Json> CheckArguments(const QmpCommand& command, const QmpSession::Json& arguments);

// {"qemu": {...}, "package": "vmm ..."}
QmpSession::Json QmpVersion();

// The name of a state in query-status: "running", "paused", "guest-panicked".
std::string_view GuestStateName(GuestState state);

}  // namespace vmm

#endif  // VMM_LIVE_QMP_COMMANDS_H_
