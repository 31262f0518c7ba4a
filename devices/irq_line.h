// An interrupt line, as the device that drives it sees it. In the machine it ends in KVM_IRQ_LINE. In a test it counts
// edges.
#ifndef DEVICES_IRQ_LINE_H_
#define DEVICES_IRQ_LINE_H_

namespace vmm {

// Any thread may call. A device calls it while it holds its own lock, so an implementation must not call back into the
// device.
class IrqLine {
 public:
  virtual ~IrqLine() = default;

  // Raises (true) or lowers (false) the line. Setting it to its current level does nothing.
  virtual void Set(bool level) = 0;
};

}  // namespace vmm

#endif  // DEVICES_IRQ_LINE_H_
