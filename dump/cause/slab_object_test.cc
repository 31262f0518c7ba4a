#include "dump/cause/slab_object.h"

#include <gmock/gmock.h>

#include "dump/kernel/testing/btf_builder.h"
#include "dump/kernel/testing/made_up_kernel.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

constexpr Budget kBudget{"test", 0, 100'000, "reads", 0};

// One slab of 16 objects of 256 bytes, in the page with the number 8. Objects 3 and 5 are free.
class SlabObjectTest : public ::testing::Test {
 protected:
  using K = MadeUpKernel;
  static constexpr uint64_t kStructPages = K::kData + 0x70000;
  static constexpr uint64_t kStructPage = kStructPages + 8 * 0x40;
  static constexpr uint64_t kCache = K::kData + 0x78000;
  static constexpr uint64_t kCaches = K::kData + 0x79000;
  static constexpr uint64_t kName = K::kData + 0x79100;
  static constexpr uint64_t kTypes = K::kData + 0x7a000;
  static constexpr uint64_t kPhysical = 8 * kPageSize, kStride = 0x100, kLink = 0x80;
  static constexpr uint64_t kSecret = 0x1122334455667788;

  SlabObjectTest() : first_(kernel_.guest().page_offset() + kPhysical) {
    BtfBuilder btf;
    const uint32_t u64 = btf.Int("long unsigned int", 8);
    const uint32_t u32 = btf.Int("unsigned int", 4);
    const uint32_t list = btf.Struct("list_head", 16, {{"next", u64, 0}, {"prev", u64, 8}});
    btf.Struct("page", 0x40,
               {{"flags", u64, 0}, {"compound_head", u64, 8}, {"_mapcount", u32, 0x30}, {"_refcount", u32, 0x34}});
    btf.Struct("slab", 0x40, {{"slab_cache", u64, 0x18}, {"freelist", u64, 0x20}});
    btf.Struct("kmem_cache", 0x100,
               {{"cpu_slab", u64, 0},
                {"size", u32, 0x18},
                {"object_size", u32, 0x1c},
                {"offset", u32, 0x28},
                {"oo", u32, 0x30},
                {"name", u64, 0x60},
                {"list", list, 0x68},
                {"random", u64, 0xb8}});
    btf.Struct("kmem_cache_cpu", 0x20, {{"freelist", u64, 0}, {"slab", u64, 0x10}});
    const std::vector<uint8_t> bytes = btf.Build();
    kernel_.Put(kTypes, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    types_size_ = bytes.size();

    kernel_.PutWord(kStructPage, 1 << 9);  // PG_slab
    kernel_.Put32(kStructPage + 0x34, 1);
    kernel_.PutWord(kStructPage + 0x18, kCache);
    kernel_.PutWord(kStructPage + 0x20, first_ + 3 * kStride);
    PutFree(3, first_ + 5 * kStride);
    PutFree(5, 0);
    kernel_.Put32(kCache + 0x18, kStride);
    kernel_.Put32(kCache + 0x1c, 200);
    kernel_.Put32(kCache + 0x28, kLink);
    kernel_.Put32(kCache + 0x30, 16);
    kernel_.PutWord(kCache + 0x60, kName);
    kernel_.PutWord(kCache + 0xb8, kSecret);
    kernel_.Put(kName, {"widgets", 8});
    kernel_.PutWord(kCaches, kCache + 0x68);
    kernel_.PutWord(kCache + 0x68, kCaches);
  }

  void PutFree(uint64_t object, uint64_t next) {
    const uint64_t at = object * kStride + kLink;
    kernel_.guest().PutWord(GuestAddr{kPhysical + at}, next ^ kSecret ^ __builtin_bswap64(first_ + at));
  }

  absl::StatusOr<SlabObject> Find(uint64_t offset, bool with_info = true, uint64_t steps = kBudget.steps) {
    std::vector<Symbol> symbols = kernel_.symbols();
    std::erase_if(symbols, [](const Symbol& symbol) { return symbol.name.find("_BTF") != symbol.name.npos; });
    symbols.push_back({kTypes, 'R', "__start_BTF"});
    symbols.push_back({kTypes + types_size_, 'R', "__stop_BTF"});
    symbols.push_back({kCaches, 'D', "slab_caches"});
    for (Symbol& symbol : symbols) {
      if (symbol.address >= LinuxGuest::kText) symbol.address -= LinuxGuest::kKernelOffset;
    }
    auto view = KernelView::Open(kernel_.guest().memory(), kernel_.Find(),
                                 std::make_unique<SymbolList>("test", std::move(symbols)));
    if (!view.ok()) return view.status();
    const auto info = VmcoreInfo::Parse("OSRELEASE=6.1.0\nNUMBER(PG_slab)=9\n");
    const VmcoreInfo* const given = with_info ? &*info : nullptr;
    Meter meter({"test", 0, steps, "reads", 0});
    ASSIGN_OR_RETURN(const PageRecord page,
                     ReadPageRecord(**view, given, kStructPages, kPhysical + offset % kPageSize, meter));
    EXPECT_EQ(page.references, 1);
    EXPECT_EQ(page.first, first_);
    return FindSlabObject(**view, given, page, first_ + offset, 2, meter);
  }

  K kernel_;
  const uint64_t first_;
  uint64_t types_size_ = 0;
};

TEST_F(SlabObjectTest, AnObjectHasItsCacheAndOffset) {
  const auto object = Find(4 * kStride + 0x18);
  ASSERT_TRUE(object.ok()) << object.status();
  EXPECT_EQ(object->cache_name, "widgets");
  EXPECT_EQ(object->object, first_ + 4 * kStride);
  EXPECT_EQ(object->offset, 0x18u);
  EXPECT_EQ(object->object_size, 200u);
  EXPECT_EQ(object->freed, false);
  EXPECT_EQ(object->Words(), "widgets+0x18, allocated");
}

TEST_F(SlabObjectTest, AnObjectOnTheFreeListIsFreed) {
  EXPECT_EQ(Find(3 * kStride)->freed, true);
  EXPECT_EQ(Find(5 * kStride + 8)->Words(), "widgets+0x8, freed");
}

TEST_F(SlabObjectTest, WithoutTheKernelsWordForASlabItIsAGuess) {
  EXPECT_EQ(Find(0)->certainty, Certainty::kSure);
  EXPECT_EQ(Find(0, /*with_info=*/false)->certainty, Certainty::kGuess);
}

TEST_F(SlabObjectTest, APageThatIsNoSlabHasNoObject) {
  kernel_.PutWord(kStructPage, 0);
  EXPECT_THAT(std::string(Find(0).status().message()), HasSubstr("no slab"));
}

TEST_F(SlabObjectTest, ACacheThatIsNotInTheListIsNotBelieved) {
  kernel_.PutWord(kStructPage + 0x18, kCache + 8);
  EXPECT_THAT(std::string(Find(0).status().message()), HasSubstr("no cache"));
}

TEST_F(SlabObjectTest, AFreeListThatMakesNoSenseLeavesItOpen) {
  PutFree(5, first_ + 3 * kStride);  // a circle
  EXPECT_EQ(Find(4 * kStride)->freed, std::nullopt);
  PutFree(5, first_ + 1);
  EXPECT_EQ(Find(4 * kStride)->freed, std::nullopt);
}

TEST_F(SlabObjectTest, AnObjectSizeOfZeroIsRefused) {
  kernel_.Put32(kCache + 0x18, 0);
  EXPECT_EQ(Find(0).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(SlabObjectTest, AListOfCachesWithoutEndEndsWithTheBudget) {
  kernel_.PutWord(kStructPage + 0x18, kCache + 8);
  kernel_.PutWord(kCache + 0x68, kCache + 0x68);
  EXPECT_FALSE(Find(0).ok());
  EXPECT_EQ(Find(0, true, /*steps=*/20).status().code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace vmm
