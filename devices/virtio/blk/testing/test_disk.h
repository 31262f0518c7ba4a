// A disk in a string that counts what is done to it and fails on demand.
#ifndef DEVICES_VIRTIO_BLK_TESTING_TEST_DISK_H_
#define DEVICES_VIRTIO_BLK_TESTING_TEST_DISK_H_

#include <cstring>
#include <functional>
#include <string>

#include "devices/disk/disk_storage.h"

namespace vmm {

// Used by one thread. A range outside the disk is an out_of_range exception: the device must have checked it.
class TestDisk final : public DiskStorage {
 public:
  TestDisk(size_t sectors, bool read_only) : read_only_(read_only) {
    for (size_t i = 0; i < sectors; ++i) bytes.append(512, static_cast<char>('A' + i));
  }

  uint64_t size() const override { return bytes.size(); }
  bool read_only() const override { return read_only_; }

  absl::Status Read(uint64_t offset, std::span<const iovec> buffers) override {
    if (during) during();
    if (!fails.ok()) return fails;
    for (const iovec& buffer : buffers) {
      std::memcpy(buffer.iov_base, &bytes.at(offset), CheckedSize(offset, buffer.iov_len));
      offset += buffer.iov_len;
    }
    return absl::OkStatus();
  }

  absl::Status Write(uint64_t offset, std::span<const iovec> buffers) override {
    if (!fails.ok()) return fails;
    ++changes;
    for (const iovec& buffer : buffers) {
      std::memcpy(&bytes.at(offset), buffer.iov_base, CheckedSize(offset, buffer.iov_len));
      offset += buffer.iov_len;
    }
    return absl::OkStatus();
  }

  absl::Status Flush() override {
    ++flushes;
    return fails;
  }

  absl::Status Discard(uint64_t offset, uint64_t size) override { return Zero(offset, size, true); }

  absl::Status Zero(uint64_t offset, uint64_t size, bool /*may_unmap*/) override {
    if (!fails.ok()) return fails;
    ++changes;
    if (size != 0) std::memset(&bytes.at(offset), 0, CheckedSize(offset, size));
    return absl::OkStatus();
  }

  std::string bytes;
  int flushes = 0, changes = 0;
  absl::Status fails;            // what each call returns, unless it is OK
  std::function<void()> during;  // called in each Read

 private:
  size_t CheckedSize(uint64_t offset, size_t size) {
    if (size != 0) bytes.at(offset + size - 1);
    return size;
  }

  const bool read_only_;
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_BLK_TESTING_TEST_DISK_H_
