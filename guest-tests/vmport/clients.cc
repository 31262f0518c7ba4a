#include "guest-tests/vmport/clients.h"

#include <cstdlib>

namespace vmm {
namespace {

std::string Root() {
  const char* const root = std::getenv("VMM_TEST_CLIENTS");
  return root == nullptr ? "" : root;
}

}  // namespace

std::string ClientPath(std::string_view path) { return Root() + std::string(path); }

void UseClientLibraries() {
  if (Root().empty()) return;
  setenv("LD_LIBRARY_PATH", (Root() + "/usr/lib/x86_64-linux-gnu:" + Root() + "/lib/x86_64-linux-gnu").c_str(), 1);
  setenv("PYTHONPATH", (Root() + "/usr/lib/python3/dist-packages").c_str(), 1);
}

}  // namespace vmm
