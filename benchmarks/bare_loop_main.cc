// Runs a guest with nothing but KVM_RUN: the least that a program with a vCPU can do. benchmarks/exits compares vmm's
// loop with it. vmm's code makes the machine; then this program takes over the vCPU through its descriptor. It answers
// only the debug console and the debug exit.
//
//   bare_loop_main KERNEL APPEND
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>

#include "vmm/machine/machine.h"
#include "vmm/platform/memory_map.h"

namespace vmm {
namespace {

int Fail(const char* what) {
  std::perror(what);
  return 125;
}

int VcpuFd() {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    if (std::filesystem::read_symlink(entry.path(), error) == "anon_inode:kvm-vcpu:0") {
      return std::stoi(entry.path().filename());
    }
  }
  return -1;
}

int RunBare(int fd, kvm_run& run) {
  while (true) {
    if (ioctl(fd, KVM_RUN, 0) != 0) {
      if (errno == EINTR || errno == EAGAIN) continue;
      return Fail("KVM_RUN");
    }
    if (run.exit_reason != KVM_EXIT_IO) {
      std::fprintf(stderr, "exit reason %u\n", run.exit_reason);
      return 125;
    }
    uint8_t* const data = reinterpret_cast<uint8_t*>(&run) + run.io.data_offset;
    if (run.io.direction == KVM_EXIT_IO_IN) {
      std::memset(data, run.io.port == kDebugConsolePort ? 0xe9 : 0xff, size_t{run.io.size} * run.io.count);
    } else if (run.io.port == kDebugConsolePort) {
      std::fwrite(data, run.io.size, run.io.count, stdout);
    } else if (run.io.port == kDebugExitPort) {
      return data[0];
    }
  }
}

int Run(const std::string& kernel, const std::string& append) {
  VmConfig config;
  config.boot.kernel_path = kernel;
  config.boot.command_line = append;
  config.memory_bytes = kMinMemory;
  const auto events = RunEvents::Create(/*stop_at_panic=*/true);
  if (!events.ok()) return Fail("eventfd");
  const auto machine = Machine::Create(config, **events, [](std::span<const uint8_t>) {});
  if (!machine.ok()) {
    std::fprintf(stderr, "%s\n", std::string(machine.status().message()).c_str());
    return 125;
  }
  const int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
  const int size = kvm < 0 ? -1 : ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
  const int fd = VcpuFd();
  if (size < 0 || fd < 0) return Fail("find the vCPU");
  void* const page = mmap(nullptr, static_cast<size_t>(size), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (page == MAP_FAILED) return Fail("map kvm_run");
  return RunBare(fd, *static_cast<kvm_run*>(page));
}

}  // namespace
}  // namespace vmm

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("bare_loop_main KERNEL APPEND\n", stderr);
    return 125;
  }
  return vmm::Run(argv[1], argv[2]);
}
