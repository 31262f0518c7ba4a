// A dump is untrusted. Pseudo-random changes to real states, a bounded number of them and always the same ones, must be
// refused or read. They must never cause a crash, a hang or a read out of bounds (ASan checks that). FUZZ_STEPS in the
// environment asks for more steps than the default.
#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/guest_memory.h"
#include "dump/nested/l1_state.h"
#include "dump/nested/nested_state.h"
#include "dump/nested/nested_state_note.h"
#include "dump/nested/testing/fixture.h"
#include "dump/nested/testing/set_nested_state.h"
#include "dump/nested/vmx/ept_walk.h"
#include "dump/nested/vmx/print_vmcs12.h"
#include "dump/nested/vmx/vmcs_region.h"
#include "dump/nested/vmx/vmcsinfo_note.h"
#include "dump/testing/fuzz_steps.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

class Mutator {
 public:
  uint64_t Below(uint64_t limit) { return random_() % limit; }

  // Numbers at which checks are likely to be off by one, and others.
  uint64_t Number() {
    constexpr uint64_t kEdges[] = {0,          1,          0x7f,       0x80,         0xfff,
                                   0x1000,     0x3000,     0x11e57ed0, 0x91e57ed0,   0x7fffffff,
                                   0x80000000, 1ull << 40, 1ull << 52, ~0ull - 4095, ~0ull};
    switch (Below(3)) {
      case 0: return kEdges[Below(std::size(kEdges))];
      case 1: return uint64_t{1} << Below(64);
      default: return random_();
    }
  }

  // One to eight changes: a bit, a number of some width at some place, or the length.
  void Change(std::vector<uint8_t>* bytes) {
    for (uint64_t i = 1 + Below(8); i > 0; --i) {
      if (bytes->empty() || Below(16) == 0) bytes->resize(Below(9000));
      if (bytes->empty()) continue;
      // Headers are small but matter more than the rest.
      const uint64_t at = Below(Below(2) == 0 ? std::min<uint64_t>(bytes->size(), 160) : bytes->size());
      if (Below(4) == 0) {
        (*bytes)[at] ^= static_cast<uint8_t>(1 << Below(8));
        continue;
      }
      const uint64_t number = Number();
      const uint64_t width = std::min<uint64_t>(uint64_t{1} << Below(4), bytes->size() - at);
      std::memcpy(bytes->data() + at, &number, width);
    }
  }

 private:
  std::mt19937_64 random_{FuzzSeed(5)};
};

