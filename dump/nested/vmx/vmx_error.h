// Results of VMX instructions (SDM vol. 3, section 31.2 and 31.4), by number and by name.
#ifndef DUMP_NESTED_VMX_VMX_ERROR_H_
#define DUMP_NESTED_VMX_VMX_ERROR_H_

#include <cstdint>
#include <string_view>

namespace vmm {

// The VM-instruction error field, SDM vol. 3, table 31-1. 14, 21 and 27 are not used.
enum class VmInstructionError : uint32_t {
  kNone = 0,
  kVmcallInRoot = 1,
  kVmclearBadAddress = 2,
  kVmclearVmxonPointer = 3,
  kVmlaunchNotClear = 4,
  kVmresumeNotLaunched = 5,
  kVmresumeAfterVmxoff = 6,
  kEntryBadControl = 7,
  kEntryBadHostState = 8,
  kVmptrldBadAddress = 9,
  kVmptrldVmxonPointer = 10,
  kVmptrldWrongRevision = 11,
  kUnsupportedComponent = 12,
  kVmwriteReadOnly = 13,
  kVmxonInRoot = 15,
  kEntryBadExecutivePointer = 16,
  kEntryExecutiveNotLaunched = 17,
  kEntryExecutiveNotVmxonPointer = 18,
  kVmcallNotClear = 19,
  kVmcallBadExitControls = 20,
  kVmcallWrongMsegRevision = 22,
  kVmxoffDualMonitor = 23,
  kVmcallBadSmmFeatures = 24,
  kEntryBadExecutiveControls = 25,
  kEntryBlockedByMovSs = 26,
  kBadInvalidateOperand = 28,
};

// "VMLAUNCH with non-clear VMCS"; "no error" for 0, "unknown" for numbers without a meaning.
std::string_view VmInstructionErrorName(uint32_t error);

// The VMX-abort indicator at byte 4 of a VMCS region (SDM vol. 3, section 28.7). "no abort" for 0, "unknown" for
// numbers without a meaning.
std::string_view VmxAbortName(uint32_t indicator);

// The result that an instruction leaves in RFLAGS. `error` is meaningful only with kFailValid, because only then is
// there a current VMCS to hold it.
struct VmxResult {
  enum class Kind { kSucceed, kFailInvalid, kFailValid };
  Kind kind = Kind::kSucceed;
  VmInstructionError error = VmInstructionError::kNone;

  friend bool operator==(const VmxResult&, const VmxResult&) = default;

  static constexpr VmxResult Succeed() { return {}; }
  static constexpr VmxResult FailInvalid() { return {Kind::kFailInvalid, VmInstructionError::kNone}; }
  static constexpr VmxResult FailValid(VmInstructionError error) { return {Kind::kFailValid, error}; }
  constexpr bool ok() const { return kind == Kind::kSucceed; }

  // The six arithmetic flags of RFLAGS: none, CF or ZF.
  constexpr uint64_t rflags() const {
    return kind == Kind::kSucceed ? 0 : kind == Kind::kFailInvalid ? 1u << 0 : 1u << 6;
  }
};

}  // namespace vmm

#endif  // DUMP_NESTED_VMX_VMX_ERROR_H_
