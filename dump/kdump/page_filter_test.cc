#include "dump/kdump/page_filter.h"

#include <gmock/gmock.h>

#include <optional>

#include "absl/strings/str_format.h"
#include "base/guest_memory.h"
#include "dump/testing/linux_guest.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;

// Debian 12's struct page, and a mem_section of one section for 64 MiB.
constexpr uint64_t kRoots = 0xa00000, kSections = 0xa01000, kPages = 0xb00000;
constexpr uint64_t kLru = 1 << 4, kSwapCache = 1 << 10, kPrivate = 1 << 13, kHead = 1 << 16, kSwapBacked = 1 << 19,
                   kSlab = 1 << 9, kPoison = 1 << 23;

constexpr const char* kKeys =
    "SYMBOL(mem_section)=%x\nLENGTH(mem_section)=2\nSIZE(mem_section)=16\nOFFSET(mem_section.section_mem_map)=0\n"
    "NUMBER(SECTION_SIZE_BITS)=27\nNUMBER(MAX_PHYSMEM_BITS)=36\nSIZE(page)=64\nOFFSET(page.flags)=0\n"
    "OFFSET(page._refcount)=52\nOFFSET(page.mapping)=24\nOFFSET(page._mapcount)=48\nOFFSET(page.private)=40\n"
    "OFFSET(page.compound_dtor)=16\nOFFSET(page.compound_order)=17\nOFFSET(page.compound_head)=8\n"
    "LENGTH(zone.free_area)=11\nNUMBER(PG_lru)=4\nNUMBER(PG_private)=13\nNUMBER(PG_swapcache)=10\n"
    "NUMBER(PG_swapbacked)=19\nNUMBER(PG_slab)=9\nNUMBER(PG_hwpoison)=23\nNUMBER(PG_head_mask)=65536\n"
    "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129\nNUMBER(HUGETLB_PAGE_DTOR)=2\nNUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-257\n";

struct Page {
  uint64_t flags = 0;
  uint64_t mapping = 0;
  int32_t mapcount = -1;
  uint64_t private_ = 0;
  uint64_t compound_head = 0;
  uint8_t dtor = 0, order = 0;  // of the head, stored in the page after it
};

class PageFilterTest : public ::testing::Test {
 protected:
  PageFilterTest() {
    keys_ = absl::StrFormat(absl::ParsedFormat<'x'>(kKeys), guest_.page_offset() + kRoots);
    guest_.PutWord(GuestAddr{kRoots}, guest_.page_offset() + kSections);
    guest_.PutWord(GuestAddr{kSections}, (guest_.page_offset() + kPages) | 0xf);
    for (uint64_t pfn = 0; pfn < kPfns; ++pfn) Put(pfn, {});
  }

  void Put(uint64_t pfn, const Page& page) {
    const GuestAddr at{kPages + 64 * pfn};
    guest_.PutWord(at, page.flags);
    guest_.PutWord(GuestAddr{at.value + 8}, page.compound_head);
    guest_.PutWord(GuestAddr{at.value + 24}, page.mapping);
    guest_.PutWord(GuestAddr{at.value + 40}, page.private_);
    guest_.PutWord(GuestAddr{at.value + 48}, static_cast<uint32_t>(page.mapcount));
    if ((page.flags & kHead) == 0) return;
    for (uint64_t tail = 1; tail < uint64_t{1} << page.order; ++tail) Put(pfn + tail, {.compound_head = 0xf1});
    guest_.PutWord(GuestAddr{at.value + 64 + 16}, page.dtor | page.order << 8);
  }

  // Puts a folio. `second_flags` are the flags of its second page.
  void PutFolio(uint64_t pfn, const Page& head, uint64_t second_flags) {
    Put(pfn, head);
    for (uint64_t tail = 1; tail < uint64_t{1} << (second_flags & 0xff); ++tail)
      Put(pfn + tail, {.compound_head = 0xf1});
    Put(pfn + 1, {.flags = second_flags, .compound_head = 0xf1});
  }

  static int32_t Type(uint32_t number, uint32_t rest = 0) { return static_cast<int32_t>(number << 24 | rest); }

