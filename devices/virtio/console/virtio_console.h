// virtio-console with named ports (docs/abi/virtio-console.md): /dev/virtio-ports/NAME in the guest is a file, a
// descriptor or a Unix socket on the host. Port 0, the console of a driver without MULTIPORT, leads nowhere: the
// guest's console is its serial port.
#ifndef DEVICES_VIRTIO_CONSOLE_VIRTIO_CONSOLE_H_
#define DEVICES_VIRTIO_CONSOLE_VIRTIO_CONSOLE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "devices/virtio/abi/virtio_console_abi.h"
#include "devices/virtio/console/port_end.h"
#include "devices/virtio/virtio_device.h"

namespace vmm {

// Threads: as VirtioDevice says. What the guest writes waits in its own ring while the host's reader is slow, so no
// byte is lost and none is held here. If nobody is connected to a port's socket, bytes for it are dropped.
class VirtioConsole final : public VirtioDevice {
 public:
  static constexpr size_t kMaxPorts = 14;
  static constexpr size_t kMaxName = 63;  // bytes

  struct NamedPort {
    std::string name;
    PortEnd end;
  };

  // A port's name has 1 to kMaxName letters, digits, '.', '_' and '-', because it becomes a file's name in the guest.
  static absl::Status CheckName(std::string_view name);

  // 1 to kMaxPorts ports; they get the ids 1, 2, ... `log` gets one line for each port that fails.
  VirtioConsole(std::vector<NamedPort> ports, std::function<void(std::string_view)> log);

  std::string_view name() const override { return "virtio-console"; }
  uint32_t id() const override { return kVirtioIdConsole; }
  uint64_t features() const override { return kVirtioConsoleFMultiport; }
  std::span<const uint16_t> queue_sizes() const override { return queue_sizes_; }
  void ReadConfig(uint64_t offset, std::span<uint8_t> data) override;
  absl::Status Activate(uint64_t features, std::span<Virtqueue* const> queues, IoLoop& loop) override;
  void OnQueue(int index) override;
  // Waits up to a second for readers that are slow.
  void TakeLeftovers() override;
  void Reset() override;
  std::vector<RequestInFlight> InFlight() const override;

 private:
  struct Port {
    std::string name;
    PortEnd end;
    uint32_t id;
    Virtqueue* rx = nullptr;
    Virtqueue* tx = nullptr;
    std::optional<DescriptorChain> filling;  // popped from rx, nothing in it yet
    std::optional<DescriptorChain> writing;  // popped from tx, written in part
    bool readable = false;                   // until a read says EAGAIN
    bool ready = false;                      // the driver has it
    bool guest_open = false;                 // a program of the guest has it open
    bool failed = false;                     // logged
    // Control messages that the guest has yet to get; each once, however often it became due.
    bool owes_add = false, owes_name = false, owes_open = false;
  };

  void TakeControl();
  void TakeMessage(const VirtioConsoleControl& message);
  void SendControl();
  void SendOne(Port& port);  // what it owes first, in control_spare_
  void PushControl(VirtioConsoleControl message, std::string_view text);

  void WriteOut(Port& port);  // the guest's bytes, as far as the host takes them
  void ReadIn(Port& port);    // the host's bytes, as far as the guest has room
  void WatchStream(Port& port);
  void TakeClient(Port& port);
  void DropClient(Port& port);
  void Fail(Port& port, int error);
  void DropPort0();

  const std::function<void(std::string_view)> log_;
  std::vector<uint16_t> queue_sizes_;

  IoLoop* loop_ = nullptr;  // null: no driver
  Virtqueue* control_rx_ = nullptr;
  Virtqueue* control_tx_ = nullptr;
  Virtqueue* port0_tx_ = nullptr;
  std::optional<DescriptorChain> control_spare_;
  std::vector<Port> ports_;
  bool leftovers_ = false;  // only take; the guest is gone

  mutable std::mutex mutex_;  // guards waiting_
  std::vector<RequestInFlight> waiting_;
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_CONSOLE_VIRTIO_CONSOLE_H_
