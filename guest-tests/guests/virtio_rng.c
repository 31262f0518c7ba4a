// The entropy source by MMIO and interrupts, on the form of a virtqueue that form= names.
#include "guest-tests/lib/cpu.h"
#include "guest-tests/lib/guest.h"
#include "guest-tests/lib/interrupts.h"
#include "guest-tests/lib/irqchip.h"
#include "guest-tests/lib/virtio.h"

static struct virtq queue;
static uint8_t entropy[64] __attribute__((aligned(64)));
static volatile unsigned interrupts;
static volatile uint32_t causes;

static void on_device(struct interrupt_frame* frame) {
  (void)frame;
  const uint32_t status = virtio_read(VIRTIO_INTERRUPT_STATUS);
  virtio_write(VIRTIO_INTERRUPT_ACK, status);
  causes |= status;
  ++interrupts;
  apic_end();
}

static bool all_zero(void) {
  for (unsigned i = 0; i < sizeof(entropy); ++i) {
    if (entropy[i] != 0) return false;
  }
  return true;
}

// Asks for 64 bytes and waits for the interrupt, awake: in the lab an interrupt may come between STI and HLT, which
// then has nothing to wake it (guest-tests/lab/README.md).
static bool ask(void) {
  uint32_t len = 0;
  memset(entropy, 0, sizeof(entropy));
  const unsigned before = interrupts;
  virtio_offer(&queue, (uintptr_t)entropy, sizeof(entropy), VIRTQ_WRITE);
  sti();
  while (interrupts == before) pause();
  cli();
  if (!virtio_take(&queue, &len)) return false;
  return len == sizeof(entropy) && !all_zero();
}

int main(void) {
  const bool packed = equal(option("form") ? option("form") : "split", "packed");
  report(virtio_read(VIRTIO_MAGIC) == 0x74726976 && virtio_read(VIRTIO_VERSION) == 2, "a virtio device, version 2");
  report(virtio_read(VIRTIO_DEVICE_ID) == 4, "it is an entropy source");
  on_interrupt(0x45, on_device);
  apic_enable();
  ioapic_route(VIRTIO_GSI, 0x45, 0);

  for (unsigned round = 0; round < 2; ++round) {
    const uint64_t features = round == 0 ? 0 : VIRTIO_F_EVENT_IDX;
    report(virtio_negotiate(features, packed), "it accepts the features");
    report(virtio_set_queue(&queue, packed, VIRTIO_QUEUE_SIZE), "and the queue");
    virtio_driver_ok();
    unsigned good = 0;
    const unsigned before = interrupts;
    for (unsigned i = 0; i < 50; ++i) {
      // With EVENT_IDX: an interrupt about the next answer.
      if (features != 0 && !packed) queue.driver[2 + VIRTIO_QUEUE_SIZE] = queue.used;
      good += ask();
    }
    report(good == 50, "fifty requests are filled");
    report(interrupts - before == 50, "by an interrupt each");
    report(causes == 1, "whose cause is a used buffer");
  }
  virtio_write(VIRTIO_STATUS, 0);
  report(virtio_read(VIRTIO_STATUS) == 0 && virtio_read(VIRTIO_QUEUE_READY) == 0, "a reset forgets the queue");
  return finish();
}
