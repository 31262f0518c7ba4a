// Any log gives reports within their bounds, in order.
#include <algorithm>
#include <string>

#include "dump/console/console_reader.h"
#include "fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vmm::FuzzInput input(data, size);
  const size_t piece = 1 + 16 * size_t{input.Take<uint8_t>()};
  std::string_view log = input.Text();
  vmm::ConsoleReader reader;
  for (; !log.empty(); log.remove_prefix(std::min(piece, log.size()))) reader.Add(std::string(log.substr(0, piece)));
  const vmm::ConsoleFindings findings = reader.Finish();
  uint64_t before = 0;
  for (const vmm::ConsoleReport& report : findings.reports) {
    vmm::FuzzCheck(report.first_line >= before && report.first_line <= report.last_line);
    vmm::FuzzCheck(report.last_line <= findings.lines && report.frames.size() <= vmm::kMaxReportFrames);
    vmm::FuzzCheck(!report.title.empty() && report.signature.size() == 16);
    before = report.first_line;
  }
  return 0;
}
