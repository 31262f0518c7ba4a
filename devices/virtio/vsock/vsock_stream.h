// One connection of a guest's vsock: a Unix socket on our side, and the credit of both directions (virtio 1.2,
// 5.10.6.3). It knows no queue.
#ifndef DEVICES_VIRTIO_VSOCK_VSOCK_STREAM_H_
#define DEVICES_VIRTIO_VSOCK_VSOCK_STREAM_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/unique_fd.h"
#include "devices/virtio/abi/virtio_vsock_abi.h"
#include "devices/virtio/descriptor_chain.h"

namespace vmm {

// Used on the device's thread only.
class VsockStream {
 public:
  // How much of the guest's data waits here at most for a slow reader on the host, in bytes.
  static constexpr uint32_t kBufAlloc = 128 << 10;

  enum class State {
    kAskingGuest,  // a program of the host connected; the guest has not answered
    kOpen,
    kDead,  // the guest gets RST, and then it is forgotten
  };

  VsockStream(UniqueFd socket, uint32_t guest_port, uint32_t host_port, State state)
      : guest_port(guest_port), host_port(host_port), state(state), socket_(std::move(socket)) {}

  const uint32_t guest_port, host_port;
  State state;
  int steps_asked = 0;  // of VirtioVsock's patience with a guest that does not answer

  // Packets without data that the guest has yet to get; each once, however often it became due.
  bool owes_request = false, owes_response = false, owes_credit = false, owes_shutdown = false;

  int fd() const { return socket_.get(); }

  // Takes what a packet of the guest says about its receive buffer.
  void NoteCredit(const VirtioVsockHdr& header);
  // The fields that each of our packets has.
  void FillHeader(VirtioVsockHdr& header);
  // SHUTDOWN flags that the guest is told.
  uint32_t our_shutdown() const { return our_shutdown_; }

  // The next `len` bytes of `chain` go to the host's program, now or later. False if the guest had no credit for
  // them, or had said that it sends no more.
  bool TakeFromGuest(DescriptorChain& chain, uint32_t len);
  // Writes what waits. False: nobody is there to read it.
  bool Flush();
  bool has_waiting() const { return waiting_at_ < waiting_.size(); }

  // True if ReadForGuest() may have something.
  bool CanRead() const;
  // Reads up to out.size() bytes, and no more than the guest has room for. 0: nothing now. Notes the end of the
  // program's data, and then owes SHUTDOWN.
  size_t ReadForGuest(std::span<uint8_t> out);

  // Epoll's edge-triggered events.
  void NoteEvents(uint32_t events);

  // SHUTDOWN of the guest. True if both directions have ended.
  bool NoteGuestShutdown(uint32_t flags);

  // A line of the connect protocol, to a program that has just connected: "OK 1073741824\n".
  void SendLine(const std::string& line) const;

 private:
  void EndProgramsSide(uint32_t flags);

  UniqueFd socket_;
  bool readable_ = false, hung_up_ = false, eof_ = false;
  uint32_t our_shutdown_ = 0, guest_shutdown_ = 0;

  // To the guest. All counters are modulo 2^32.
  uint32_t peer_buf_alloc_ = 0, peer_fwd_cnt_ = 0, tx_cnt_ = 0;

  // From the guest.
  uint32_t rx_cnt_ = 0, fwd_cnt_ = 0, told_fwd_cnt_ = 0;
  std::string waiting_;
  size_t waiting_at_ = 0;
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_VSOCK_VSOCK_STREAM_H_
