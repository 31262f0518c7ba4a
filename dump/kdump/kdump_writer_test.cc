#include "dump/kdump/kdump_writer.h"

#include <cstring>
#include <random>

#include "base/guest_memory.h"
#include "dump/kdump/kdump_file.h"
#include "dump/testing/string_sink.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

// Guest RAM that does not lend its bytes, and whose reads may fail.
class UnlentMemory final : public PhysicalMemory {
 public:
  explicit UnlentMemory(const PhysicalMemory& memory) : memory_(memory) {}
  std::vector<GuestRange> Ranges() const override { return memory_.Ranges(); }
  absl::StatusOr<std::vector<GuestRange>> DataExtents() const override { return memory_.DataExtents(); }
  absl::Status Read(GuestAddr addr, std::span<uint8_t> out) const override {
    if (addr.value >= fail_from) return absl::DataLossError("bad RAM");
    return memory_.Read(addr, out);
  }

  uint64_t fail_from = ~0ull;

 private:
  const PhysicalMemory& memory_;
};

class KdumpWriterTest : public ::testing::Test {
 protected:
  // Fills pages with text, noise and zeros, and leaves others untouched. There are single pages, runs, and pages next
  // to a hole.
  KdumpWriterTest() {
    memory_ = *GuestMemory::Create(ranges_);
    std::mt19937 random(11);
    for (int i = 0; i < 300; ++i) {
      const uint64_t page = random() % 2 == 0 ? random() % 1024 : 0x100000 + random() % 512;
      std::vector<uint8_t> bytes(kPageSize * (1 + random() % 3));
      const uint32_t kind = random() % 4;
      for (uint8_t& byte : bytes) {
        byte = static_cast<uint8_t>(kind == 0 ? 0 : kind == 1 ? random() : 'a' + random() % kind);
      }
      memory_->Write(GuestAddr{page * kPageSize}, bytes).IgnoreError();
    }
    Set(0x7ff, 'x');
    Set(0x100000, 'y');
  }

  void Set(uint64_t page, uint8_t byte) {
    ASSERT_TRUE(memory_->Write(GuestAddr{page * kPageSize}, std::vector<uint8_t>(kPageSize, byte)).ok());
  }

  KdumpLayout Plan(KdumpCompression compression, const PageBitmap* filtered = nullptr) {
    KdumpContents contents;
    contents.compression = compression;
    contents.level = filtered == nullptr ? 1 : 31;
    std::strcpy(contents.utsname.release, "6.1.0");
    std::strcpy(contents.utsname.machine, "x86_64");
    contents.cpus = 3;
    contents.current_cpu = 2;
    contents.phys_base = 0xffffffffe0a00000;
    contents.notes = notes_;
    contents.vmcoreinfo = "OSRELEASE=6.1.0\n";
    contents.ram = ranges_;
    contents.filtered = filtered;
    return *PlanKdump(contents);
  }

  std::string Write(const KdumpLayout& layout, int threads) {
    StringSink sink;
    const auto written = WriteKdump(layout, *memory_, sink, {.threads = threads});
    EXPECT_TRUE(written.ok()) << written.status();
    EXPECT_EQ(written->file_size, sink.content().size());
    return sink.content();
  }

  const std::vector<GuestRange> ranges_ = {{GuestAddr{0}, 8 << 20}, {GuestAddr{0x100000000}, 2 << 20}};
  const std::string notes_ = std::string(6000, 'n');
  std::unique_ptr<GuestMemory> memory_;
};

TEST_F(KdumpWriterTest, AllMemoryAndAllFactsComeBack) {
  for (const KdumpCompression compression : {KdumpCompression::kZlib, KdumpCompression::kZstd}) {
    const auto file = KdumpFile::Open(MakeStringSource(Write(Plan(compression), 2)));
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_EQ((*file)->Ranges(), ranges_);
    EXPECT_EQ((*file)->facts().release, "6.1.0");
    EXPECT_EQ((*file)->facts().nr_cpus, 3);
    EXPECT_EQ((*file)->facts().current_cpu, 2u);
    EXPECT_EQ((*file)->facts().phys_base, 0xffffffffe0a00000);
    EXPECT_EQ((*file)->facts().dump_level, 1);
    EXPECT_EQ((*file)->notes(), notes_);
    EXPECT_EQ((*file)->vmcoreinfo(), "OSRELEASE=6.1.0\n");
    EXPECT_EQ((*file)->excluded_pages(), 0u);
    for (const GuestRange& range : ranges_) {
      std::vector<uint8_t> expected(range.size), found(range.size, 0xaa);
      ASSERT_TRUE(memory_->Read(range.start, expected).ok());
      ASSERT_TRUE((*file)->Read(range.start, found).ok());
      EXPECT_TRUE(expected == found);
    }
  }
}

TEST_F(KdumpWriterTest, TheFileDoesNotDependOnTheThreads) {
  for (const KdumpCompression compression : {KdumpCompression::kZlib, KdumpCompression::kZstd}) {
    const KdumpLayout layout = Plan(compression);
    const std::string one = Write(layout, 1);
    for (const int threads : {2, 8, 0}) EXPECT_TRUE(Write(layout, threads) == one) << threads;
  }
}

