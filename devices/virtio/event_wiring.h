// How a hypervisor carries the two events of a device: the driver's notification and the device's interrupt.
#ifndef DEVICES_VIRTIO_EVENT_WIRING_H_
#define DEVICES_VIRTIO_EVENT_WIRING_H_

namespace vmm {

// One for each device. Any thread may call; the transport calls it while it holds its own lock. The descriptors stay
// open as long as the machine.
class EventWiring {
 public:
  virtual ~EventWiring() = default;

  // From now on a driver's write of `queue` to QueueNotify signals `eventfd`, and nothing else happens. False: this
  // hypervisor cannot do that, and the write arrives as Device::Write().
  virtual bool ConnectNotify(int queue, int eventfd) = 0;

  // From now on each signal of `eventfd` is one edge of the device's interrupt. False: not possible; call Interrupt().
  virtual bool ConnectInterrupt(int eventfd) = 0;

  // One edge of the device's interrupt.
  virtual void Interrupt() = 0;
};

}  // namespace vmm

#endif  // DEVICES_VIRTIO_EVENT_WIRING_H_