  void Replace(const std::string& from, const std::string& to) {
    ASSERT_NE(keys_.find(from), std::string::npos);
    keys_.replace(keys_.find(from), from.size(), to);
  }

  absl::StatusOr<FilteredPages> Filter() { return Filter(release_); }
  absl::StatusOr<FilteredPages> Filter(const std::string& release) {
    std::string text = guest_.VmcoreInfoText() + keys_;
    const auto map =
        MapKernelByVmcoreInfo(guest_.memory(), guest_.snapshot().cpus, *VmcoreInfo::Parse(guest_.VmcoreInfoText()));
    text.replace(text.find(LinuxGuest::kRelease), std::string(LinuxGuest::kRelease).size(), release);
    return FilterPages(guest_.memory(), *map, *VmcoreInfo::Parse(text));
  }

  // The filtered PFNs from 0x1000 on. The tests put their pages there.
  std::vector<std::pair<uint64_t, uint64_t>> Runs() {
    const auto filtered = Filter();
    EXPECT_TRUE(filtered.ok()) << filtered.status();
    if (!filtered.ok()) return {};
    std::vector<std::pair<uint64_t, uint64_t>> runs;
    const PageBitmap& pages = filtered->pages;
    for (uint64_t at = pages.Find(0, true); at < pages.pages(); at = pages.Find(runs.back().second, true)) {
      runs.emplace_back(at, pages.Find(at, false));
    }
    return runs;
  }

  using Expected = std::vector<std::pair<uint64_t, uint64_t>>;

  static constexpr uint64_t kPfns = 16384;
  LinuxGuest guest_;
  std::string keys_;
  std::string release_ = LinuxGuest::kRelease;
};

TEST_F(PageFilterTest, PagesOfTheKernelStay) {
  Put(0x1000, {.flags = kSlab});
  Put(0x1001, {.flags = kSlab, .mapping = 0xffff888000000001});
  Put(0x1002, {.mapping = 0xffff888000000000});
  Put(0x1003, {.flags = kSwapCache});
  EXPECT_EQ(Runs(), Expected{});
}

TEST_F(PageFilterTest, CacheUserAndFreePagesGo) {
  Put(0x1000, {.flags = kLru, .mapping = 0xffff888000000000});
  Put(0x1002, {.flags = kLru | kPrivate, .mapping = 0xffff888000000000});
  Put(0x1004, {.flags = kSwapCache | kSwapBacked});
  Put(0x1010, {.flags = kLru | kSwapBacked, .mapping = 0xffff888000000001});
  Put(0x1020, {.mapcount = -129, .private_ = 3});
  Put(0x1030, {.mapcount = -257});
  Put(0x1032, {.flags = kPoison});
  EXPECT_EQ(Runs(), (Expected{{0x1000, 0x1001},
                              {0x1002, 0x1003},
                              {0x1004, 0x1005},
                              {0x1010, 0x1011},
                              {0x1020, 0x1028},
                              {0x1030, 0x1031},
                              {0x1032, 0x1033}}));
  const auto filtered = Filter();
  EXPECT_EQ(filtered->cache, 3u);
  EXPECT_EQ(filtered->user, 1u);
  EXPECT_EQ(filtered->free, 8u);
  EXPECT_EQ(filtered->offline, 2u);
}

TEST_F(PageFilterTest, ACompoundPageGoesAsItsHeadDoes) {
  Put(0x1000, {.flags = kHead | kLru, .mapping = 0xffff888000000001, .dtor = 1, .order = 9});
  Put(0x1200, {.flags = kHead, .dtor = 2, .order = 9});
  Put(0x1400, {.flags = kHead, .dtor = 1, .order = 4});
  EXPECT_EQ(Runs(), (Expected{{0x1000, 0x1400}}));
}

TEST_F(PageFilterTest, AnOrderThatCannotBeIsNone) {
  Put(0x1001, {.flags = kHead | kLru, .dtor = 1, .order = 2});
  Put(0x1010, {.mapcount = -129, .private_ = 11});
  Put(0x1020, {.flags = kSlab, .mapcount = -129});
  EXPECT_EQ(Runs(), (Expected{{0x1001, 0x1002}}));
}

