// Where the guest's console goes.
#ifndef VMM_RUN_CONSOLE_OUTPUT_H_
#define VMM_RUN_CONSOLE_OUTPUT_H_

#include <memory>

#include "absl/status/statusor.h"
#include "vmm/config/vm_config.h"
#include "vmm/console/console_writer.h"

namespace vmm {

// Opens what VmConfig::console asks for. Errors name the file.
absl::StatusOr<std::unique_ptr<ConsoleWriter>> OpenConsole(const VmConfig& config);

}  // namespace vmm

#endif  // VMM_RUN_CONSOLE_OUTPUT_H_
