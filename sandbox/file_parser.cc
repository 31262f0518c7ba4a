#include "sandbox/file_parser.h"

#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "sandbox/landlock.h"
#include "sandbox/parser_calls.h"
#include "sandbox/privileges.h"

namespace vmm {

std::vector<std::string> ConfineFileParser(std::span<const std::string> inputs,
                                           std::span<const std::string> output_directories) {
  std::vector<std::string> lacking;
  const auto note = [&](std::string_view part, const absl::Status& status) {
    if (!status.ok()) lacking.push_back(absl::StrFormat("%s: %s", part, std::string(status.message())));
  };
  note("rights", GiveUpNewPrivileges());
  note("capabilities", DropCapabilities());
  note("files", ConfineFiles(output_directories, inputs, {}));
  note("system calls", ConfineParserCalls(output_directories.empty() ? ParserKind::kFiles : ParserKind::kFilesToFiles));
  return lacking;
}

}  // namespace vmm
