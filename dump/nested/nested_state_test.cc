#include "dump/nested/nested_state.h"

#include <cstring>
#include <functional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "dump/nested/testing/fixture.h"
#include "dump/nested/testing/set_nested_state.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kInL2 = "vmx-plain-F1-inL2.bin";

template <typename T>
void Put(std::vector<uint8_t>& bytes, size_t offset, T value) {
  ASSERT_LE(offset + sizeof(value), bytes.size());
  std::memcpy(bytes.data() + offset, &value, sizeof(value));
}

// Changes one value in a fixture and returns the error of Parse().
template <typename T>
std::string ParseError(std::string_view fixture, size_t offset, T value) {
  std::vector<uint8_t> bytes = Fixture(fixture);
  Put(bytes, offset, value);
  return std::string(NestedState::Parse(bytes).status().message());
}

// Cuts a fixture to `size`, also in its header, and returns the error of Parse().
std::string ParseErrorOfSize(std::string_view fixture, uint32_t size) {
  std::vector<uint8_t> bytes = Fixture(fixture);
  bytes.resize(size);
  if (size >= 8) Put(bytes, 4, size);
  return std::string(NestedState::Parse(bytes).status().message());
}

std::vector<uint8_t> WithShadowVmcs() {
  std::vector<uint8_t> bytes = Fixture(kInL2);
  bytes.resize(kNestedTwoPages);
  Put<uint32_t>(bytes, 4, kNestedTwoPages);
  Put<uint32_t>(bytes, 128 + offsetof(Vmcs12, secondary_vm_exec_control), 2 | 1 << 14);
  Put<uint64_t>(bytes, 128 + offsetof(Vmcs12, vmcs_link_pointer), 0x3000);
  Put<uint32_t>(bytes, kNestedOnePage, kVmcs12Revision | kVmcsShadowBit);
  return bytes;
}

TEST(NestedStateTest, EveryRealStateIsReadBackByteForByteAndHasNothingOdd) {
  for (const std::string& name : BlobNames()) {
    const std::vector<uint8_t> bytes = Fixture(name);
    const auto state = NestedState::Parse(bytes);
    ASSERT_TRUE(state.ok()) << name << ": " << state.status();
    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), state->bytes().begin(), state->bytes().end())) << name;
    EXPECT_THAT(state->Oddities(), IsEmpty()) << name;
  }
}

TEST(NestedStateTest, ARunningL2ShowsItsVmcs12) {
  const auto state = NestedState::Parse(Fixture(kInL2));
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_TRUE(state->vmx());
  EXPECT_TRUE(state->guest_mode());
  EXPECT_EQ(0x1000u, state->header().vmx.vmxon_pa);
  EXPECT_EQ(0x2000u, state->header().vmx.vmcs12_pa);
  ASSERT_TRUE(state->vmcs12().has_value());
  EXPECT_EQ(0x5027u, state->vmcs12()->vmcs12().guest_rip);
  EXPECT_EQ(0x9000u, state->vmcs12()->vmcs12().guest_cr3);
  EXPECT_FALSE(state->shadow_vmcs12().has_value());
  EXPECT_FALSE(state->vmcb12().has_value());
}

TEST(NestedStateTest, BeforeVmptrldAndAfterVmclearThereIsNoVmcs12) {
  for (const char* name : {"vmx-plain-0-fresh.bin", "vmx-plain-A-vmxon.bin", "vmx-plain-D-vmclear.bin"}) {
    const auto state = NestedState::Parse(Fixture(name));
    ASSERT_TRUE(state.ok()) << state.status();
    EXPECT_FALSE(state->vmcs12().has_value()) << name;
  }
}

TEST(NestedStateTest, OnAmdARunningL2ShowsL1sStateInTheSaveArea) {
  const auto state = NestedState::Parse(Fixture("svm-L2-49.bin"));
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_FALSE(state->vmx());
  EXPECT_TRUE(state->guest_mode());
  EXPECT_EQ(0x2000u, state->header().svm.vmcb_pa);
  ASSERT_TRUE(state->vmcb12().has_value());
  EXPECT_EQ(0x30000u, state->vmcb12()->control.nested_cr3);
  EXPECT_EQ(1u, state->vmcb12()->control.asid);
  EXPECT_EQ(0x10031u, state->vmcb12()->save.rip) << "behind L1's VMRUN";
  EXPECT_EQ(0x2000u, state->vmcb12()->save.rax);
  EXPECT_EQ(0xc000u, state->vmcb12()->save.gdtr.base);
}

