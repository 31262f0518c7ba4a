// Only the dump, of a machine that never ran: RAM is a file that was filled in advance, and the one vCPU has not
// started. benchmarks/dump times it against QEMU's dump of the same file.
//
//   dump_ram_main RAM OUT_DIR
//
// Prints one line of JSON: the time until the vmcore had its name on the disk, its contents, and the memory that the
// dump itself took, without the mapping of guest RAM.
#include <dirent.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>

#include "absl/strings/str_format.h"
#include "base/guest_addr.h"
#include "dump/testing/file_memory.h"
#include "dump/write/write_vmcore.h"

namespace vmm {
namespace {

constexpr uint64_t kLowMemory = 3ull << 30;  // in QEMU's q35 and in ours: the rest begins at 4 GiB

// KiB of this process: its own memory, and the page tables that map guest RAM.
struct Kib {
  uint64_t own = 0;
  uint64_t tables = 0;
};

Kib MemoryOfThisProcess() {
  Kib kib;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) kib.own = std::stoull(line.substr(8));
    if (line.starts_with("VmPTE:")) kib.tables = std::stoull(line.substr(6));
  }
  return kib;
}

// The highest value seen, sampled every millisecond.
class PeakMemory {
 public:
  PeakMemory() : before_(MemoryOfThisProcess()), thread_([this] { Watch(); }) {}

  Kib Growth() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    Look();
    return {peak_.own - before_.own, peak_.tables - before_.tables};
  }

 private:
  void Look() {
    const Kib now = MemoryOfThisProcess();
    peak_ = {std::max(peak_.own, now.own), std::max(peak_.tables, now.tables)};
  }
  void Watch() {
    while (!stop_) {
      Look();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  const Kib before_;
  Kib peak_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

int Main(int argc, char** argv) {
  if (argc != 3) {
    absl::FPrintF(stderr, "usage: %s RAM OUT_DIR\n", argv[0]);
    return 2;
  }
  struct stat ram = {};
  if (stat(argv[1], &ram) != 0) return 2;
  const uint64_t size = static_cast<uint64_t>(ram.st_size);
  std::vector<GuestRange> ranges = {{GuestAddr{0}, std::min(size, kLowMemory)}};
  if (size > kLowMemory) ranges.push_back({GuestAddr{4ull << 30}, size - kLowMemory});
  const absl::StatusOr<std::unique_ptr<FileMemory>> memory = FileMemory::Open(argv[1], ranges, /*lend=*/true);
  const absl::StatusOr<OutputDir> dir = OutputDir::Open(argv[2]);
  if (!memory.ok() || !dir.ok()) return 2;
  const VmSnapshot snapshot{.cpus = {CpuState{.started = false}}, .memory = memory->get()};

  PeakMemory peak;
  const auto start = std::chrono::steady_clock::now();
  const absl::StatusOr<VmcoreReport> report = WriteVmcore(snapshot, *dir, {});
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const Kib growth = peak.Growth();
  if (!report.ok()) {
    absl::FPrintF(stderr, "%s\n", std::string(report.status().message()));
    return 1;
  }
  struct stat after = {}, core = {};
  if (stat(argv[1], &after) != 0 || stat(report->path.c_str(), &core) != 0) return 1;
  absl::PrintF(
      "{\"seconds\": %.6f, \"data_bytes\": %d, \"file_bytes\": %d, \"allocated_bytes\": %d, \"ram_faulted_in_bytes\": "
      "%d, "
      "\"own_kib\": %d, \"page_table_kib\": %d}\n",
      seconds.count(), report->data_bytes, core.st_size, core.st_blocks * 512, (after.st_blocks - ram.st_blocks) * 512,
      growth.own, growth.tables);
  return 0;
}

}  // namespace
}  // namespace vmm

int main(int argc, char** argv) { return vmm::Main(argc, argv); }