TEST_F(PageFilterTest, WithoutAStructPageRamStays) {
  Put(0x1000, {.flags = kLru});
  guest_.PutWord(GuestAddr{kSections}, (guest_.page_offset() + kPages) | 0xe);
  EXPECT_EQ(Runs(), Expected{});
  guest_.PutWord(GuestAddr{kRoots}, 0);
  EXPECT_EQ(Runs(), Expected{});
}

TEST_F(PageFilterTest, KernelsWhoseStructPageIsNotKnownAreRefused) {
  for (const char* release : {"4.15.0", "6.3.0-1-amd64", "6.5.13", "7.3", "8.0", "3.10.0-1160.el7", "6", "x"}) {
    EXPECT_EQ(Filter(release).status().code(), absl::StatusCode::kUnimplemented) << release;
  }
  for (const char* release : {"4.16.1", "5.10", "6.2", "6.6.0", "7.2.13+deb14-cloud-amd64"}) {
    EXPECT_TRUE(Filter(release).ok()) << release;
  }
  keys_ += "OFFSET(folio._folio_order)=82\n";
  EXPECT_THAT(std::string(Filter().status().message()), HasSubstr("OFFSET(folio._folio_order), which"));
}

// A compound page of Linux 6.6 and later: its order is in the flags of its second page.
TEST_F(PageFilterTest, From66OnTheSecondPageHasTheOrderInItsFlags) {
  release_ = "6.6.1";
  Replace("OFFSET(page.compound_dtor)=16\nOFFSET(page.compound_order)=17\n", "");
  Replace("NUMBER(HUGETLB_PAGE_DTOR)=2\n", "NUMBER(PG_hugetlb)=8\n");
  PutFolio(0x1000, {.flags = kHead | kLru, .mapping = 0xffff888000000001}, 9);
  PutFolio(0x1200, {.flags = kHead}, 9 | 1 << 8);
  PutFolio(0x1400, {.flags = kHead}, 4);
  PutFolio(0x1801, {.flags = kHead | kLru}, 2);  // not aligned to its order
  EXPECT_EQ(Runs(), (Expected{{0x1000, 0x1400}, {0x1801, 0x1802}}));
}

TEST_F(PageFilterTest, BeforeTypesHadNumbersEachWasABitThatIsClear) {
  release_ = "6.10.9";
  Replace("OFFSET(page.compound_dtor)=16\nOFFSET(page.compound_order)=17\n", "");
  Replace("NUMBER(PG_slab)=9\n", "NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)=-4097\n");
  Replace("NUMBER(HUGETLB_PAGE_DTOR)=2\n", "NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)=-2049\n");
  Put(0x1000, {.mapping = 0xffff888000000001, .mapcount = -4097});
  Put(0x1002, {.mapping = 0xffff888000000001, .mapcount = 0});
  Put(0x1010, {.mapcount = -129, .private_ = 4});
  Put(0x1030, {.mapcount = -257});
  PutFolio(0x1200, {.flags = kHead, .mapcount = -2049}, 9);
  EXPECT_EQ(Runs(), (Expected{{0x1002, 0x1003}, {0x1010, 0x1020}, {0x1030, 0x1031}, {0x1200, 0x1400}}));
}

TEST_F(PageFilterTest, From612OnATypeIsTheHighestByte) {
  release_ = "7.2.13";
  Replace("OFFSET(page.compound_dtor)=16\nOFFSET(page.compound_order)=17\n", "");
  Replace("page.compound_head", "page.compound_info");
  Replace("NUMBER(PG_slab)=9\n", "NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)=-184549376\n");
  Replace("NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129\n", "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-268435456\n");
  Replace("NUMBER(HUGETLB_PAGE_DTOR)=2\n", "NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)=-201326592\n");
  Replace("NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-257\n", "NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-251658240\n");
  Put(0x1000, {.mapping = 0xffff888000000001, .mapcount = Type(0xf5, 0x123)});
  Put(0x1002, {.mapping = 0xffff888000000001, .mapcount = 0});
  Put(0x1010, {.mapcount = Type(0xf0), .private_ = 4});
  Put(0x1030, {.mapcount = Type(0xf1)});
  Put(0x1032, {.mapcount = Type(0xf2)});  // a page table
  PutFolio(0x1200, {.flags = kHead, .mapcount = Type(0xf4)}, 9);
  EXPECT_EQ(Runs(), (Expected{{0x1002, 0x1003}, {0x1010, 0x1020}, {0x1030, 0x1031}, {0x1200, 0x1400}}));
}

