#include "vmm/kvm/nested_state_ioctl.h"

#include <cerrno>
#include <cstring>

#include "dump/nested/abi/nested_state_abi.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

// A KVM with a state of `size` bytes, all 0x5a after the header. Answers like Linux 6.1.
class Answerer {
 public:
  explicit Answerer(uint32_t size) : size_(size) {}

  int operator()(uint8_t* state) {
    ++asked_;
    KvmNestedHeader header;
    std::memcpy(&header, state, sizeof(header));
    const uint32_t room = header.size;
    if (room < size_) {
      std::memcpy(state + offsetof(KvmNestedHeader, size), &size_, sizeof(size_));
      return E2BIG;
    }
    header = {.flags = kNestedGuestMode, .size = size_};
    std::memcpy(state, &header, sizeof(header));
    std::memset(state + sizeof(header), 0x5a, size_ - sizeof(header));
    return 0;
  }

  int asked() const { return asked_; }

 private:
  const uint32_t size_;
  int asked_ = 0;
};

TEST(NestedStateIoctlTest, TheStateIsAsLongAsItsHeaderSays) {
  for (const uint32_t size : {uint32_t{128}, uint32_t{kNestedOnePage}, uint32_t{kNestedTwoPages}}) {
    Answerer kvm(size);
    const auto state = AskForNestedState(kNestedTwoPages, [&](uint8_t* bytes) { return kvm(bytes); });
    ASSERT_TRUE(state.ok()) << state.status();
    EXPECT_EQ(state->size(), size);
    EXPECT_EQ(state->at(0), kNestedGuestMode);
    EXPECT_EQ(state->back(), size == 128 ? 0 : 0x5a);
    EXPECT_EQ(kvm.asked(), 1);
  }
}

TEST(NestedStateIoctlTest, AKernelWithMoreToSayIsAskedAgainWithAllTheRoomItWants) {
  Answerer kvm(12416);
  const auto state = AskForNestedState(kNestedTwoPages, [&](uint8_t* bytes) { return kvm(bytes); });
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->size(), 12416u);
  EXPECT_EQ(kvm.asked(), 2);
}

TEST(NestedStateIoctlTest, OneThatNeverHasEnoughIsGivenUp) {
  Answerer kvm(kNestedStateLimit + 1);
  const auto state = AskForNestedState(0, [&](uint8_t* bytes) { return kvm(bytes); });
  EXPECT_EQ(kvm.asked(), 2);
  EXPECT_NE(state.status().message().find("KVM_GET_NESTED_STATE of at most 1048576 bytes"), std::string::npos)
      << state.status();
}

TEST(NestedStateIoctlTest, ASizeThatCannotBeIsNotBelieved) {
  for (const uint32_t size : {0u, 127u, uint32_t{kNestedTwoPages} + 1, ~0u}) {
    const auto state = AskForNestedState(kNestedTwoPages, [size](uint8_t* bytes) {
      std::memcpy(bytes + offsetof(KvmNestedHeader, size), &size, sizeof(size));
      return 0;
    });
    EXPECT_EQ(state.status().code(), absl::StatusCode::kInternal) << size;
  }
}

TEST(NestedStateIoctlTest, AnErrorOfKvmIsToldAsItIs) {
  const auto state = AskForNestedState(128, [](uint8_t*) { return EFAULT; });
  EXPECT_NE(state.status().message().find("Bad address"), std::string::npos) << state.status();
}

}  // namespace
}  // namespace vmm
