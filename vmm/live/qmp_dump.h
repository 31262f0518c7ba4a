// The monitor's dump-guest-memory and the questions about it.
#ifndef VMM_LIVE_QMP_DUMP_H_
#define VMM_LIVE_QMP_DUMP_H_

#include "absl/status/statusor.h"
#include "vmm/live/qmp_commands.h"

namespace vmm {

// `protocol` is file:PATH or fd:NAME. `begin` and `length` go together. `paging` is accepted and changes nothing: our
// dumps always have the kernel's addresses. Ends when the dump is whole, with `detach` too:
// DUMP_COMPLETED then has come already.
absl::StatusOr<QmpSession::Json> DumpGuestMemory(const QmpCommand::Caller& caller, const QmpSession::Json& arguments);

absl::StatusOr<QmpSession::Json> QueryDump(const QmpCommand::Caller& caller, const QmpSession::Json& arguments);
absl::StatusOr<QmpSession::Json> QueryDumpFormats(const QmpCommand::Caller& caller, const QmpSession::Json& arguments);

}  // namespace vmm

#endif  // VMM_LIVE_QMP_DUMP_H_
