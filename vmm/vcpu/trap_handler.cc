#include "vmm/vcpu/trap_handler.h"

namespace vmm {

// A handler that takes no such exit is not asked about one.
NextStep TrapHandler::OnBreakpoint(Vcpu&, const BreakpointExit&) { return NextStep::kResume; }

}  // namespace vmm
