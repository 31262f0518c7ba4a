// How every command opens a dump.
#ifndef DUMP_TOOL_OPEN_CORE_H_
#define DUMP_TOOL_OPEN_CORE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "dump/read/vmcore.h"
#include "dump/tool/command.h"

namespace vmm {

// "PATH is cut short: ..."; empty where it is not.
std::string CutShortSentence(const Vmcore& core);

// Vmcore::Open(). That the file is cut short is the first that its user hears, before what follows from it.
absl::StatusOr<std::unique_ptr<Vmcore>> OpenCore(const Invocation& call, const std::string& path);

}  // namespace vmm

#endif  // DUMP_TOOL_OPEN_CORE_H_
