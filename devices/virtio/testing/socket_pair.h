// Two connected sockets: one for a device, one for the test, which plays the other end.
#ifndef DEVICES_VIRTIO_TESTING_SOCKET_PAIR_H_
#define DEVICES_VIRTIO_TESTING_SOCKET_PAIR_H_

#include <sys/socket.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/unique_fd.h"
#include "gtest/gtest.h"

namespace vmm {

struct SocketPair {
  explicit SocketPair(int type = SOCK_STREAM) {
    int fds[2];
    EXPECT_EQ(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), 0);
    ours.reset(fds[0]);
    theirs.reset(fds[1]);
  }

  // Sends all of `bytes` from the test's end. False: the socket is full or closed.
  bool Say(std::string_view bytes) const {
    return send(theirs.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
           static_cast<ssize_t>(bytes.size());
  }

  // What the test's end has received and not read yet, at most `most` bytes.
  std::string Heard(size_t most = 1 << 20) const {
    std::string bytes(most, '\0');
    const ssize_t got = recv(theirs.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
    return bytes;
  }

  UniqueFd ours;    // for the device
  UniqueFd theirs;  // for the test
};

inline iovec BufferOf(std::string& text) { return {text.data(), text.size()}; }

}  // namespace vmm

#endif  // DEVICES_VIRTIO_TESTING_SOCKET_PAIR_H_
