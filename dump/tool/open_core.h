// Opens a dump, for every command.
#ifndef DUMP_TOOL_OPEN_CORE_H_
#define DUMP_TOOL_OPEN_CORE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "dump/read/vmcore.h"
#include "dump/tool/command.h"

namespace vmm {

// "PATH is cut short: ...", or "" if it is not.
std::string CutShortSentence(const Vmcore& core);

// Calls Vmcore::Open(). If the file is cut short, tells the user this first, before anything that follows from it.
absl::StatusOr<std::unique_ptr<Vmcore>> OpenCore(const Invocation& call, const std::string& path);

}  // namespace vmm

#endif  // DUMP_TOOL_OPEN_CORE_H_
