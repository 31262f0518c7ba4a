#include "vmm/kvm/decode_exit.h"

#include <linux/kvm.h>

#include <algorithm>
#include <iterator>

namespace vmm {
namespace {

VcpuExit DecodeIo(const kvm_run& run, std::span<uint8_t> run_page) {
  const auto& io = run.io;
  const uint64_t bytes = uint64_t{io.size} * io.count;
  const bool known_size = io.size == 1 || io.size == 2 || io.size == 4;
  const bool inside = io.data_offset <= run_page.size() && bytes <= run_page.size() - io.data_offset;
  if (!known_size || !inside) return UnhandledExit{run.exit_reason};
  return IoExit{.port = io.port,
                .size = io.size,
                .is_write = io.direction == KVM_EXIT_IO_OUT,
                .data = run_page.subspan(io.data_offset, bytes)};
}

VcpuExit DecodeMmio(kvm_run& run) {
  auto& mmio = run.mmio;
  if (mmio.len == 0 || mmio.len > sizeof(mmio.data)) return UnhandledExit{run.exit_reason};
  return MmioExit{
      .address = mmio.phys_addr, .is_write = mmio.is_write != 0, .data = std::span<uint8_t>(mmio.data, mmio.len)};
}

// Takes the instruction's bytes if KVM says that it filled them in, or else KVM's data words as they are. The fields of
// struct emulation_failure from `flags` on overlay the data of struct internal.
VcpuExit DecodeInternalError(const kvm_run& run) {
  InternalErrorExit exit;
  exit.suberror = run.internal.suberror;
  const auto& failure = run.emulation_failure;
  const bool has_bytes = exit.suberror == KVM_INTERNAL_ERROR_EMULATION && failure.ndata >= 3 &&
                         (failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES) != 0;
  if (has_bytes) {
    const size_t size = std::min<size_t>(failure.insn_size, sizeof(failure.insn_bytes));
    exit.instruction.assign(failure.insn_bytes, failure.insn_bytes + size);
    return exit;
  }
  const size_t words = std::min<size_t>(run.internal.ndata, std::size(run.internal.data));
  exit.data.assign(run.internal.data, run.internal.data + words);
  return exit;
}

}  // namespace

VcpuExit DecodeExit(std::span<uint8_t> run_page) {
  kvm_run& run = *reinterpret_cast<kvm_run*>(run_page.data());
  switch (run.exit_reason) {
    case KVM_EXIT_IO: return DecodeIo(run, run_page);
    case KVM_EXIT_MMIO: return DecodeMmio(run);
    case KVM_EXIT_INTR: return InterruptedExit{};
    case KVM_EXIT_SHUTDOWN: return ShutdownExit{};
    case KVM_EXIT_INTERNAL_ERROR: return DecodeInternalError(run);
    case KVM_EXIT_FAIL_ENTRY:
      return FailEntryExit{.hardware_reason = run.fail_entry.hardware_entry_failure_reason, .cpu = run.fail_entry.cpu};
    case KVM_EXIT_HLT: return HaltExit{};
    case KVM_EXIT_DEBUG: return BreakpointExit{.pc = run.debug.arch.pc, .dr6 = run.debug.arch.dr6};
    default: return UnhandledExit{run.exit_reason};
  }
}

}  // namespace vmm
