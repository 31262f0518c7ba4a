// fw_cfg with one file, etc/vmcoreinfo. If Linux's qemu_fw_cfg driver is loaded, it writes the physical address of the
// kernel's VMCOREINFO note into that file. Small test kernels read the size of RAM and the number of CPUs here.
// docs/abi/fw-cfg.md describes it byte by byte.
//
// This is only a second way to find the note, because most kernels have that driver as a module that nobody loads.
#ifndef DEVICES_FW_CFG_H_
#define DEVICES_FW_CFG_H_

#include <array>
#include <mutex>
#include <optional>
#include <vector>

#include "base/guest_addr.h"
#include "base/guest_memory.h"
#include "devices/abi/fw_cfg_abi.h"
#include "devices/device.h"

namespace vmm {

// Any thread may call any method. The guest's DMA requests read and write `memory`. It is not owned.
class FwCfg final : public Device {
 public:
  static constexpr uint64_t kSize = kFwCfgPorts;

  // In bytes. No item is this long, so a longer transfer is refused: it would only keep a vCPU busy.
  static constexpr uint32_t kMaxTransfer = 64 << 10;

  // `cpus`: the number of vCPUs.
  explicit FwCfg(GuestMemory& memory, int cpus = 1);

  std::string_view name() const override { return "fw_cfg"; }
  void Read(uint64_t offset, std::span<uint8_t> data) override;
  void Write(uint64_t offset, std::span<const uint8_t> data) override;

  // The note that the guest last wrote into etc/vmcoreinfo, or nothing if that was not a note in ELF's format. The
  // guest may lie: the range may be anywhere and of any size.
  std::optional<GuestRange> vmcoreinfo_note() const;

 private:
  // The bytes of the selected item. Empty if there is no such item.
  std::span<const uint8_t> Selected() const;
  uint8_t NextByte();
  void Select(uint16_t key);

  // Does the transfer that the guest described at `at`, and writes the answer there.
  void Transfer(GuestAddr at);
  absl::Status Run(const FwCfgDmaAccess& access);  // `access` is in our byte order
  absl::Status ReadItem(GuestAddr to, uint32_t length);
  absl::Status WriteItem(GuestAddr from, uint32_t length);

  GuestMemory& memory_;
  const std::vector<uint8_t> directory_;
  std::array<uint8_t, 8> ram_size_{};
  std::array<uint8_t, 2> cpus_{};

  mutable std::mutex mutex_;  // guards all members below
  std::array<uint8_t, sizeof(FwCfgVmcoreInfo)> vmcoreinfo_{};
  uint16_t key_ = kFwCfgSignature;
  uint32_t position_ = 0;  // in the selected item, in bytes
  uint32_t dma_high_ = 0;
};

}  // namespace vmm

#endif  // DEVICES_FW_CFG_H_
