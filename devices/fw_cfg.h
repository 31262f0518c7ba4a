// fw_cfg with one file, etc/vmcoreinfo: Linux's qemu_fw_cfg driver, where it is loaded, writes into it where in
// memory the kernel's VMCOREINFO note is. docs/abi/fw-cfg.md has it byte by byte.
//
// It is a second way: most kernels have that driver as a module that nobody loads.
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

// Any thread may call anything. `memory` is read and written by the guest's DMA requests, and not owned.
class FwCfg final : public Device {
 public:
  static constexpr uint64_t kSize = kFwCfgPorts;

  // No item is as long as that; what asks for more at a time is refused, since it would only keep a vCPU.
  static constexpr uint32_t kMaxTransfer = 64 << 10;

  explicit FwCfg(GuestMemory& memory);

  std::string_view name() const override { return "fw_cfg"; }
  void Read(uint64_t offset, std::span<uint8_t> data) override;
  void Write(uint64_t offset, std::span<const uint8_t> data) override;

  // What the guest last wrote into etc/vmcoreinfo, unless that was nothing in ELF's format. Its word: the
  // range may be anywhere and of any size.
  std::optional<GuestRange> vmcoreinfo_note() const;

 private:
  // The bytes of the selected item; empty where there is none.
  std::span<const uint8_t> Selected() const;
  uint8_t NextByte();
  void Select(uint16_t key);

  // The transfer that the guest described at `at`, and its answer to it.
  void Transfer(GuestAddr at);
  absl::Status Run(const FwCfgDmaAccess& access);  // in our byte order
  absl::Status ReadItem(GuestAddr to, uint32_t length);
  absl::Status WriteItem(GuestAddr from, uint32_t length);

  GuestMemory& memory_;
  const std::vector<uint8_t> directory_;

  mutable std::mutex mutex_;  // of all below
  std::array<uint8_t, sizeof(FwCfgVmcoreInfo)> vmcoreinfo_{};
  uint16_t key_ = kFwCfgSignature;
  uint32_t position_ = 0;  // in the selected item
  uint32_t dma_high_ = 0;
};

}  // namespace vmm

#endif  // DEVICES_FW_CFG_H_
