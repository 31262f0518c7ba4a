#include "dump/elf/core_writer.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/guest_memory.h"
#include "dump/testing/string_sink.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

// Guest RAM that does not lend its bytes.
class UnlentMemory final : public PhysicalMemory {
 public:
  explicit UnlentMemory(const PhysicalMemory& memory) : memory_(memory) {}
  std::vector<GuestRange> Ranges() const override { return memory_.Ranges(); }
  absl::StatusOr<std::vector<GuestRange>> DataExtents() const override { return memory_.DataExtents(); }
  absl::Status Read(GuestAddr addr, std::span<uint8_t> out) const override { return memory_.Read(addr, out); }

 private:
  const PhysicalMemory& memory_;
};

class CoreWriterTest : public ::testing::Test {
 protected:
  CoreWriterTest() { MakeMemory(4 << 20); }

  void MakeMemory(uint64_t below) {
    const GuestRange ranges[] = {{GuestAddr{0}, below}, {GuestAddr{0x100000000}, 2 << 20}};
    memory_ = *GuestMemory::Create(ranges);
  }

  void Fill(uint64_t at, uint64_t size, uint8_t byte) {
    ASSERT_TRUE(memory_->Write(GuestAddr{at}, std::vector<uint8_t>(size, byte)).ok());
  }

  CoreLayout Plan() {
    const CpuState cpu;
    const std::vector<GuestRange> ram = memory_->Ranges();
    CoreContents contents;
    contents.cpus = {&cpu, 1};
    contents.metadata = metadata_;
    contents.ram = ram;
    return *PlanCore(contents);
  }

  // The expected file: the headers, zeros, all RAM.
  std::string Expected(const CoreLayout& layout) {
    std::string file = layout.header;
    file.resize(layout.file_size);
    for (const CoreLayout::Block& block : layout.ram) {
      EXPECT_TRUE(
          memory_->Read(block.range.start, {reinterpret_cast<uint8_t*>(file.data()) + block.offset, block.range.size})
              .ok());
    }
    return file;
  }

  std::unique_ptr<GuestMemory> memory_;
  std::string metadata_ = "{}";
};

TEST_F(CoreWriterTest, TheFileIsTheHeadersAndAllOfRam) {
  Fill(0x1234, 1, 1);
  Fill(0x200000, 0x100000, 2);
  Fill(0x100000000, 1, 3);
  Fill(0x1001fffff, 1, 4);
  const CoreLayout layout = Plan();
  StringSink sink;
  const auto written = WriteCore(layout, *memory_, sink, nullptr);
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(*written, 0x1000u + 0x100000u + 0x1000u + 0x1000u);
  EXPECT_TRUE(sink.content() == Expected(layout));
}

TEST_F(CoreWriterTest, MemoryThatIsNotLentMakesTheSameFile) {
  Fill(0x1ff000, 0x102000, 2);
  Fill(0x1001fffff, 1, 4);
  const CoreLayout layout = Plan();
  StringSink lent, read;
  ASSERT_TRUE(WriteCore(layout, *memory_, lent, nullptr).ok());
  ASSERT_TRUE(WriteCore(layout, UnlentMemory(*memory_), read, nullptr).ok());
  EXPECT_TRUE(lent.content() == read.content());
}

// Lent memory is examined in chunks of 16 MiB, the next one while one is written.
TEST_F(CoreWriterTest, ALongExtentIsWrittenWholeWithTheZerosLeftOut) {
  MakeMemory(50 << 20);
  Fill(0x3000, 0x2ffa000, 2);
  Fill(0xf00000, 0x200000, 0);  // over the end of the first chunk
  const CoreLayout layout = Plan();
  StringSink sink;
  const auto written = WriteCore(layout, *memory_, sink, nullptr);
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(*written, 0x2ffa000u - 0x200000u);
  EXPECT_TRUE(sink.content() == Expected(layout));
}

TEST_F(CoreWriterTest, NeitherUntouchedNorZeroPagesAreWritten) {
  Fill(0x100000, 0x100000, 0);  // touched, but zero
  Fill(0x120000, 1, 1);
  const CoreLayout layout = Plan();
  StringSink sink;
  EXPECT_EQ(*WriteCore(layout, *memory_, sink, nullptr), 0x1000u);
  ASSERT_EQ(sink.writes().size(), 2u);
  EXPECT_EQ(sink.writes()[0], std::make_pair(layout.data_offset + 0x120000, uint64_t{0x1000}));
}

