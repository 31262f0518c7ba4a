#include "devices/virtio/descriptor_chain.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace vmm {
namespace {

uint64_t Sum(std::span<const iovec> buffers) {
  uint64_t bytes = 0;
  for (const iovec& buffer : buffers) bytes += buffer.iov_len;
  return bytes;
}

// Removes up to `bytes` from the front of buffers[at...] and hands each piece to `take`.
template <typename Take>
uint64_t TakeFront(std::vector<iovec>& buffers, size_t& at, uint64_t& left, uint64_t bytes, Take take) {
  uint64_t taken = 0;
  while (taken < bytes && at < buffers.size()) {
    iovec& buffer = buffers[at];
    const size_t size = static_cast<size_t>(std::min<uint64_t>(buffer.iov_len, bytes - taken));
    if (size != 0) take(iovec{buffer.iov_base, size});
    buffer.iov_base = static_cast<uint8_t*>(buffer.iov_base) + size;
    buffer.iov_len -= size;
    taken += size;
    if (buffer.iov_len == 0) ++at;
  }
  left -= taken;
  return taken;
}

}  // namespace

DescriptorChain::DescriptorChain(uint16_t id, std::vector<iovec> readable, std::vector<iovec> writable)
    : id_(id),
      readable_(std::move(readable)),
      writable_(std::move(writable)),
      readable_bytes_(Sum(readable_)),
      writable_bytes_(Sum(writable_)) {}

size_t DescriptorChain::Read(std::span<uint8_t> out) {
  uint8_t* to = out.data();
  return static_cast<size_t>(TakeFront(readable_, readable_at_, readable_bytes_, out.size(), [&to](const iovec& piece) {
    std::memcpy(to, piece.iov_base, piece.iov_len);
    to += piece.iov_len;
  }));
}

size_t DescriptorChain::Write(std::span<const uint8_t> data) {
  const uint8_t* from = data.data();
  return static_cast<size_t>(
      TakeFront(writable_, writable_at_, writable_bytes_, data.size(), [&from](const iovec& piece) {
        std::memcpy(piece.iov_base, from, piece.iov_len);
        from += piece.iov_len;
      }));
}

std::vector<iovec> DescriptorChain::TakeReadable(uint64_t bytes) {
  std::vector<iovec> taken;
  TakeFront(readable_, readable_at_, readable_bytes_, bytes, [&taken](const iovec& piece) { taken.push_back(piece); });
  return taken;
}

std::vector<iovec> DescriptorChain::TakeWritable(uint64_t bytes) {
  std::vector<iovec> taken;
  TakeFront(writable_, writable_at_, writable_bytes_, bytes, [&taken](const iovec& piece) { taken.push_back(piece); });
  return taken;
}

}  // namespace vmm
