#include "vmm/run/virtio_note.h"

#include <gtest/gtest.h>

#include <vector>

#include "dump/abi/virtio_note_abi.h"

namespace vmm {
namespace {

VirtioMmio::Report Disk() {
  VirtioMmio::Report disk{.name = "virtio-blk", .status = 15, .features = 1ull << 32, .queues = {}, .in_flight = {}};
  disk.queues.push_back({.ready = true,
                         .layout = {.size = 256, .desc = GuestAddr{0x5000}, .driver = {}, .device = {}},
                         .progress = {.next_avail = 9, .next_used = 7, .popped = 9, .pushed = 7}});
  disk.queues.push_back({});
  disk.in_flight.push_back({.queue = 0, .chain = 5, .words = "read sector 2048, 8 sectors"});
  return disk;
}

TEST(VirtioNote, HasQueuesAndRequestsOfDevicesThatADriverTouched) {
  VirtioMmio::Report untouched = Disk();
  untouched.status = 0;
  EXPECT_EQ(VirtioNoteText(std::vector{untouched, Disk()}),
            "virtio-blk: status 0xf, features 0x100000000\n"
            "  queue 0: 256 descriptors at 0x5000; 9 requests taken, 7 given back; next available 9, next used 7\n"
            "  queue 0, chain 5: read sector 2048, 8 sectors\n");
  EXPECT_EQ(VirtioNoteText(std::vector{untouched}), "");
}

TEST(VirtioNote, EndsAtAWholeLineIfThereIsTooMuch) {
  VirtioMmio::Report disk = Disk();
  disk.in_flight.assign(5000, disk.in_flight[0]);
  const std::string text = VirtioNoteText(std::vector{disk, Disk()});
  EXPECT_LE(text.size(), kVirtioNoteMaxBytes);
  EXPECT_GT(text.size(), kVirtioNoteMaxBytes - 200);
  EXPECT_TRUE(text.ends_with("8 sectors\nmore does not fit\n"));
}

}  // namespace
}  // namespace vmm
