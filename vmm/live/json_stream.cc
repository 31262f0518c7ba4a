#include "vmm/live/json_stream.h"

#include <utility>

namespace vmm {
namespace {

bool IsBlank(char byte) { return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n'; }

bool Resets(char byte) {
  const auto value = static_cast<unsigned char>(byte);
  return value == 0xff || (value < 0x20 && !IsBlank(byte));
}

}  // namespace

std::vector<std::string> JsonStream::Add(std::string_view bytes) {
  std::vector<std::string> done;
  for (const char byte : bytes) {
    if (broken_) break;
    AddByte(byte, done);
  }
  return done;
}

void JsonStream::Restart() {
  text_.clear();
  depth_ = 0;
  quote_ = 0;
  escaped_ = false;
}

void JsonStream::AddByte(char byte, std::vector<std::string>& done) {
  if (Resets(byte)) return Restart();
  if (quote_ != 0) {
    AddToString(byte);
  } else if (depth_ == 0 && byte != '{') {
    // A word, a number or a stray bracket between objects. It ends at a blank.
    if (!IsBlank(byte)) {
      text_ += byte;
    } else if (!text_.empty()) {
      done.push_back(std::exchange(text_, {}));
    }
  } else {
    if (depth_ == 0 && !text_.empty()) done.push_back(std::exchange(text_, {}));
    if (byte == '{' || byte == '[') ++depth_;
    if (byte == '}' || byte == ']') --depth_;
    if (byte == '"' || byte == '\'') {
      quote_ = byte;
      byte = '"';
    }
    text_ += byte;
    if (depth_ == 0) done.push_back(std::exchange(text_, {}));
  }
  broken_ = text_.size() > kMaxObject || depth_ > kMaxDepth;
}

void JsonStream::AddToString(char byte) {
  if (escaped_) {
    escaped_ = false;
    // JSON knows no \'.
    if (byte == '\'') text_.pop_back();
    text_ += byte;
    return;
  }
  escaped_ = byte == '\\';
  if (byte == quote_) {
    quote_ = 0;
    text_ += '"';
    return;
  }
  if (byte == '"') text_ += '\\';  // inside single quotes
  text_ += byte;
}

}  // namespace vmm
