// What a client of the monitor sends: however it is cut, the same objects come out, none of them too long.
#include <algorithm>
#include <string>
#include <vector>

#include "fuzz/input.h"
#include "nlohmann/json.hpp"
#include "vmm/live/json_stream.h"

namespace vmm {
namespace {

std::vector<std::string> Objects(std::string_view text, size_t piece) {
  JsonStream stream;
  std::vector<std::string> objects;
  for (; !text.empty() && !stream.broken(); text.remove_prefix(std::min(piece, text.size()))) {
    for (std::string& object : stream.Add(text.substr(0, piece))) objects.push_back(std::move(object));
  }
  return objects;
}

}  // namespace
}  // namespace vmm

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vmm::FuzzInput input(data, size);
  const size_t piece = 1 + input.Take<uint8_t>();
  const std::string_view text = input.Text();
  const std::vector<std::string> objects = vmm::Objects(text, text.size() + 1);
  vmm::FuzzCheck(objects == vmm::Objects(text, piece));
  for (const std::string& object : objects) {
    vmm::FuzzCheck(object.size() <= 2 * vmm::JsonStream::kMaxObject);
    (void)nlohmann::json::parse(object, nullptr, /*allow_exceptions=*/false).is_object();
  }
  return 0;
}
