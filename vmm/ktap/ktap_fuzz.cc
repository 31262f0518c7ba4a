// Any stream of test results: however it is cut, it gives the same tree, and a death is never a pass.
#include <algorithm>
#include <string>

#include "fuzz/input.h"
#include "vmm/ktap/junit_xml.h"
#include "vmm/ktap/ktap_parser.h"
#include "vmm/ktap/ktap_text.h"
#include "vmm/ktap/summary_json.h"

namespace vmm {
namespace {

constexpr KtapLimits kSmall{
    .line = 600, .name = 60, .diagnostics = 500, .all_diagnostics = 2000, .tests = 30, .depth = 4};

ResultTree Parse(std::string_view text, size_t piece, bool dies) {
  KtapParser parser(kSmall);
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) parser.Feed(text.substr(0, piece));
  if (!dies) return parser.Close();
  return parser.Close(GuestDeath{.kind = "panic", .message = "Fatal # exception", .details = "ok 1 stack\n1..2\n"});
}

}  // namespace
}  // namespace vmm

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vmm::FuzzInput input(data, size);
  const auto mode = input.Take<uint8_t>();
  const bool dies = (mode & 1) != 0;
  const std::string_view text = input.Text();
  const vmm::ResultTree tree = vmm::Parse(text, text.size() + 1, dies);
  const vmm::ResultTree cut = vmm::Parse(text, 1 + mode / 2, dies);
  const std::string written = vmm::KtapText(tree);
  vmm::FuzzCheck(written == vmm::KtapText(cut));
  vmm::FuzzCheck(!(dies && vmm::AllPassed(tree)));
  vmm::JunitXml(vmm::JunitSuitesOf(tree, "run", true));
  vmm::TestsJson(tree);
  return 0;
}
