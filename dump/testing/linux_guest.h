// The memory of a made-up Linux guest: only the parts that a dump looks at. A test that wants a fault changes one
// thing.
//
//   physical              virtual
//   0x0100000 tables      direct map only
//   0x0900000 VMCOREINFO  direct map only
//   0x1a00000 image       kText: 4 MiB, swapper_pg_dir at +2 MiB, init_uts_ns after it
//   0x2400000 stacks      stack(cpu): 4 pages of vmalloc, in physical memory 2 + 2
#ifndef DUMP_TESTING_LINUX_GUEST_H_
#define DUMP_TESTING_LINUX_GUEST_H_

#include <memory>
#include <string>

#include "base/guest_memory.h"
#include "dump/snapshot/vm_snapshot.h"

namespace vmm {

struct LinuxGuestOptions {
  int levels = 4;
  int cpus = 2;
  bool vmcoreinfo = true;
  bool direct_map = true;
  std::vector<GuestRange> ram = {{GuestAddr{0}, 64 << 20}};
};

class LinuxGuest {
 public:
  static constexpr uint64_t kImagePhys = 0x1a00000;
  static constexpr uint64_t kImageSize = 0x400000;
  static constexpr uint64_t kBannerPhys = kImagePhys + 0xffff8;  // linux_banner, across the image's first MiB
  static constexpr uint64_t kKernelOffset = 0x6200000;
  static constexpr uint64_t kText = 0xffffffff81000000 + kKernelOffset;
  static constexpr uint64_t kPhysBase = kImagePhys - (kText - 0xffffffff80000000);  // negative
  static constexpr uint64_t kSwapper = kText + 0x200000;
  static constexpr uint64_t kUtsNamespace = kText + 0x210000;
  static constexpr GuestAddr kNote{0x900000};
  static constexpr const char* kRelease = "6.1.0-56-cloud-amd64";

  explicit LinuxGuest(LinuxGuestOptions options = {});

  GuestMemory& memory() { return *memory_; }

  // The snapshot. Its vCPUs run in the kernel, on their stacks, each on a process's page tables. Change it freely.
  VmSnapshot& snapshot() { return snapshot_; }

  uint64_t page_offset() const { return options_.levels == 5 ? 0xff46b04940000000 : 0xffff8e4480000000; }
  uint64_t stack(int cpu) const {  // its lowest address
    return (options_.levels == 5 ? 0xff903bdd00010000 : 0xffffd09480010000) + 0x10000 * static_cast<uint64_t>(cpu);
  }
  GuestAddr swapper() const { return GuestAddr{kSwapper - 0xffffffff80000000 + kPhysBase}; }

  std::string VmcoreInfoText() const;

  // Puts a VMCOREINFO note with `text` at `at`.
  void PutNote(GuestAddr at, const std::string& text);
  void Put(GuestAddr at, std::string_view bytes);
  void PutWord(GuestAddr at, uint64_t word) { (void)memory_->WriteObject(at, word); }

  // Maps a page of `size` (4 KiB or 2 MiB) in the tables under `root`.
  void Map(GuestAddr root, uint64_t vaddr, GuestAddr phys, uint64_t size);

  // The address of the entry for `vaddr` at `level`, in the tables under `root`. Missing tables are made.
  GuestAddr EntryAddress(GuestAddr root, uint64_t vaddr, int level);

  // Makes a process's top table, 8 KiB aligned, with the kernel half of swapper's. The page after it is free.
  GuestAddr NewProcess();

 private:
  uint64_t ReadWord(GuestAddr at) const { return *memory_->ReadObject<uint64_t>(at); }

  const LinuxGuestOptions options_;
  std::unique_ptr<GuestMemory> memory_;
  VmSnapshot snapshot_;
  uint64_t next_table_ = 0x100000;
};

}  // namespace vmm

#endif  // DUMP_TESTING_LINUX_GUEST_H_
