// Writes byte strings as JSON: paths, command lines and all that a guest says are bytes. JSON is Unicode text. Bytes
// that are not valid text must neither break a reader nor be lost.
#ifndef BASE_JSON_TEXT_H_
#define BASE_JSON_TEXT_H_

#include <string>
#include <string_view>

#include "nlohmann/json.hpp"

namespace vmm {

// True if JSON can hold `text` unchanged.
bool IsUtf8(std::string_view text);

// `json` as text in valid UTF-8. In a string that is not UTF-8, U+FFFD stands for each wrong byte, and a second member
// of the same object holds the exact bytes: NAME_base64 for the member NAME. If a member is an array with such a
// string, NAME_base64 is an array of the same length, with null for each string that needs no second form. `indent` -1:
// on one line. Characters that may not be shown (printable.h) are written as \uNNNN. kAscii does so with each non-ASCII
// character, for a terminal. REQUIRES: names are UTF-8.
enum class JsonCharset { kUtf8, kAscii };
std::string JsonText(nlohmann::ordered_json json, int indent, JsonCharset charset = JsonCharset::kUtf8);

}  // namespace vmm

#endif  // BASE_JSON_TEXT_H_
