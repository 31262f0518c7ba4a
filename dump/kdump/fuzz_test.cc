// A dump file is untrusted input. These tests make pseudo-random changes to real files, a bounded number of them and
// always the same ones. A changed file must be refused or read. It must never make the code crash, hang, read too far
// or take much memory (ASan checks that). FUZZ_STEPS or FUZZ_SECONDS in the environment asks for more than the default.
#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "base/guest_memory.h"
#include "dump/abi/kdump_abi.h"
#include "dump/kdump/kdump_file.h"
#include "dump/kdump/kdump_writer.h"
#include "dump/testing/fuzz_steps.h"
#include "dump/testing/string_sink.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

class Mutator {
 public:
  uint64_t Below(uint64_t limit) { return random_() % limit; }

  // Numbers at which checks are likely to be off by one, and others.
  uint64_t Number() {
    constexpr uint64_t kEdges[] = {0,      1,      2,       7,          24,         4095,       4096,       4097,
                                   0x3fff, 0x8000, 1 << 20, 0x7fffffff, 0x80000000, 0xffffffff, 1ull << 29, ~0ull};
    switch (Below(4)) {
      case 0: return kEdges[Below(std::size(kEdges))];
      case 1: return uint64_t{1} << Below(64);
      case 2: return Below(64);
      default: return random_();
    }
  }

  // Makes one to six changes: to a bit, to a number of some width at some place, or to the length. `parts` are the
  // places that matter more than the rest.
  void Change(std::string* bytes, std::span<const std::pair<size_t, size_t>> parts) {
    for (uint64_t i = 1 + Below(6); i > 0; --i) {
      if (Below(20) == 0) bytes->resize(Below(bytes->size() + 100));
      if (bytes->empty()) return;
      const auto& [first, size] = parts[Below(parts.size())];
      const uint64_t at =
          std::min<uint64_t>(Below(8) == 0 ? Below(bytes->size()) : first + Below(size), bytes->size() - 1);
      if (Below(4) == 0) {
        (*bytes)[at] = static_cast<char>((*bytes)[at] ^ 1 << Below(8));
        continue;
      }
      const uint64_t number = Number();
      const uint64_t width = std::min<uint64_t>(uint64_t{1} << Below(4), bytes->size() - at);
      std::memcpy(bytes->data() + at, &number, width);
    }
  }

 private:
  std::mt19937_64 random_{FuzzSeed(9)};
};

struct Seed {
  std::string bytes;
  std::vector<std::pair<size_t, size_t>> parts;
};

Seed MakeSeed(KdumpCompression compression) {
  const GuestRange ranges[] = {{GuestAddr{0}, 8 * kPageSize}, {GuestAddr{0x20000}, 4 * kPageSize}};
  const auto memory = *GuestMemory::Create(ranges);
  std::string text(3 * kPageSize, 't');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i * i / 7 % 26);
  (void)memory->Write(GuestAddr{0x2000}, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  KdumpContents contents;
  contents.compression = compression;
  contents.notes = "notes";
  contents.vmcoreinfo = "OSRELEASE=6.1.0\n";
  contents.ram = ranges;
  const KdumpLayout layout = *PlanKdump(contents);
  StringSink sink;
  EXPECT_TRUE(WriteKdump(layout, *memory, sink, {.threads = 1}).ok());
  const size_t data = layout.data_offset + kPageSize;
  return {sink.content(),
          {{0, 12},
           {408, 56},
           {kPageSize, 104},
           {layout.bitmap_offset, 8},
           {(layout.bitmap_offset + layout.desc_offset) / 2, 8},
           {layout.desc_offset, layout.data_offset - layout.desc_offset},
           {data, sink.content().size() - data}}};
}

void AppendBigEndian(std::string& out, uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift);
}

