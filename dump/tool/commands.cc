#include "dump/tool/commands.h"

#include "dump/tool/check_command.h"
#include "dump/tool/compare_command.h"
#include "dump/tool/console_command.h"
#include "dump/tool/convert_command.h"
#include "dump/tool/dmesg_command.h"
#include "dump/tool/guest_command.h"
#include "dump/tool/info_command.h"
#include "dump/tool/report_command.h"
#include "dump/tool/tasks_command.h"
#include "dump/tool/vmcs_command.h"

namespace vmm {

std::vector<Command> AllCommands() {
  return {
      // One per line.
      // clang-format off
      InfoCommand(),
      CheckCommand(),
      CompareCommand(),
      DmesgCommand(),
      ReportCommand(),
      TasksCommand(),
      ConsoleCommand(),
      VmcsCommand(),
      GuestCommand(),
      ConvertCommand(),
      // clang-format on
  };
}

}  // namespace vmm
