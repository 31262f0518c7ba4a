// `vmcore vmcs`: prints the VMCSs and VMCBs of a guest that was itself a hypervisor.
#ifndef DUMP_TOOL_VMCS_COMMAND_H_
#define DUMP_TOOL_VMCS_COMMAND_H_

#include "dump/tool/command.h"

namespace vmm {

Command VmcsCommand();

}  // namespace vmm

#endif  // DUMP_TOOL_VMCS_COMMAND_H_