TEST(NestedFuzzTest, AStateIsRefusedOrReadAndWhatKvmTakesWeRead) {
  std::vector<std::vector<uint8_t>> seeds;
  for (const std::string& name : BlobNames()) seeds.push_back(Fixture(name));
  Mutator mutator;
  CpuState cpu;
  uint64_t read = 0;
  const uint64_t steps = FuzzSteps(100'000);
  for (uint64_t step = 0; step < steps; ++step) {
    std::vector<uint8_t> bytes = seeds[mutator.Below(seeds.size())];
    mutator.Change(&bytes);
    const uint32_t size = static_cast<uint32_t>(bytes.size());
    if (size >= 8 && mutator.Below(4) != 0) std::memcpy(bytes.data() + 4, &size, sizeof(size));

    const auto state = NestedState::Parse(bytes);
    if (state.ok()) {
      ++read;
      ASSERT_TRUE(std::equal(bytes.begin(), bytes.end(), state->bytes().begin(), state->bytes().end()));
      (void)state->Oddities();
      (void)state->vmcb12();
      cpu.nested.bytes = bytes;
      ASSERT_EQ(L1State(cpu).has_value(), state->guest_mode());
    }
    for (const bool vmx : {true, false}) {
      const auto verdict = CheckSetNestedState(bytes, {.vmx = vmx});
      uint32_t said = 0;
      if (size >= 8) std::memcpy(&said, bytes.data() + 4, sizeof(said));
      if (verdict.error == 0 && said == size && size <= NestedState::kMaxSize) {
        ASSERT_TRUE(state.ok()) << "step " << step << ": " << state.status();
      }
    }
  }
  EXPECT_GT(read, steps / 20) << "most changes hit what nobody checks";
}

TEST(NestedFuzzTest, APageTakesAnyInstruction) {
  std::vector<std::vector<uint8_t>> seeds;
  for (const std::string& name : Vmcs12BlobNames()) {
    const std::vector<uint8_t> blob = Fixture(name);
    seeds.emplace_back(blob.begin() + 128, blob.end());
  }
  Mutator mutator;
  const uint64_t steps = FuzzSteps(100'000);
  for (uint64_t step = 0; step < steps; ++step) {
    std::vector<uint8_t> bytes = seeds[mutator.Below(seeds.size())];
    mutator.Change(&bytes);
    auto region = VmcsRegion::Parse(bytes);
    if (!region.ok()) continue;
    const uint64_t encoding = mutator.Below(8) == 0 ? mutator.Number() : mutator.Below(0x8000);
    const VmxFeatures features = {.layout = static_cast<Vmcs12Layout>(mutator.Below(2)),
                                  .vmwrite_read_only = mutator.Below(2) == 0};
    const bool written = region->Vmwrite(encoding, features, mutator.Number()).ok();
    uint64_t value = 0;
    ASSERT_TRUE(!written || region->Vmread(encoding, features, &value).ok());

    // Only the one field, or the field for the error, has changed.
    const auto component = FindVmcsComponent(encoding, features.layout);
    const VmcsField* const changed = written ? component->field : FindVmcsField("vm_instruction_error");
    std::copy_n(region->page().begin() + changed->offset, changed->size, bytes.begin() + changed->offset);
    ASSERT_TRUE(std::equal(bytes.begin(), bytes.end(), region->page().begin())) << changed->name;
    if (step % 64 == 0) {
      const std::vector<StateField> fields = DescribeVmcs12(*region, features.layout);
      (void)PrintStateFields(fields);
      (void)PrintStateDiff(DiffStateFields(fields, DescribeVmcs12(VmcsRegion(), features.layout)));
    }
  }
}

TEST(NestedFuzzTest, NotesAreRefusedOrRead) {
  const std::string info_text = MakeVmcsInfoNote(kNewestVmcs12Layout);
  const std::vector<uint8_t> info_seed(info_text.begin(), info_text.end());
  const std::vector<uint8_t> blob = Fixture("vmx-plain-F1-inL2.bin");
  const std::string state_text = NestedStateNote{.level = 2, .max_size = 8320, .state = blob}.Serialise();
  const std::vector<uint8_t> state_seed(state_text.begin(), state_text.end());
  const std::vector<uint8_t> page(blob.begin() + 128, blob.end());
  Mutator mutator;
  const uint64_t steps = FuzzSteps(100'000);
  for (uint64_t step = 0; step < steps; ++step) {
    std::vector<uint8_t> bytes = info_seed;
    mutator.Change(&bytes);
    if (const auto info = VmcsInfo::Parse(bytes); info.ok()) {
      for (const auto& [encoding, encoded] : info->encoded_offsets()) {
        ASSERT_TRUE(info->Read(Vmcs12Page(page), encoding).has_value());
      }
    }
    bytes = state_seed;
    mutator.Change(&bytes);
    if (const auto note = NestedStateNote::Parse(bytes); note.ok()) (void)NestedState::Parse(note->state);
  }
}

TEST(NestedFuzzTest, AnEptWalkEndsAndAgreesWithItself) {
  constexpr uint64_t kTables[] = {0x30000, 0x31000, 0x32000, 0x33000};
  const auto memory = FixtureMemory("vmx-plain-guestmem.bin.xz");
  std::vector<uint8_t> pristine(0x4000);
  ASSERT_TRUE(memory->Read(GuestAddr{0x30000}, pristine).ok());
  Mutator mutator;
  const uint64_t steps = FuzzSteps(20'000);
  for (uint64_t step = 0; step < steps; ++step) {
    if (step % 32 == 0) {
      ASSERT_TRUE(memory->Write(GuestAddr{0x30000}, pristine).ok());
    }
    // Mostly an entry that leads to a table or a page, so that there are loops and aliases.
    const uint64_t table = kTables[mutator.Below(std::size(kTables))];
    const uint64_t index = mutator.Below(mutator.Below(2) == 0 ? 4 : 512);
    const uint64_t entry =
        mutator.Below(4) == 0 ? mutator.Number() : kTables[mutator.Below(std::size(kTables))] | mutator.Below(8);
    ASSERT_TRUE(memory->WriteObject(GuestAddr{table + 8 * index}, entry).ok());

    const auto ept = Ept::Create(*memory, mutator.Below(2) == 0 ? 0x3001e : 0x30026);
    ASSERT_TRUE(ept.ok());
    (void)ept->Translate(GuestAddr{mutator.Number()});
    uint64_t end = 0;
    uint64_t visits = 0;
    const EptWalkReport report = ept->ForEachMapping([&](const EptMapping& mapping) {
      EXPECT_GE(mapping.l2.value, end);
      end = mapping.l2.value + mapping.size;
      if (++visits % 97 == 1) {
        EXPECT_EQ(mapping.l1, *ept->Translate(mapping.l2));
      }
      return true;
    });
    ASSERT_EQ(visits, report.pages);
    ASSERT_LE(report.tables, memory->size() / kPageSize) << "each page is a table once";
    ASSERT_FALSE(report.cut_short);
  }
}

}  // namespace
}  // namespace vmm
