#include "vmm/vcpu/dispatch_exit.h"

#include "absl/strings/str_format.h"
#include "vmm/vcpu/backdoor_access.h"

namespace vmm {
namespace {

// KVM_INTERNAL_ERROR_* of the KVM API documentation, section 5 (kvm_run.internal).
std::string SuberrorName(uint32_t suberror) {
  switch (suberror) {
    case 1: return "emulation";
    case 2: return "simultaneous exceptions";
    case 3: return "event delivery";
    case 4: return "unexpected exit reason";
    default: return "unknown";
  }
}

std::string Describe(const InternalErrorExit& exit) {
  std::string text = absl::StrFormat("suberror %d (%s)", exit.suberror, SuberrorName(exit.suberror));
  if (!exit.instruction.empty()) text += ", instruction bytes";
  for (uint8_t byte : exit.instruction) text += absl::StrFormat(" %02x", byte);
  if (!exit.data.empty()) text += ", data";
  for (uint64_t word : exit.data) text += absl::StrFormat(" %#x", word);
  return text;
}

class Dispatcher {
 public:
  Dispatcher(int vcpu, const Buses& buses, PanicSink& panics) : vcpu_(vcpu), buses_(buses), panics_(panics) {}

  NextStep operator()(const IoExit& exit) const {
    if (exit.registers != nullptr && buses_.backdoor != nullptr) {
      AccessBackdoor(exit, *buses_.backdoor);
      return NextStep::kResume;
    }
    // Each element of a string instruction is a separate access.
    for (size_t at = 0; at + exit.size <= exit.data.size(); at += exit.size) {
      const std::span<uint8_t> element = exit.data.subspan(at, exit.size);
      if (exit.is_write) {
        buses_.pio.Write(exit.port, element);
      } else {
        buses_.pio.Read(exit.port, element);
      }
    }
    return NextStep::kResume;
  }

  NextStep operator()(const MmioExit& exit) const {
    if (exit.is_write) {
      buses_.mmio.Write(exit.address, exit.data);
    } else {
      buses_.mmio.Read(exit.address, exit.data);
    }
    return NextStep::kResume;
  }

  NextStep operator()(const InterruptedExit&) const { return NextStep::kResume; }
  NextStep operator()(const ShutdownExit&) const { return Died(PanicSource::kTripleFault, ""); }
  NextStep operator()(const InternalErrorExit& exit) const { return Died(PanicSource::kInternalError, Describe(exit)); }

  NextStep operator()(const FailEntryExit& exit) const {
    return Died(PanicSource::kFailedEntry,
                absl::StrFormat("hardware entry failure reason %#x on host CPU %d", exit.hardware_reason, exit.cpu));
  }

  NextStep operator()(const HaltExit&) const {
    return Died(PanicSource::kUnhandledExit, "HLT left to user space: no in-kernel irqchip");
  }
  NextStep operator()(const BreakpointExit& exit) const {
    return Died(PanicSource::kUnhandledExit, absl::StrFormat("debug exit at %#x, none was asked for", exit.pc));
  }
  NextStep operator()(const UnhandledExit& exit) const {
    return Died(PanicSource::kUnhandledExit, absl::StrFormat("KVM exit reason %d", exit.reason));
  }

 private:
  NextStep Died(PanicSource source, std::string detail) const {
    panics_.OnPanic(PanicEvent{.source = source, .vcpu = vcpu_, .detail = std::move(detail)});
    return NextStep::kStop;
  }

  int vcpu_;
  const Buses& buses_;
  PanicSink& panics_;
};

}  // namespace

NextStep DispatchExit(const VcpuExit& exit, int vcpu, const Buses& buses, PanicSink& panics) {
  return std::visit(Dispatcher(vcpu, buses, panics), exit);
}

}  // namespace vmm
