// A dump is untrusted input. These tests make pseudo-random changes to real dumps, a bounded number of them and always
// the same ones. A changed dump must be refused or read. It must never make the code crash, hang or read too far (ASan
// checks that). FUZZ_STEPS or FUZZ_SECONDS in the environment asks for more than the default, FUZZ_SEED for other
// changes.
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <sstream>
#include <string>

#include "base/guest_memory.h"
#include "dump/check/check_headers.h"
#include "dump/check/check_notes.h"
#include "dump/check/check_overlaps.h"
#include "dump/check/check_vmcore.h"
#include "dump/elf/core_layout.h"
#include "dump/elf/core_writer.h"
#include "dump/read/vmcore.h"
#include "dump/snapshot/vmcoreinfo.h"
#include "dump/testing/dumped_guest.h"
#include "dump/testing/fuzz_steps.h"
#include "dump/testing/mutator.h"
#include "dump/testing/named_registers.h"
#include "dump/testing/string_sink.h"
#include "dump/tool/info_json.h"
#include "dump/tool/info_text.h"
#include "dump/tool/inspected.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

constexpr const char* kVmcoreInfo =
    "OSRELEASE=6.1.0-56-cloud-amd64\nPAGESIZE=4096\nSYMBOL(init_uts_ns)=ffffffff82bf9b60\n"
    "OFFSET(uts_namespace.name)=0\nSYMBOL(swapper_pg_dir)=ffffffff82a10000\nSYMBOL(_stext)=ffffffff81000000\n"
    "NUMBER(phys_base)=-526385152\nKERNELOFFSET=31000000\n";

// A core of 64 KiB of RAM with all notes and segments: small, so that a step is fast.
std::string SmallCore() {
  const GuestRange ranges[] = {{GuestAddr{0}, 32 << 10}, {GuestAddr{1 << 20}, 32 << 10}};
  const auto memory = *GuestMemory::Create(ranges);
  (void)memory->WriteObject(GuestAddr{0x2000}, uint64_t{1});
  (void)memory->WriteObject(GuestAddr{0x100000}, uint64_t{1});
  const std::vector<CpuState> cpus(2, NamedRegisters());
  const std::vector<GuestRange> ram = memory->Ranges();
  CoreContents contents;
  contents.cpus = cpus;
  contents.vmcoreinfo = kVmcoreInfo;
  contents.metadata = "{\"made\":[\"up\"]}";
  contents.segments = {{0xffffffff81000000, {GuestAddr{0x1000}, 0x3000}},
                       {0xffffc90000000000, {GuestAddr{0x100000}, 0x2000}}};
  contents.page_offset = 0xffff888000000000;
  contents.ram = ram;
  StringSink sink;
  EXPECT_TRUE(WriteCore(*PlanCore(contents), *memory, sink, nullptr).ok());
  return sink.content();
}