TEST(NestedStateTest, AShadowVmcsIsASecondPage) {
  const std::vector<uint8_t> bytes = WithShadowVmcs();
  const auto state = NestedState::Parse(bytes);
  ASSERT_TRUE(state.ok()) << state.status();
  ASSERT_TRUE(state->shadow_vmcs12().has_value());
  EXPECT_TRUE(state->shadow_vmcs12()->shadow());
  EXPECT_THAT(state->Oddities(), IsEmpty());
  EXPECT_EQ(0, CheckSetNestedState(state->bytes(), {}).error);
}

TEST(NestedStateTest, AStateIsMadeFromItsPartsAsKvmMakesIt) {
  const auto real = NestedState::Parse(Fixture(kInL2));
  ASSERT_TRUE(real.ok());
  const auto made = NestedState::MakeVmx(real->header(), &*real->vmcs12(), nullptr);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE(std::equal(made->bytes().begin(), made->bytes().end(), real->bytes().begin(), real->bytes().end()));
}

TEST(NestedStateTest, AStateOfTheWrongSizeIsRefused) {
  EXPECT_EQ("nested state: 0 bytes are less than the header's 128", NestedState::Parse({}).status().message());
  EXPECT_EQ("nested state: 127 bytes are less than the header's 128", ParseErrorOfSize(kInL2, 127));
  EXPECT_EQ("nested state: 8321 bytes are more than KVM has, 8320", ParseErrorOfSize(kInL2, 8321));
  EXPECT_EQ("nested state: its header says 4225 bytes, but there are 4224", ParseError<uint32_t>(kInL2, 4, 4225));
  EXPECT_EQ("nested state: its header says 4223 bytes, but there are 4224", ParseError<uint32_t>(kInL2, 4, 4223));
  EXPECT_THAT(ParseErrorOfSize(kInL2, 128), HasSubstr("of its vmcs12 there are 0 bytes"));
  EXPECT_THAT(ParseErrorOfSize(kInL2, 128 + 997), HasSubstr("of its vmcs12 there are 997 bytes"));
  EXPECT_THAT(ParseErrorOfSize("vmx-plain-E-real.bin", 128), HasSubstr("vmcs12_pa 0x2000, but"));
  EXPECT_THAT(ParseErrorOfSize("svm-L2-49.bin", 4223), HasSubstr("of its VMCB there are 4095 bytes"));
}

TEST(NestedStateTest, AnUnknownFormatIsSaidToBeUnknown) {
  std::vector<uint8_t> bytes = Fixture(kInL2);
  Put<uint16_t>(bytes, 2, 2);
  EXPECT_EQ(absl::StatusCode::kUnimplemented, NestedState::Parse(bytes).status().code());
}

TEST(NestedStateTest, WhatKvmWouldRefuseOfAnyVcpuIsRefused) {
  EXPECT_THAT(ParseError<uint16_t>("vmx-plain-E-real.bin", 0, kNestedRunPending), HasSubstr("L2 does not run"));
  EXPECT_THAT(ParseError<uint64_t>(kInL2, 8, 0x1001), HasSubstr("vmxon_pa 0x1001"));
  EXPECT_THAT(ParseError<uint64_t>(kInL2, 8, 0x2000), HasSubstr("is the VMXON region"));
  EXPECT_THAT(ParseError<uint64_t>(kInL2, 8, kNestedNoAddress), HasSubstr("without VMXON"));
  EXPECT_THAT(ParseError<uint64_t>(kInL2, 16, 1ull << 60), HasSubstr("vmcs12_pa 0x1000000000000000"));
  EXPECT_THAT(ParseError<uint64_t>(kInL2, 16, kNestedNoAddress), HasSubstr("without an address"));
  EXPECT_THAT(ParseError<uint16_t>("vmx-plain-0-fresh.bin", 24, 1), HasSubstr("smm.flags 0x1 without VMXON"));
  EXPECT_THAT(ParseError<uint16_t>(kInL2, 24, kNestedSmmGuestMode), HasSubstr("SMM"));
  EXPECT_THAT(ParseError<uint32_t>(kInL2, 128, 0xd), HasSubstr("revision 0x0000000d"));
  EXPECT_THAT(ParseError<uint64_t>("svm-L2-49.bin", 8, 0x2001), HasSubstr("vmcb_pa 0x2001"));
}

