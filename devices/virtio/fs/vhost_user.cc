#include "devices/virtio/fs/vhost_user.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status.h"
#include "devices/virtio/abi/virtio_mmio_abi.h"

namespace vmm {
namespace {

// What a driver may accept from our transport. A back end that lacks one of them could not serve it.
constexpr uint64_t kRingFeatures = kVirtioFIndirectDesc | kVirtioFEventIdx | kVirtioFVersion1;

// The back end sees the memory at these user addresses. They only need to be the same in the memory table and in the
// queues' addresses, so the guest's own serve, and none of ours are told.
uint64_t UserAddress(GuestAddr addr) { return addr.value; }

}  // namespace

absl::StatusOr<std::unique_ptr<VhostUser>> VhostUser::Connect(std::string name, UniqueFd socket, int queues,
                                                              Patience patience) {
  std::unique_ptr<VhostUser> link(new VhostUser(std::move(name), std::move(socket)));
  RETURN_IF_ERROR(link->Negotiate(queues, patience));
  return link;
}

absl::Status VhostUser::Negotiate(int queues, Patience patience) {
  RETURN_IF_ERROR(SetPatience(patience.start));
  ASSIGN_OR_RETURN(features_, AskNumber(VhostUserRequest::kGetFeatures));
  RETURN_IF_ERROR(SetPatience(patience.message));
  if ((features_ & kRingFeatures) != kRingFeatures) {
    return Fail(absl::FailedPreconditionError(absl::StrFormat(
        "features %#x; %#x are needed: virtio 1, indirect descriptors, event index", features_, kRingFeatures)));
  }
  RETURN_IF_ERROR(Tell(VhostUserRequest::kSetOwner, {}));
  if ((features_ & kVhostUserFProtocolFeatures) == 0) return absl::OkStatus();
  ASSIGN_OR_RETURN(const uint64_t offered, AskNumber(VhostUserRequest::kGetProtocolFeatures));
  const uint64_t taken = offered & (kVhostUserProtocolFMq | kVhostUserProtocolFReplyAck);
  RETURN_IF_ERROR(Tell(VhostUserRequest::kSetProtocolFeatures, BytesOf(taken)));
  acknowledges_ = (taken & kVhostUserProtocolFReplyAck) != 0;
  if ((taken & kVhostUserProtocolFMq) == 0) return absl::OkStatus();
  ASSIGN_OR_RETURN(const uint64_t most, AskNumber(VhostUserRequest::kGetQueueNum));
  if (most >= static_cast<uint64_t>(queues)) return absl::OkStatus();
  return Fail(absl::FailedPreconditionError(absl::StrFormat("%d queues; %d are needed", most, queues)));
}

absl::Status VhostUser::SetUp(uint64_t driver_features, const GuestMemory& memory) {
  const uint64_t features = (driver_features & features_) | (features_ & kVhostUserFProtocolFeatures);
  RETURN_IF_ERROR(Tell(VhostUserRequest::kSetFeatures, BytesOf(features)));
  VhostUserMemory table = {};
  std::vector<int> fds;
  if (memory.regions().size() > kVhostUserMaxRegions) {
    return absl::InternalError(absl::StrFormat("%s: %d regions of memory; %d are possible", name_,
                                               memory.regions().size(), kVhostUserMaxRegions));
  }
  for (const GuestMemory::Region& region : memory.regions()) {
    table.regions[table.nregions++] = {.guest_address = region.range.start.value,
                                       .size = region.range.size,
                                       .user_address = UserAddress(region.range.start),
                                       .mmap_offset = region.file_offset};
    fds.push_back(memory.fd());
  }
  const size_t bytes = offsetof(VhostUserMemory, regions) + table.nregions * sizeof(VhostUserMemoryRegion);
  return Tell(VhostUserRequest::kSetMemTable, BytesOf(table).first(bytes), fds);
}

absl::Status VhostUser::StartQueue(int index, const Virtqueue& queue, uint16_t base) {
  const uint32_t number = static_cast<uint32_t>(index);
  const QueueLayout& layout = queue.layout();
  const VhostUserVringState size = {number, layout.size};
  const VhostUserVringState first = {number, base};
  const VhostUserVringAddr addresses = {.index = number,
                                        .flags = 0,
                                        .descriptor = UserAddress(layout.desc),
                                        .used = UserAddress(layout.device),
                                        .available = UserAddress(layout.driver),
                                        .log = 0};
  const uint64_t which = number & kVhostUserVringIndexMask;
  const std::array<int, 1> call = {queue.interrupt_fd()}, kick = {queue.kick_fd()};
  RETURN_IF_ERROR(Tell(VhostUserRequest::kSetVringNum, BytesOf(size)));
  RETURN_IF_ERROR(Tell(VhostUserRequest::kSetVringBase, BytesOf(first)));
  RETURN_IF_ERROR(Tell(VhostUserRequest::kSetVringAddr, BytesOf(addresses)));
  RETURN_IF_ERROR(Tell(VhostUserRequest::kSetVringCall, BytesOf(which), call));
  RETURN_IF_ERROR(Tell(VhostUserRequest::kSetVringKick, BytesOf(which), kick));
  if ((features_ & kVhostUserFProtocolFeatures) == 0) return absl::OkStatus();  // such a queue starts enabled
  const VhostUserVringState enable = {number, 1};
  return Tell(VhostUserRequest::kSetVringEnable, BytesOf(enable));
}

absl::StatusOr<uint16_t> VhostUser::StopQueue(int index) {
  const VhostUserVringState which = {static_cast<uint32_t>(index), 0};
  VhostUserVringState answer;
  RETURN_IF_ERROR(Ask(VhostUserRequest::kGetVringBase, BytesOf(which), WritableBytesOf(answer)));
  if (answer.index != which.index || answer.num > 0xffff) {
    return Fail(absl::DataLossError(absl::StrFormat("queue %d was stopped, and queue %d at request %d was answered",
                                                    index, answer.index, answer.num)));
  }
  return static_cast<uint16_t>(answer.num);
}

absl::Status VhostUser::Tell(VhostUserRequest request, std::span<const uint8_t> payload, std::span<const int> fds) {
  RETURN_IF_ERROR(Send(request, acknowledges_ ? kVhostUserNeedReply : 0, payload, fds));
  if (!acknowledges_) return absl::OkStatus();
  uint64_t error = 0;
  RETURN_IF_ERROR(Receive(request, WritableBytesOf(error)));
  if (error == 0) return absl::OkStatus();
  return Fail(absl::FailedPreconditionError(absl::StrFormat("message %d was refused", static_cast<int>(request))));
}

absl::Status VhostUser::Ask(VhostUserRequest request, std::span<const uint8_t> payload, std::span<uint8_t> answer) {
  RETURN_IF_ERROR(Send(request, 0, payload, {}));
  return Receive(request, answer);
}

absl::StatusOr<uint64_t> VhostUser::AskNumber(VhostUserRequest request) {
  uint64_t number = 0;
  RETURN_IF_ERROR(Ask(request, {}, WritableBytesOf(number)));
  return number;
}

absl::Status VhostUser::Send(VhostUserRequest request, uint32_t flags, std::span<const uint8_t> payload,
                             std::span<const int> fds) {
  if (!socket_.valid()) return absl::UnavailableError(absl::StrCat(name_, ": the connection is closed"));
  VhostUserHeader header = {static_cast<uint32_t>(request), kVhostUserVersion | flags,
                            static_cast<uint32_t>(payload.size())};
  std::array<iovec, 2> parts = {iovec{&header, sizeof header},
                                iovec{const_cast<uint8_t*>(payload.data()), payload.size()}};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kVhostUserMaxRegions)> control = {};
  msghdr message = {};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  if (!fds.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* const rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(rights), fds.data(), fds.size_bytes());
  }
  ssize_t sent;
  do {
    sent = sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return Fail(ErrnoStatus(errno, absl::StrFormat("send message %d", static_cast<int>(request))));
  // Messages are smaller than any socket buffer, and the back end reads one after the other.
  if (static_cast<size_t>(sent) != sizeof header + payload.size()) {
    return Fail(
        absl::DeadlineExceededError(absl::StrFormat("only a part of message %d was taken", static_cast<int>(request))));
  }
  return absl::OkStatus();
}

