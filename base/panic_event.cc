#include "base/panic_event.h"

namespace vmm {

std::string_view PanicSourceName(PanicSource source) {
  switch (source) {
    case PanicSource::kPvpanic: return "pvpanic";
    case PanicSource::kConsole: return "console";
    case PanicSource::kTrap: return "trap";
    case PanicSource::kTripleFault: return "triple-fault";
    case PanicSource::kInternalError: return "kvm-internal-error";
    case PanicSource::kFailedEntry: return "failed-entry";
    case PanicSource::kUnhandledExit: return "unhandled-exit";
  }
  return "unknown";
}

}  // namespace vmm
