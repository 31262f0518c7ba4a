// virtio-vsock (docs/abi/virtio-vsock.md) over Unix sockets: a host program reaches port N of the guest by connecting
// to PATH and writing "CONNECT N\n"; a guest program reaches the host program that listens on PATH_N. Nothing is
// global: the guest's CID is 3 in every machine.
#ifndef DEVICES_VIRTIO_VSOCK_VIRTIO_VSOCK_H_
#define DEVICES_VIRTIO_VSOCK_VIRTIO_VSOCK_H_

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/unique_fd.h"
#include "devices/unix_socket/unix_listener.h"
#include "devices/virtio/abi/virtio_vsock_abi.h"
#include "devices/virtio/virtio_device.h"
#include "devices/virtio/vsock/vsock_stream.h"

namespace vmm {

// Threads: as VirtioDevice says. Everything but the constants is used on the device's thread.
class VirtioVsock final : public VirtioDevice {
 public:
  static constexpr uint64_t kGuestCid = 3;
  static constexpr uint16_t kQueueSize = 128;
  // Streams, and programs that have connected and not said to what, together. More wait in the socket's backlog; more
  // from the guest get RST.
  static constexpr size_t kMaxStreams = 256;
  // Answers to packets that belong to no stream. If the guest takes none, we take no more of its packets.
  static constexpr size_t kMaxStrays = 64;
  // A program that has connected has this long to write its CONNECT line, and the guest has this long to answer it,
  // each up to kPatienceStep more. Else they could keep their places for ever.
  static constexpr absl::Duration kPatienceStep = absl::Seconds(10);
  static constexpr int kStepsToConnect = 1, kStepsToAnswer = 6;

  // Listens on `path`. Programs may connect before the guest has booted; they wait until its driver is ready.
  static absl::StatusOr<std::unique_ptr<VirtioVsock>> Create(const std::string& path);

  size_t stream_count() const { return streams_.size(); }

  std::string_view name() const override { return "virtio-vsock"; }
  uint32_t id() const override { return kVirtioIdVsock; }
  uint64_t features() const override { return kVirtioVsockFStream; }
  std::span<const uint16_t> queue_sizes() const override { return kQueueSizes; }
  void ReadConfig(uint64_t offset, std::span<uint8_t> data) override;
  absl::Status Activate(uint64_t features, std::span<Virtqueue* const> queues, IoLoop& loop) override;
  void OnQueue(int index) override;
  void TakeLeftovers() override;
  void Reset() override;

 private:
  static constexpr std::array<uint16_t, 3> kQueueSizes = {kQueueSize, kQueueSize, 4};  // rx, tx, event
  static constexpr int kRx = 0, kTx = 1;

  using Key = std::pair<uint32_t, uint32_t>;  // the guest's port, ours

  struct Caller {
    UniqueFd socket;
    int steps = 0;  // of patience
  };

  VirtioVsock(UnixListener listener, std::string path) : listener_(std::move(listener)), path_(std::move(path)) {}

  // From the guest.
  void TakePackets();
  bool TakeSome();  // false: there are no more; true: it stopped because of strays
  void TakePacket(const VirtioVsockHdr& header, DescriptorChain& chain);
  void OpenForGuest(const VirtioVsockHdr& header);
  void TakeForStream(const VirtioVsockHdr& header, DescriptorChain& chain, VsockStream& stream);
  void Refuse(const VirtioVsockHdr& header);

  // To the guest.
  void SendPackets();
  // Sends one packet of `stream` in `chain`. False if it has none.
  bool SendOne(VsockStream& stream, DescriptorChain& chain);
  void SendHeader(DescriptorChain& chain, VirtioVsockHdr header, std::span<const uint8_t> data);
  void Ready(const VsockStream& stream);

  // Programs of the host.
  void AcceptPrograms();
  void ReadConnectLine(int fd);
  void StreamEvent(Key key, uint32_t events);
  void WatchStream(const VsockStream& stream);
  void StartPatience();
  // Sends away who has waited for too long.
  void PatienceStep();
  void GiveUp(Key key);
  uint32_t FreeHostPort(uint32_t guest_port);
  bool full() const { return streams_.size() + callers_.size() + lingering_.size() >= kMaxStreams; }

  // Takes the stream out of the map. What waits for its program is still written.
  void Retire(Key key);
  void LingerEvent(int fd);

  const UnixListener listener_;
  const std::string path_;

  IoLoop* loop_ = nullptr;  // null: no driver
  Virtqueue* rx_ = nullptr;
  Virtqueue* tx_ = nullptr;
  std::optional<DescriptorChain> spare_;  // popped from rx_, and not used yet
  bool leftovers_ = false;                // only take; the guest is gone
  bool backlog_ = false;                  // a program may wait to be accepted
  bool patience_runs_ = false;            // PatienceStep() is due

  std::map<Key, std::unique_ptr<VsockStream>> streams_;
  std::deque<Key> ready_;  // streams that may have something to send, each once
  std::set<Key> is_ready_;
  std::deque<VirtioVsockHdr> strays_;
  std::map<int, Caller> callers_;                          // have not said CONNECT yet
  std::map<int, std::unique_ptr<VsockStream>> lingering_;  // the guest is done with them
  uint32_t next_host_port_ = 1u << 30;
  std::vector<uint8_t> scratch_;
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_VSOCK_VIRTIO_VSOCK_H_