TEST(NestedStateTest, AShadowVmcsThatIsMissingOrIsNoneIsRefused) {
  std::vector<uint8_t> bytes = WithShadowVmcs();
  Put<uint32_t>(bytes, kNestedOnePage, kVmcs12Revision);
  EXPECT_THAT(std::string(NestedState::Parse(bytes).status().message()), HasSubstr("not marked"));
  Put<uint32_t>(bytes, kNestedOnePage, 1);
  EXPECT_THAT(std::string(NestedState::Parse(bytes).status().message()), HasSubstr("shadow vmcs12: VMCS revision"));
  bytes.resize(kNestedOnePage);
  Put<uint32_t>(bytes, 4, kNestedOnePage);
  EXPECT_THAT(std::string(NestedState::Parse(bytes).status().message()), HasSubstr("it is not here"));
}

template <typename T>
std::vector<std::string> Oddities(std::string_view fixture, size_t offset, T value) {
  std::vector<uint8_t> bytes = Fixture(fixture);
  Put(bytes, offset, value);
  const auto state = NestedState::Parse(bytes);
  EXPECT_TRUE(state.ok()) << state.status();
  return state.ok() ? state->Oddities() : std::vector<std::string>{};
}

TEST(NestedStateTest, WhatKvmTakesThoughItIsOddIsSaid) {
  const auto field = [](size_t offset) { return sizeof(KvmNestedHeader) + offset; };
  EXPECT_THAT(Oddities<uint16_t>(kInL2, 0, 0x8001), ElementsAre("flags 0x8000: unknown bits"));
  EXPECT_THAT(Oddities<uint16_t>(kInL2, 24, 4), ElementsAre("smm.flags 0x4: unknown bits"));
  EXPECT_THAT(Oddities<uint32_t>(kInL2, 28, 2), ElementsAre("vmx.flags 0x2: unknown bits"));
  EXPECT_THAT(Oddities<uint8_t>(kInL2, 127, 1), ElementsAre("reserved bytes of the header are not zero"));
  EXPECT_THAT(Oddities<uint32_t>(kInL2, field(4), 4),
              ElementsAre("vmcs12: VMX abort 4, host MSRs could not be loaded"));
  EXPECT_THAT(Oddities<uint32_t>(kInL2, field(8), 2),
              ElementsAre("vmcs12: launch state 2 is neither clear nor launched"));
  EXPECT_THAT(Oddities<uint32_t>(kInL2, field(offsetof(Vmcs12, dead_space)), 1),
              ElementsAre("vmcs12: dead_space is not zero; a newer KVM may have a field there"));
  EXPECT_THAT(Oddities<uint32_t>(kInL2, field(0), kVmcs12Revision | kVmcsShadowBit),
              ElementsAre("vmcs12: marked as a shadow VMCS, which cannot be entered"));
  EXPECT_THAT(Oddities<uint64_t>(kInL2, field(offsetof(Vmcs12, ept_pointer)), 0x3009e),
              ElementsAre("vmcs12: L2 runs, but could not be entered: ept_pointer 0x3009e: reserved bits 11:7 set"));
}

TEST(NestedStateTest, AnL1With5LevelPagingHasAddressesOf57Bits) {
  std::vector<uint8_t> bytes = Fixture(kInL2);
  const auto field = [](size_t offset) { return sizeof(KvmNestedHeader) + offset; };
  Put<uint64_t>(bytes, field(offsetof(Vmcs12, host_gs_base)), 0xff11000001e00000);
  EXPECT_EQ(1u, NestedState::Parse(bytes)->Oddities().size()) << "48 bits with 4 levels";
  constexpr uint64_t kPaeVmxeLa57 = 0x3020;
  Put<uint64_t>(bytes, field(offsetof(Vmcs12, host_cr4)), kPaeVmxeLa57);
  EXPECT_THAT(NestedState::Parse(bytes)->Oddities(), ElementsAre());
  Put<uint64_t>(bytes, field(offsetof(Vmcs12, host_gs_base)), 0xfe11000001e00000);
  EXPECT_EQ(1u, NestedState::Parse(bytes)->Oddities().size());
}

TEST(NestedStateTest, AStateThatEndsBehindTheStructIsReadWithZerosBehindIt) {
  std::vector<uint8_t> bytes = Fixture(kInL2);
  bytes.resize(sizeof(KvmNestedHeader) + kVmcs12Size);
  Put<uint32_t>(bytes, 4, static_cast<uint32_t>(bytes.size()));
  const auto state = NestedState::Parse(bytes);
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(0x5027u, state->vmcs12()->vmcs12().guest_rip);
  EXPECT_THAT(state->Oddities(), ElementsAre("998 bytes behind the header are no whole pages"));
}

}  // namespace
}  // namespace vmm
