// Finds the objects in a stream of JSON, as a QMP client sends it: with or without newlines, several in one packet, or
// one in several.
#ifndef VMM_LIVE_JSON_STREAM_H_
#define VMM_LIVE_JSON_STREAM_H_

#include <string>
#include <string_view>
#include <vector>

namespace vmm {

// The client is not trusted: an object has a longest length and a deepest nesting.
class JsonStream {
 public:
  static constexpr size_t kMaxObject = 64 << 10;  // bytes
  static constexpr int kMaxDepth = 32;

  // Takes the next bytes. Returns the text of each object that they complete; it may still be bad JSON inside. Strings
  // in single quotes, which QEMU's parser takes too, are rewritten. Text outside objects is returned as an item of its
  // own, so that the caller can complain about it. A control byte, or 0xff, drops what is unfinished.
  std::vector<std::string> Add(std::string_view bytes);

  // True after an object that was too long or too deep: the place where it ends is not known.
  bool broken() const { return broken_; }

 private:
  void AddByte(char byte, std::vector<std::string>& done);
  void AddToString(char byte);
  void Restart();

  std::string text_;
  int depth_ = 0;
  char quote_ = 0;  // 0: not in a string
  bool escaped_ = false;
  bool broken_ = false;
};

}  // namespace vmm

#endif  // VMM_LIVE_JSON_STREAM_H_