TEST_F(PageFilterTest, EachKeyThatIsMissingOrWrongIsNamed) {
  const std::string right = keys_;
  for (const auto& [from, to, word] :
       {std::tuple("SIZE(page)=64", "SIZE(page)=640", "SIZE(page)"),
        {"SIZE(page)=64", "X=1", "SIZE(page)"},
        {"OFFSET(page.mapping)=24", "OFFSET(page.mapping)=57", "page.mapping"},
        {"OFFSET(page.mapping)=24", "OFFSET(page.mapping)=18446744073709551615", "page.mapping"},
        {"NUMBER(PG_lru)=4", "NUMBER(PG_lru)=64", "PG_lru"},
        {"LENGTH(zone.free_area)=11", "LENGTH(zone.free_area)=99", "99 orders"},
        {"LENGTH(mem_section)=2", "LENGTH(mem_section)=3", "SPARSEMEM_EXTREME"},
        {"SIZE(mem_section)=16", "SIZE(mem_section)=0", "mem_section"},
        {"SECTION_SIZE_BITS)=27", "SECTION_SIZE_BITS)=64", "mem_section"}}) {
    keys_ = right;
    Replace(from, to);
    EXPECT_THAT(std::string(Filter().status().message()), HasSubstr(word));
  }
}

TEST_F(PageFilterTest, StructPagesThatAreNotThereAreAnError) {
  guest_.PutWord(GuestAddr{kSections}, 0xffffaaaa0000000f);
  EXPECT_THAT(std::string(Filter().status().message()), HasSubstr("struct page of page 0"));
}

TEST_F(PageFilterTest, FilteredMemoryReadsAsZerosAndIsNoData) {
  guest_.Put(GuestAddr{0x3000000}, std::string(4 * kPageSize, 'x'));
  PageBitmap left_out(kPfns);
  left_out.SetRange(0x3001, 0x3003);
  const FilteredMemory memory(guest_.memory(), left_out);
  EXPECT_EQ(memory.Ranges(), guest_.memory().Ranges());
  std::string text(3 * kPageSize, '?');
  ASSERT_TRUE(memory.Read(GuestAddr{0x3000fff}, {reinterpret_cast<uint8_t*>(text.data()), text.size()}).ok());
  EXPECT_TRUE(text == "x" + std::string(2 * kPageSize, '\0') + std::string(kPageSize - 1, 'x'));
  EXPECT_FALSE(memory.Lend({GuestAddr{0x3000000}, kPageSize}).empty());
  EXPECT_TRUE(memory.Lend({GuestAddr{0x3000000}, kPageSize + 1}).empty());
  const std::vector<GuestRange> extents = *memory.DataExtents();
  EXPECT_THAT(extents, testing::Contains(GuestRange{GuestAddr{0x3003000}, kPageSize}));
  for (const GuestRange& extent : extents) EXPECT_FALSE(extent.Contains(GuestAddr{0x3001000}));
}

TEST_F(PageFilterTest, ABitmapThatIsShorterThanRamLeavesTheRestIn) {
  PageBitmap left_out(16);
  left_out.SetRange(0, 16);
  guest_.Put(GuestAddr{0}, std::string(32 * kPageSize, 'x'));
  const auto extents = FilteredMemory(guest_.memory(), left_out).DataExtents();
  EXPECT_EQ(extents->front().start.value, 0x10000u);
}

}  // namespace
}  // namespace vmm
