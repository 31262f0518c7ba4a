// The console device as virtio 1.2 defines it, section 5.3.
#ifndef DEVICES_VIRTIO_ABI_VIRTIO_CONSOLE_ABI_H_
#define DEVICES_VIRTIO_ABI_VIRTIO_CONSOLE_ABI_H_

#include <cstddef>
#include <cstdint>

namespace vmm {

inline constexpr uint32_t kVirtioIdConsole = 3;

inline constexpr uint64_t kVirtioConsoleFMultiport = 1ull << 1;

// Queues (5.3.2): those of port 0, then control, then those of each other port.
inline constexpr int kConsolePort0Rx = 0;
inline constexpr int kConsolePort0Tx = 1;
inline constexpr int kConsoleControlRx = 2;
inline constexpr int kConsoleControlTx = 3;
constexpr int ConsoleRxQueue(int port) { return port == 0 ? kConsolePort0Rx : 2 + 2 * port; }
constexpr int ConsoleTxQueue(int port) { return ConsoleRxQueue(port) + 1; }
static_assert(ConsoleRxQueue(1) == 4 && ConsoleTxQueue(1) == 5);

struct VirtioConsoleConfig {
  uint16_t cols;
  uint16_t rows;
  uint32_t max_nr_ports;
  uint32_t emerg_wr;
};
static_assert(sizeof(VirtioConsoleConfig) == 12 && offsetof(VirtioConsoleConfig, max_nr_ports) == 4);

// A message of the control queues (5.3.6.2). PORT_NAME has the name after it.
struct VirtioConsoleControl {
  uint32_t id;  // of the port
  uint16_t event;
  uint16_t value;
};
static_assert(sizeof(VirtioConsoleControl) == 8 && offsetof(VirtioConsoleControl, value) == 6);

inline constexpr uint16_t kConsoleDeviceReady = 0;
inline constexpr uint16_t kConsoleDeviceAdd = 1;
inline constexpr uint16_t kConsoleDeviceRemove = 2;
inline constexpr uint16_t kConsolePortReady = 3;
inline constexpr uint16_t kConsoleConsolePort = 4;
inline constexpr uint16_t kConsoleResize = 5;
inline constexpr uint16_t kConsolePortOpen = 6;
inline constexpr uint16_t kConsolePortName = 7;

}  // namespace vmm

#endif  // DEVICES_VIRTIO_ABI_VIRTIO_CONSOLE_ABI_H_
