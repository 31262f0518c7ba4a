#include "dump/testing/linux_guest.h"

#include "absl/strings/str_format.h"
#include "dump/testing/named_registers.h"

namespace vmm {
namespace {

constexpr uint64_t kTableFlags = 0x63;  // present, writable, accessed, dirty
constexpr uint64_t kLargeFlags = 0xe3;  // and page size
constexpr uint64_t kLargePage = 2 << 20;

}  // namespace

LinuxGuest::LinuxGuest(LinuxGuestOptions options) : options_(std::move(options)) {
  memory_ = *GuestMemory::Create(options_.ram);

  for (uint64_t at = 0; at < kImageSize; at += kLargePage) {
    Map(swapper(), kText + at, GuestAddr{kImagePhys + at}, kLargePage);
  }
  Put(GuestAddr{kImagePhys}, "kernel text");
  Put(GuestAddr{kBannerPhys}, absl::StrFormat("Linux version %s (builder@nowhere)", kRelease));
  const GuestAddr uts{kUtsNamespace - 0xffffffff80000000 + kPhysBase};
  Put(GuestAddr{uts.value + 4 + 130}, std::string(kRelease) + '\0');

  if (options_.direct_map) {
    for (const GuestRange& range : options_.ram) {
      for (uint64_t at = 0; at < range.size; at += kLargePage) {
        const GuestAddr phys{range.start.value + at};
        Map(swapper(), page_offset() + phys.value, phys, kLargePage);
      }
    }
  }

  for (int i = 0; i < options_.cpus; ++i) {
    const uint64_t phys = 0x2400000 + 0x10000 * static_cast<uint64_t>(i);
    for (uint64_t page = 0; page < 4; ++page) {
      const GuestAddr at{phys + kPageSize * (page < 2 ? page : page + 2)};
      Map(swapper(), stack(i) + kPageSize * page, at, kPageSize);
      Put(at, absl::StrFormat("stack %d page %d", i, page));
    }
  }
  if (options_.vmcoreinfo) PutNote(kNote, VmcoreInfoText());

  for (int i = 0; i < options_.cpus; ++i) {
    CpuState cpu = NamedRegisters();
    cpu.rip = kText + 0x1000;
    cpu.rsp = stack(i) + 0x2f00;
    cpu.cr0 = 0x80050033;
    cpu.cr3 = NewProcess().value;
    cpu.cr4 = options_.levels == 5 ? 0x10b0 : 0xb0;
    cpu.efer = 0xd01;
    snapshot_.cpus.push_back(cpu);
  }
  snapshot_.memory = memory_.get();
}

std::string LinuxGuest::VmcoreInfoText() const {
  return absl::StrFormat(
      "OSRELEASE=%s\nBUILD-ID=0123456789abcdef\nPAGESIZE=4096\nSYMBOL(init_uts_ns)=%x\n"
      "OFFSET(uts_namespace.name)=4\nSYMBOL(swapper_pg_dir)=%x\nSYMBOL(_stext)=%x\nNUMBER(phys_base)=%d\n"
      "NUMBER(pgtable_l5_enabled)=%d\nKERNELOFFSET=%x\nNUMBER(KERNEL_IMAGE_SIZE)=1073741824\n",
      kRelease, kUtsNamespace, kSwapper, kText, static_cast<int64_t>(kPhysBase), options_.levels == 5 ? 1 : 0,
      kKernelOffset);
}

void LinuxGuest::Put(GuestAddr at, std::string_view bytes) {
  (void)memory_->Write(at, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
}

void LinuxGuest::PutNote(GuestAddr at, const std::string& text) {
  const uint32_t header[3] = {11, static_cast<uint32_t>(text.size()), 0};
  Put(at, {reinterpret_cast<const char*>(header), sizeof(header)});
  Put(GuestAddr{at.value + 12}, std::string_view("VMCOREINFO\0\0", 12));
  Put(GuestAddr{at.value + 24}, text);
}

GuestAddr LinuxGuest::EntryAddress(GuestAddr root, uint64_t vaddr, int level) {
  GuestAddr table = root;
  for (int at = options_.levels;; --at) {
    const GuestAddr entry{table.value + 8 * ((vaddr >> (12 + 9 * (at - 1))) & 511)};
    if (at == level) return entry;
    if (ReadWord(entry) == 0) {
      PutWord(entry, next_table_ | kTableFlags);
      next_table_ += kPageSize;
    }
    table = GuestAddr{ReadWord(entry) & 0x000ffffffffff000};
  }
}

void LinuxGuest::Map(GuestAddr root, uint64_t vaddr, GuestAddr phys, uint64_t size) {
  const bool large = size == kLargePage;
  PutWord(EntryAddress(root, vaddr, large ? 2 : 1), phys.value | (large ? kLargeFlags : kTableFlags));
}

GuestAddr LinuxGuest::NewProcess() {
  const GuestAddr root{AlignUp(next_table_, 2 * kPageSize)};
  next_table_ = root.value + 2 * kPageSize;
  for (uint64_t entry = 256; entry < 512; ++entry) {
    const uint64_t word = ReadWord(GuestAddr{swapper().value + 8 * entry});
    if (word != 0) PutWord(GuestAddr{root.value + 8 * entry}, word);
  }
  return root;
}

}  // namespace vmm