TEST_F(CoreWriterTest, UntouchedMemoryStaysUntouched) {
  Fill(0x3000, 1, 1);
  Fill(0x100100000, 1, 1);
  const auto before = *memory_->DataExtents();
  StringSink sink;
  ASSERT_TRUE(WriteCore(Plan(), *memory_, sink, nullptr).ok());
  EXPECT_EQ(*memory_->DataExtents(), before);
}

TEST_F(CoreWriterTest, ASmallGapOfZerosIsWrittenThroughALargeOneIsNot) {
  Fill(0x100000, 0x80000, 0);
  Fill(0x100000, 1, 1);
  Fill(0x111000, 1, 1);  // a gap of 64 KiB
  Fill(0x123000, 1, 1);  // a gap of 68 KiB
  const CoreLayout layout = Plan();
  StringSink sink;
  ASSERT_TRUE(WriteCore(layout, *memory_, sink, nullptr).ok());
  ASSERT_EQ(sink.writes().size(), 3u);
  EXPECT_EQ(sink.writes()[0], std::make_pair(layout.data_offset + 0x100000, uint64_t{0x12000}));
  EXPECT_EQ(sink.writes()[1], std::make_pair(layout.data_offset + 0x123000, uint64_t{0x1000}));
}

TEST_F(CoreWriterTest, TheElfHeaderIsWrittenLast) {
  Fill(0, 0x100000, 1);
  metadata_.assign(10000, 'x');
  StringSink sink;
  const CoreLayout layout = Plan();
  ASSERT_TRUE(WriteCore(layout, *memory_, sink, nullptr).ok());
  EXPECT_EQ(sink.writes().back(), std::make_pair(uint64_t{0}, uint64_t{kPageSize}));
  EXPECT_TRUE(sink.content() == Expected(layout));
}

TEST_F(CoreWriterTest, AStreamedCoreIsTheSameFileFromItsStartToItsEnd) {
  Fill(0x1234, 1, 1);
  Fill(0x200000, 0x100000, 2);
  Fill(0x100000000, 1, 3);
  metadata_.assign(10000, 'x');
  const CoreLayout layout = Plan();
  StringSink sink;
  ASSERT_TRUE(StreamCore(layout, *memory_, sink, nullptr).ok());
  EXPECT_TRUE(sink.content() == Expected(layout));
  EXPECT_TRUE(std::is_sorted(sink.writes().begin(), sink.writes().end()));
}

TEST_F(CoreWriterTest, EachFailingWriteIsReported) {
  Fill(0, 1, 1);
  Fill(0x200000, 1, 1);
  metadata_.assign(10000, 'x');
  const CoreLayout layout = Plan();
  StringSink counting;
  ASSERT_TRUE(WriteCore(layout, *memory_, counting, nullptr).ok());
  ASSERT_EQ(counting.calls(), 5);
  for (int i = 0; i < counting.calls(); ++i) {
    StringSink sink(i);
    EXPECT_EQ(WriteCore(layout, *memory_, sink, nullptr).status().code(), absl::StatusCode::kResourceExhausted) << i;
    EXPECT_EQ(sink.calls(), i + 1) << "no write after one that failed";
    EXPECT_NE(sink.content().substr(0, 4), "\177ELF") << "a core that broke off is no ELF file";
  }
}

TEST_F(CoreWriterTest, ProgressRisesToTheTotal) {
  Fill(0x100000, 0x100000, 1);
  Fill(0x100000000, 0x1000, 1);
  std::vector<uint64_t> seen;
  uint64_t all = 0;
  StringSink sink;
  ASSERT_TRUE(WriteCore(Plan(), *memory_, sink, [&](uint64_t done, uint64_t total) {
                seen.push_back(done);
                all = total;
              }).ok());
  ASSERT_FALSE(seen.empty());
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(seen.back(), all);
  EXPECT_EQ(all, 0x101000u);
}

TEST_F(CoreWriterTest, MemoryThatIsNotInThePlanIsAnErrorNotAWildWrite) {
  CoreLayout layout = Plan();
  Fill(0x100000000, 1, 1);
  layout.ram.pop_back();
  StringSink sink;
  EXPECT_EQ(WriteCore(layout, *memory_, sink, nullptr).status().code(), absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace vmm
