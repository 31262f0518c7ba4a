// vmcore: inspects the dump that a kernel left.
#include <iostream>

#include "dump/tool/commands.h"
#include "dump/tool/run_tool.h"

int main(int argc, char** argv) {
  return vmm::RunTool(vmm::AllCommands(), {argv + (argc > 0 ? 1 : 0), argv + argc}, std::cout, std::cerr);
}
