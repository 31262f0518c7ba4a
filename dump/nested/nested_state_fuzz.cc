// A nested state, a vmcs12 page, and the notes that hold them: refused or read.
#include <optional>
#include <vector>

#include "dump/nested/l1_state.h"
#include "dump/nested/nested_state.h"
#include "dump/nested/nested_state_note.h"
#include "dump/nested/vmx/print_vmcs12.h"
#include "dump/nested/vmx/vmcs_region.h"
#include "dump/nested/vmx/vmcsinfo_note.h"
#include "fuzz/input.h"

namespace vmm {
namespace {

void ReadState(std::span<const uint8_t> bytes) {
  const auto state = NestedState::Parse(bytes);
  if (!state.ok()) return;
  (void)state->Oddities();
  (void)state->vmcb12();
  CpuState cpu;
  cpu.nested.bytes.assign(bytes.begin(), bytes.end());
  FuzzCheck(L1State(cpu).has_value() == state->guest_mode());
}

void ReadPage(FuzzInput& input) {
  const auto encoding = input.Take<uint64_t>();
  const auto mode = input.Take<uint8_t>();
  auto region = VmcsRegion::Parse(input.Rest());
  if (!region.ok()) return;
  const VmxFeatures features = {.layout = static_cast<Vmcs12Layout>(mode & 1), .vmwrite_read_only = (mode & 2) != 0};
  uint64_t value = 0;
  const bool written = region->Vmwrite(encoding, features, encoding).ok();
  FuzzCheck(!written || region->Vmread(encoding, features, &value).ok());
  (void)PrintStateFields(DescribeVmcs12(*region, features.layout));
}

}  // namespace
}  // namespace vmm

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vmm::FuzzInput input(data, size);
  switch (input.Take<uint8_t>() % 4) {
    case 0: vmm::ReadState(input.Rest()); break;
    case 1: vmm::ReadPage(input); break;
    case 2: {
      const auto note = vmm::NestedStateNote::Parse(input.Rest());
      if (note.ok()) vmm::ReadState(note->state);
      break;
    }
    case 3: (void)vmm::VmcsInfo::Parse(input.Rest());
  }
  return 0;
}