// The same, flattened into records of 700 bytes.
Seed Flattened(const Seed& seed) {
  Seed flat;
  flat.bytes = std::string("makedumpfile");
  flat.bytes.resize(kFlatHeaderSize);
  for (size_t at = 0; at < seed.bytes.size(); at += 700) {
    const std::string part = seed.bytes.substr(at, 700);
    flat.parts.emplace_back(flat.bytes.size(), 16);
    AppendBigEndian(flat.bytes, at);
    AppendBigEndian(flat.bytes, part.size());
    flat.bytes += part;
  }
  flat.parts.emplace_back(flat.bytes.size(), 16);
  AppendBigEndian(flat.bytes, ~0ull);
  AppendBigEndian(flat.bytes, ~0ull);
  return flat;
}

// Reads everything that a reader of dumps would, as far as the file goes. Returns true if any page could be read.
bool ReadAll(const KdumpFile& file) {
  bool read = false;
  std::vector<uint8_t> some(5000);
  (void)file.excluded_pages();
  (void)file.DataExtents();
  const std::vector<GuestRange> ranges = file.Ranges();
  for (size_t i = 0; i < std::min<size_t>(ranges.size(), 4); ++i) {
    for (const uint64_t at : {uint64_t{0}, uint64_t{0x2100}, ranges[i].size - 1}) {
      const uint64_t size = std::min<uint64_t>(some.size(), ranges[i].size - std::min(at, ranges[i].size));
      read |= file.Read(GuestAddr{ranges[i].start.value + at}, std::span(some).first(size)).ok();
    }
  }
  return read;
}

TEST(KdumpFuzzTest, AFileIsRefusedOrReadButNeverMore) {
  std::vector<Seed> seeds = {MakeSeed(KdumpCompression::kZlib), MakeSeed(KdumpCompression::kZstd)};
  seeds.push_back(Flattened(seeds[0]));
  Mutator mutator;
  uint64_t opened = 0, read = 0;
  FuzzRun run(20'000, /*weight=*/1, /*parts=*/2);
  while (run.Step()) {
    const Seed& seed = seeds[mutator.Below(seeds.size())];
    std::string bytes = seed.bytes;
    mutator.Change(&bytes, seed.parts);
    const auto file = KdumpFile::Open(MakeStringSource(std::move(bytes)));
    if (!file.ok()) continue;
    ++opened;
    read += ReadAll(**file);
  }
  EXPECT_GT(opened, run.steps() / 10) << "the changes are too rough to reach what is behind the headers";
  EXPECT_LT(opened, run.steps()) << "nothing was refused";
  EXPECT_GT(read, run.steps() / 20);
}

TEST(KdumpFuzzTest, RubbishOfEveryCompressionIsRefused) {
  Mutator mutator;
  PageDecompressor decompressor;
  std::vector<std::vector<uint8_t>> seeds;
  const std::vector<uint8_t> page(kPageSize, 'x');
  std::vector<uint8_t> out(kPageSize);
  for (const KdumpCompression compression : {KdumpCompression::kZlib, KdumpCompression::kZstd}) {
    PageCompressor compressor(compression);
    const size_t size = compressor.Compress(page, out);
    seeds.emplace_back(out.begin(), out.begin() + static_cast<long>(size));
  }
  seeds.push_back({0x80, 0x20, 'a', 'b'});
  seeds.push_back({0x12, 'a', 0x20, 0, 0, 0x11, 0, 0});
  FuzzRun run(50'000, /*weight=*/1, /*parts=*/2);
  while (run.Step()) {
    std::vector<uint8_t> bytes = seeds[mutator.Below(seeds.size())];
    if (mutator.Below(2) == 0) bytes.resize(mutator.Below(200));
    for (uint64_t i = mutator.Below(5); i > 0 && !bytes.empty(); --i) {
      bytes[mutator.Below(bytes.size())] = static_cast<uint8_t>(mutator.Number());
    }
    const uint32_t flags = uint32_t{1} << mutator.Below(6);
    (void)decompressor.Decompress(flags, bytes, out);
  }
}

}  // namespace
}  // namespace vmm
