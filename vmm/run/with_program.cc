#include "vmm/run/with_program.h"

#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/log.h"
#include "base/status.h"
#include "vmm/harness/program_archive.h"

namespace vmm {

absl::StatusOr<VmConfig> WithProgram(const VmConfig& config) {
  VmConfig ready = config;
  ASSIGN_OR_RETURN(InputFile archive, MakeProgramArchive(*config.program, config.boot.kernel_path));
  LogDebug(absl::StrFormat("packed the program and its files: %d KiB", archive.size() >> 10));
  ready.boot.initrd.emplace(std::move(archive));
  if (const auto& root = config.program->root; root.has_value()) {
    ready.virtio.folders.push_back({.path = root->path,
                                    .tag = std::string(kRootTag),
                                    .read_only = root->changes != RootTree::Changes::kToTheHost,
                                    .announce_mounts = false});
  }
  ready.boot.command_line = ProgramCommandLine(config.boot.command_line, config.verbose);
  return ready;
}

}  // namespace vmm