TEST_F(KdumpWriterTest, MemoryThatDoesNotLendIsReadAndGivesTheSameFile) {
  const KdumpLayout layout = Plan(KdumpCompression::kZstd);
  StringSink sink;
  ASSERT_TRUE(WriteKdump(layout, UnlentMemory(*memory_), sink, {.threads = 3}).ok());
  EXPECT_TRUE(sink.content() == Write(layout, 1));
}

TEST_F(KdumpWriterTest, ZeroPagesShareOneBlockAndAreNoData) {
  const auto empty = GuestMemory::Create(ranges_);
  const KdumpLayout layout = Plan(KdumpCompression::kZlib);
  StringSink sink;
  const auto written = WriteKdump(layout, **empty, sink, {});
  ASSERT_TRUE(written.ok());
  EXPECT_EQ(written->file_size, layout.data_offset + kPageSize);
  EXPECT_EQ(written->data_bytes, 0u);
  const auto file = KdumpFile::Open(MakeStringSource(sink.content()));
  ASSERT_TRUE(file.ok());
  EXPECT_EQ((*file)->stored_pages(), (10u << 20) / kPageSize);
  EXPECT_TRUE((*file)->DataExtents()->empty());
}

TEST_F(KdumpWriterTest, FilteredPagesAreNotInTheFile) {
  PageBitmap filtered(0x100200);
  filtered.SetRange(0x10, 0x600);
  filtered.SetRange(0x100000, 0x100001);
  const auto file = KdumpFile::Open(MakeStringSource(Write(Plan(KdumpCompression::kZstd, &filtered), 2)));
  ASSERT_TRUE(file.ok());
  EXPECT_EQ((*file)->facts().dump_level, 31);
  EXPECT_EQ((*file)->excluded_pages(), 0x5f0u + 1);
  EXPECT_TRUE((*file)->IsExcluded(GuestAddr{0x10000}));
  EXPECT_FALSE((*file)->IsExcluded(GuestAddr{0xf000}));
  EXPECT_FALSE((*file)->IsExcluded(GuestAddr{0x90000000}));
  std::vector<uint8_t> page(kPageSize, 1);
  ASSERT_TRUE((*file)->Read(GuestAddr{0x100000000}, page).ok());
  EXPECT_EQ(page, std::vector<uint8_t>(kPageSize, 0));
  ASSERT_TRUE((*file)->Read(GuestAddr{0x7ff000}, page).ok());
  EXPECT_EQ(page, std::vector<uint8_t>(kPageSize, 'x'));
}

TEST_F(KdumpWriterTest, TheSignatureIsWrittenLast) {
  StringSink sink;
  ASSERT_TRUE(WriteKdump(Plan(KdumpCompression::kZlib), *memory_, sink, {}).ok());
  EXPECT_EQ(sink.writes().back(), (std::pair<uint64_t, uint64_t>{0, kPageSize}));
}

TEST_F(KdumpWriterTest, AFailureAtAnyWriteIsAnErrorAndLeavesNoSignature) {
  const KdumpLayout layout = Plan(KdumpCompression::kZstd);
  StringSink whole;
  ASSERT_TRUE(WriteKdump(layout, *memory_, whole, {}).ok());
  ASSERT_GE(whole.calls(), 6);
  for (int at = 0; at < whole.calls(); ++at) {
    for (const int threads : {1, 4}) {
      StringSink sink(at);
      const auto written = WriteKdump(layout, *memory_, sink, {.threads = threads});
      EXPECT_EQ(written.status().code(), absl::StatusCode::kResourceExhausted) << at;
      EXPECT_FALSE(sink.content().starts_with("KDUMP")) << at;
    }
  }
}

TEST_F(KdumpWriterTest, MemoryThatCannotBeReadIsAnError) {
  UnlentMemory memory(*memory_);
  for (const uint64_t from : {0ull, 0x400000ull, 0x100000000ull}) {
    memory.fail_from = from;
    StringSink sink;
    const auto written = WriteKdump(Plan(KdumpCompression::kZlib), memory, sink, {.threads = 3});
    EXPECT_EQ(written.status().code(), absl::StatusCode::kDataLoss);
  }
}

TEST_F(KdumpWriterTest, ProgressOnlyRisesAndEndsAtTheTotal) {
  uint64_t last = 0, total = 0;
  StringSink sink;
  const auto progress = [&](uint64_t done, uint64_t all) {
    EXPECT_GE(done, last);
    EXPECT_LE(done, all);
    last = done, total = all;
  };
  ASSERT_TRUE(WriteKdump(Plan(KdumpCompression::kZlib), *memory_, sink, {.threads = 2, .progress = progress}).ok());
  EXPECT_GT(total, 0u);
  EXPECT_EQ(last, total);
}

TEST_F(KdumpWriterTest, RamThatMakesNoSenseIsRefused) {
  KdumpContents contents;
  EXPECT_FALSE(PlanKdump(contents).ok());
  const GuestRange overlapping[] = {{GuestAddr{0}, 8192}, {GuestAddr{4096}, 8192}};
  contents.ram = overlapping;
  EXPECT_FALSE(PlanKdump(contents).ok());
  const GuestRange unaligned[] = {{GuestAddr{0}, 8191}};
  contents.ram = unaligned;
  EXPECT_FALSE(PlanKdump(contents).ok());
}

}  // namespace
}  // namespace vmm
