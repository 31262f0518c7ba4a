// One request of a driver: buffers for the device to read, then buffers for it to fill.
//
//   std::optional<DescriptorChain> request = queue.Pop();
//   BlkRequestHeader header;
//   if (!request->ReadObject(header)) ...      // shorter than a header
//   queue.Push(*request, bytes_written);
#ifndef DEVICES_VIRTIO_DESCRIPTOR_CHAIN_H_
#define DEVICES_VIRTIO_DESCRIPTOR_CHAIN_H_

#include <sys/uio.h>

#include <cstdint>
#include <span>
#include <vector>

namespace vmm {

// The buffers are host addresses inside guest RAM, checked once when the chain was read. They stay valid as long as the
// guest's memory. vCPUs may change their bytes at any time, so a device copies a header and judges only the copy. The
// sum of all lengths is below 2^32.
//
// Used by one thread at a time: the one that popped it.
class DescriptorChain {
 public:
  DescriptorChain(uint16_t id, std::vector<iovec> readable, std::vector<iovec> writable);

  // The ring's name for this chain: the head descriptor's index (split) or the buffer id (packed).
  uint16_t id() const { return id_; }

  // What is left to read and to fill, in order. Read and Write take bytes from the front.
  std::span<const iovec> readable() const { return {readable_.data() + readable_at_, readable_.size() - readable_at_}; }
  std::span<const iovec> writable() const { return {writable_.data() + writable_at_, writable_.size() - writable_at_}; }
  uint64_t readable_bytes() const { return readable_bytes_; }
  uint64_t writable_bytes() const { return writable_bytes_; }

  // Copies the next bytes out of the readable buffers. Returns how many: fewer than asked for if the chain ends.
  size_t Read(std::span<uint8_t> out);

  // Copies `data` to the front of the writable buffers. Returns how many bytes fitted.
  size_t Write(std::span<const uint8_t> data);

  // The first `bytes` of what is left, removed from the chain, for preadv, pwritev, readv and writev. Fewer if the
  // chain ends.
  std::vector<iovec> TakeReadable(uint64_t bytes);
  std::vector<iovec> TakeWritable(uint64_t bytes);

  // False, and part of `object` may be changed, if the readable part is too short.
  template <typename T>
  bool ReadObject(T& object) {
    return Read({reinterpret_cast<uint8_t*>(&object), sizeof(T)}) == sizeof(T);
  }
  template <typename T>
  bool WriteObject(const T& object) {
    return Write({reinterpret_cast<const uint8_t*>(&object), sizeof(T)}) == sizeof(T);
  }

 private:
  uint16_t id_;
  std::vector<iovec> readable_, writable_;
  size_t readable_at_ = 0, writable_at_ = 0;
  uint64_t readable_bytes_ = 0, writable_bytes_ = 0;
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_DESCRIPTOR_CHAIN_H_
