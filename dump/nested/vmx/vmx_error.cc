#include "dump/nested/vmx/vmx_error.h"

namespace vmm {

std::string_view VmInstructionErrorName(uint32_t error) {
  switch (static_cast<VmInstructionError>(error)) {
    case VmInstructionError::kNone: return "no error";
    case VmInstructionError::kVmcallInRoot: return "VMCALL in VMX root operation";
    case VmInstructionError::kVmclearBadAddress: return "VMCLEAR of an invalid address";
    case VmInstructionError::kVmclearVmxonPointer: return "VMCLEAR of the VMXON pointer";
    case VmInstructionError::kVmlaunchNotClear: return "VMLAUNCH with a VMCS that is not clear";
    case VmInstructionError::kVmresumeNotLaunched: return "VMRESUME with a VMCS that is not launched";
    case VmInstructionError::kVmresumeAfterVmxoff: return "VMRESUME after VMXOFF";
    case VmInstructionError::kEntryBadControl: return "VM entry with invalid control fields";
    case VmInstructionError::kEntryBadHostState: return "VM entry with invalid host-state fields";
    case VmInstructionError::kVmptrldBadAddress: return "VMPTRLD of an invalid address";
    case VmInstructionError::kVmptrldVmxonPointer: return "VMPTRLD of the VMXON pointer";
    case VmInstructionError::kVmptrldWrongRevision: return "VMPTRLD of a region with another revision";
    case VmInstructionError::kUnsupportedComponent: return "VMREAD or VMWRITE of an unsupported component";
    case VmInstructionError::kVmwriteReadOnly: return "VMWRITE to a read-only component";
    case VmInstructionError::kVmxonInRoot: return "VMXON in VMX root operation";
    case VmInstructionError::kEntryBadExecutivePointer: return "VM entry with an invalid executive-VMCS pointer";
    case VmInstructionError::kEntryExecutiveNotLaunched: return "VM entry with an executive VMCS that is not launched";
    case VmInstructionError::kEntryExecutiveNotVmxonPointer:
      return "VM entry with an executive-VMCS pointer that is not the VMXON pointer";
    case VmInstructionError::kVmcallNotClear: return "VMCALL with a VMCS that is not clear";
    case VmInstructionError::kVmcallBadExitControls: return "VMCALL with invalid VM-exit controls";
    case VmInstructionError::kVmcallWrongMsegRevision: return "VMCALL with another MSEG revision";
    case VmInstructionError::kVmxoffDualMonitor: return "VMXOFF under dual-monitor treatment";
    case VmInstructionError::kVmcallBadSmmFeatures: return "VMCALL with invalid SMM-monitor features";
    case VmInstructionError::kEntryBadExecutiveControls:
      return "VM entry with invalid execution controls in the executive VMCS";
    case VmInstructionError::kEntryBlockedByMovSs: return "VM entry with events blocked by MOV SS";
    case VmInstructionError::kBadInvalidateOperand: return "invalid operand of INVEPT or INVVPID";
  }
  return "unknown";
}

std::string_view VmxAbortName(uint32_t indicator) {
  switch (indicator) {
    case 0: return "no abort";
    case 1: return "guest MSRs could not be saved";
    case 2: return "PDPTEs of the host are invalid";
    case 3: return "the current VMCS is corrupted";
    case 4: return "host MSRs could not be loaded";
    case 5: return "machine check during the VM exit";
    case 6: return "64-bit mode, but a 32-bit host";
    case 13: return "shutdown in SMX operation";
    default: return "unknown";
  }
}

}  // namespace vmm
