// vmcore: inspects the dump that a kernel left.
#include <iostream>

#include "dump/tool/commands.h"
#include "dump/tool/run_tool.h"
#include "sandbox/file_parser.h"

int main(int argc, char** argv) {
  const auto confine = [](const vmm::CommandFiles& files) {
    return vmm::ConfineFileParser(files.inputs, files.output_directories);
  };
  return vmm::RunTool(vmm::AllCommands(), {argv + (argc > 0 ? 1 : 0), argv + argc}, std::cout, std::cerr, confine);
}
