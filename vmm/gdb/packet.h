// The frames of gdb's remote protocol: $TEXT#SUM, acknowledgements, and the interrupt byte.
#ifndef VMM_GDB_PACKET_H_
#define VMM_GDB_PACKET_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vmm {

struct GdbItem {
  enum class Kind {
    kPacket,     // `text` is what was framed, with escapes taken out
    kInterrupt,  // Ctrl-C
    kBroken,     // a packet whose sum is wrong, or that is too long: ask for it again
    kNack,       // the peer asks for our last packet again
  };
  Kind kind = Kind::kPacket;
  std::string text;

  bool operator==(const GdbItem&) const = default;
};

// Finds the items in a stream of bytes. The peer is not trusted.
class GdbPacketReader {
 public:
  // The longest packet that is taken, in bytes between $ and #. gdb is told of it as PacketSize.
  static constexpr size_t kMaxPacket = 0x4000;

  // Takes the next bytes and returns the items that they complete. Bytes outside packets that mean nothing are dropped,
  // as are acknowledgements.
  std::vector<GdbItem> Add(std::string_view bytes);

 private:
  enum class Place { kOutside, kText, kEscaped, kFirstDigit, kSecondDigit };

  void AddOutside(char byte, std::vector<GdbItem>& items);
  void AddText(char byte);
  void End(char second, std::vector<GdbItem>& items);

  Place place_ = Place::kOutside;
  std::string text_;
  bool too_long_ = false;
  uint8_t sum_ = 0;
  char first_digit_ = 0;
};

// `text` as a packet, with the bytes escaped that would end or change it.
std::string FrameGdbPacket(std::string_view text);

}  // namespace vmm

#endif  // VMM_GDB_PACKET_H_
