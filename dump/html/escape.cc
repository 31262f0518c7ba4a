#include "dump/html/escape.h"

#include "absl/strings/str_format.h"
#include "base/printable.h"

namespace vmm {

std::string Escape(std::string_view text, bool lines, size_t limit) {
  std::string out;
  for (const char c : text.substr(0, limit)) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      case '\t': out += ' '; break;
      default:
        if (IsPrintable(c) || (c == '\n' && lines)) {
          out += c;
        } else {
          out += absl::StrFormat("\\x%02x", static_cast<unsigned char>(c));
        }
    }
  }
  if (text.size() > limit) out += "...";
  return out;
}

}  // namespace vmm