absl::Status VhostUser::Receive(VhostUserRequest request, std::span<uint8_t> answer) {
  VhostUserHeader header;
  RETURN_IF_ERROR(Annotate(ReceiveBytes(WritableBytesOf(header)),
                           absl::StrFormat("%s: answer to message %d", name_, static_cast<int>(request))));
  const bool is_reply =
      (header.flags & kVhostUserVersionMask) == kVhostUserVersion && (header.flags & kVhostUserReply) != 0;
  if (!is_reply || header.request != static_cast<uint32_t>(request) || header.size != answer.size()) {
    return Fail(absl::DataLossError(
        absl::StrFormat("the answer to message %d is message %d with flags %#x and %d bytes; %d bytes are expected",
                        static_cast<int>(request), header.request, header.flags, header.size, answer.size())));
  }
  return Annotate(ReceiveBytes(answer), absl::StrFormat("%s: answer to message %d", name_, static_cast<int>(request)));
}

// Descriptors that come along are not taken: without a control buffer the kernel closes them.
absl::Status VhostUser::ReceiveBytes(std::span<uint8_t> out) {
  while (!out.empty()) {
    const ssize_t got = recv(socket_.get(), out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    absl::Status why;
    if (got == 0) why = absl::UnavailableError("it closed the connection");
    if (got < 0) why = errno == EAGAIN ? absl::DeadlineExceededError("none came in time") : ErrnoStatus(errno, "recv");
    if (!why.ok()) {
      socket_.reset();
      return why;
    }
    out = out.subspan(static_cast<size_t>(got));
  }
  return absl::OkStatus();
}

absl::Status VhostUser::SetPatience(absl::Duration patience) {
  const timeval time = absl::ToTimeval(patience);
  for (const int which : {SO_RCVTIMEO, SO_SNDTIMEO}) {
    if (setsockopt(socket_.get(), SOL_SOCKET, which, &time, sizeof time) != 0) {
      return Fail(ErrnoStatus(errno, "set a time limit on the socket"));
    }
  }
  return absl::OkStatus();
}

absl::Status VhostUser::Fail(absl::Status why) {
  socket_.reset();
  return Annotate(why, name_);
}

}  // namespace vmm
