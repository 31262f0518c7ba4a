// A program of the user's that the guest runs in place of its own first program, and what it is given.
#ifndef VMM_HARNESS_PROGRAM_CONFIG_H_
#define VMM_HARNESS_PROGRAM_CONFIG_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vmm/harness/root_tree.h"

namespace vmm {

struct ProgramConfig {
  std::vector<std::string> words;                          // the program, then its arguments; not empty
  std::vector<std::pair<std::string, std::string>> files;  // more files or folders: on the host, in the guest
  std::vector<std::string> modules;                        // names, loaded before the program starts
  std::string modules_folder;                              // empty: /lib/modules/RELEASE of this host
  std::vector<std::string> environment;                    // NAME=VALUE, in place of our own of that name
  std::string working_folder;                              // in the guest; empty: the path of vmm's own
  bool shell_status = false;                               // exit codes as a shell's: docs/exit-codes.md
  std::optional<RootTree> root;                            // the guest's root; empty: only what is packed
  bool terminal = false;                                   // standard input and output are a terminal in the guest, too
  bool terminal_errors = false;                            // the same terminal is standard error; needs `terminal`
};

}  // namespace vmm

#endif  // VMM_HARNESS_PROGRAM_CONFIG_H_