TEST(VmcoreFuzzTest, AnElfCoreIsRefusedOrReadInsideItsBounds) {
  const std::string seed = SmallCore();
  const uint64_t headers = 8 << 10;  // everything that is not RAM
  const UniqueFd file(memfd_create("core", MFD_CLOEXEC));
  ASSERT_EQ(pwrite(file.get(), seed.data(), seed.size(), 0), static_cast<ssize_t>(seed.size()));
  Mutator mutator(FuzzSeed(1));
  std::vector<uint8_t> bytes(2 * kPageSize);
  uint64_t opened = 0;
  FuzzRun run(4'000);
  while (run.Step()) {
    std::string changed = seed.substr(0, headers);
    // The ELF header and the program headers are small but matter more than the rest.
    std::string start = changed.substr(0, mutator.Below(2) == 0 ? 512 : headers);
    mutator.Change(start);
    changed.replace(0, start.size(), start);
    ASSERT_EQ(pwrite(file.get(), changed.data(), changed.size(), 0), static_cast<ssize_t>(changed.size()));
    const bool cut = mutator.Below(16) == 0;
    if (cut) {
      ASSERT_EQ(ftruncate(file.get(), static_cast<off_t>(mutator.Below(seed.size()))), 0);
    }

    const auto core = Vmcore::Take(UniqueFd(dup(file.get())), "core");
    if (core.ok()) {
      ++opened;
      const PhysicalMemory& memory = (*core)->memory();
      for (const GuestRange& range : memory.Ranges()) {
        ASSERT_TRUE(range.IsValid() && range.size != 0);
        ASSERT_EQ(range.start.value % kPageSize, 0u);
        (void)memory.Read(range.start, bytes);
        (void)memory.Read(GuestAddr{range.end().value - kPageSize}, std::span(bytes).first(kPageSize));
      }
      (void)memory.Read(GuestAddr{mutator.Number()}, std::span(bytes).first(1 + mutator.Below(bytes.size())));
      const auto extents = memory.DataExtents();
      if (extents.ok()) {
        uint64_t data = 0;
        for (const GuestRange& extent : *extents) data += extent.size;
        ASSERT_LE(data, (*core)->file().size() + 2 * kPageSize * ((*core)->elf()->phdrs.size() + 1));
      }
      std::vector<Finding> findings = CheckHeaders(*(*core)->elf());
      for (Finding& finding : CheckNotes(**core)) findings.push_back(std::move(finding));
      for (Finding& finding : CheckOverlaps((*core)->bytes(), *(*core)->elf())) findings.push_back(std::move(finding));
      for (const Reader reader : kAllReaders) (void)WhyNot(reader, (*core)->format(), findings);
    }
    if (cut) {
      ASSERT_EQ(pwrite(file.get(), seed.data(), seed.size(), 0), static_cast<ssize_t>(seed.size()));
    }
  }
  EXPECT_GT(opened, run.steps() / 4);
  EXPECT_LT(opened, run.steps());
}

TEST(VmcoreFuzzTest, NotesAreReadUpToTheFirstThatMakesNoSense) {
  const std::string core = SmallCore();
  const std::string seed = core.substr(64 + 5 * 56, 2 * 356 + 2 * 460 + 24 + strlen(kVmcoreInfo) + 40);
  Mutator mutator(FuzzSeed(2));
  FuzzRun run(20'000);
  while (run.Step()) {
    std::string changed = seed;
    mutator.Change(changed);
    if (mutator.Below(8) == 0) changed.resize(mutator.Below(changed.size()));
    const ParsedNotes parsed = ParseNotes({reinterpret_cast<const uint8_t*>(changed.data()), changed.size()}, 0x158);
    uint64_t bytes = 0;
    for (const VmcoreNote& note : parsed.notes) bytes += 12 + note.desc.size();
    ASSERT_LE(bytes, changed.size());
  }
}

TEST(VmcoreFuzzTest, VmcoreInfoIsRefusedOrItsValuesAreItsOwn) {
  Mutator mutator(FuzzSeed(3));
  FuzzRun run(20'000);
  uint64_t parsed = 0;
  while (run.Step()) {
    std::string text = kVmcoreInfo;
    mutator.Change(text);
    const auto info = VmcoreInfo::Parse(text);
    if (!info.ok()) continue;
    ++parsed;
    ASSERT_EQ(info->text(), text);
    ASSERT_LE(info->release().size(), 64u);
    for (const char* key : {"OSRELEASE", "PAGESIZE", "KERNELOFFSET", "", "\n", "NUMBER(phys_base)"}) {
      const auto value = info->Value(key);
      ASSERT_TRUE(!value.has_value() || value->find('\n') == value->npos);
    }
    (void)info->Symbol("swapper_pg_dir");
    (void)info->Number("phys_base");
    (void)info->Offset("uts_namespace.name");
    (void)info->KernelOffset();
  }
  EXPECT_GT(parsed, run.steps() / 4);
}

// Runs all of check and info on a guest whose page tables and headers were changed.
TEST(VmcoreFuzzTest, ACheckOfAnythingEnds) {
  DumpedGuest dump;
  const Elf64_Phdr ram = dump.phdrs().back();
  const std::string headers = dump.Read(0, 8 << 10);
  const std::string tables = dump.Read(ram.p_offset + 0x100000, 64 << 10);
  const uint64_t swapper = ram.p_offset + dump.guest().swapper().value;
  const std::string top = dump.Read(swapper, kPageSize);
  Mutator mutator(FuzzSeed(4));
  FuzzRun run(20'000, /*weight=*/1000, /*parts=*/4);
  while (run.Step()) {
    std::string changed = headers;
    mutator.Change(changed);
    dump.Write(0, changed);
    changed = tables;
    for (int i = 0; i < 4; ++i) mutator.Change(changed);
    dump.Write(ram.p_offset + 0x100000, changed);
    changed = top;
    if (mutator.Below(4) == 0) mutator.Change(changed);
    dump.Write(swapper, changed);

    const auto core = Vmcore::Open(dump.path());
    if (!core.ok()) continue;
    (void)CheckVmcore(**core);
    const auto seen = Inspect(**core);
    if (!seen.ok()) continue;
    std::ostringstream out;
    PrintInfo(*seen, {.all_registers = true, .all_segments = true}, out);
    ASSERT_FALSE(InfoJson(*seen).empty());
  }
}

}  // namespace
}  // namespace vmm
