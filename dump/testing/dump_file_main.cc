// Makes a vmcore of a QEMU guest, with RAM from the file of a memory-backend-file and registers from the notes of
// QEMU's own dump-guest-memory of a single page. It tests the core writer against the real readers on a machine without
// KVM.
//
//   dump_file_main RAM LOW_BYTES QEMU_ELF OUT_DIR [map|read]
//
// The first LOW_BYTES of the file lie below the hole, the rest at 4 GiB.
#include <elf.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_format.h"
#include "base/guest_addr.h"
#include "dump/abi/elf_core_abi.h"
#include "dump/elf/qemu_note.h"
#include "dump/testing/file_memory.h"
#include "dump/write/write_vmcore.h"

namespace vmm {
namespace {

std::vector<CpuState> CpusOf(const std::string& elf) {
  std::vector<CpuState> cpus;
  // The note's bytes are unmistakable: namesz 5, descsz 440, type 0, "QEMU".
  const char header[] = "\5\0\0\0\xb8\1\0\0\0\0\0\0QEMU\0\0\0";
  const std::string pattern(header, 20);
  for (size_t at = elf.find(pattern); at != elf.npos; at = elf.find(pattern, at + 1)) {
    QemuCpuState state;
    std::memcpy(&state, elf.data() + at + pattern.size(), sizeof(state));
    cpus.push_back(CpuOf(state));
    cpus.back().started = cpus.back().efer != 0;  // QEMU writes registers for a CPU in reset too
  }
  return cpus;
}

int Main(int argc, char** argv) {
  if (argc < 5) {
    absl::FPrintF(stderr, "usage: %s RAM LOW_BYTES QEMU_ELF OUT_DIR [map|read]\n", argv[0]);
    return 2;
  }
  struct stat ram = {};
  if (stat(argv[1], &ram) != 0) return 2;
  const uint64_t size = static_cast<uint64_t>(ram.st_size);
  const uint64_t low = std::strtoull(argv[2], nullptr, 0);
  std::vector<GuestRange> ranges = {{GuestAddr{0}, std::min(size, low)}};
  if (size > low) ranges.push_back({GuestAddr{4ull << 30}, size - low});
  const bool lend = argc < 6 || std::string_view(argv[5]) == "map";
  absl::StatusOr<std::unique_ptr<FileMemory>> memory = FileMemory::Open(argv[1], ranges, lend);
  absl::StatusOr<OutputDir> dir = OutputDir::Open(argv[4]);
  std::ifstream elf(argv[3], std::ios::binary);
  std::stringstream notes;
  notes << elf.rdbuf();
  if (!memory.ok() || !dir.ok()) return 2;

  VmSnapshot snapshot;
  snapshot.cpus = CpusOf(notes.str());
  snapshot.memory = memory->get();
  VmcoreOptions options;
  options.notes_json = "{\"made_by\":\"dump_file_main\"}";
  const absl::StatusOr<VmcoreReport> report = WriteVmcore(snapshot, *dir, options);
  if (!report.ok()) {
    absl::FPrintF(stderr, "%s\n", std::string(report.status().message()));
    return 1;
  }
  absl::PrintF("%s: %d cpus, %d bytes, data %d, vmcoreinfo %d, release %s, offset %#x, mapping %s\n", report->path,
               snapshot.cpus.size(), report->file_size, report->data_bytes, report->has_vmcoreinfo, report->release,
               report->kernel_offset.value_or(0), report->mapping);
  return 0;
}

}  // namespace
}  // namespace vmm

int main(int argc, char** argv) { return vmm::Main(argc, argv); }
