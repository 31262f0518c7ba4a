// Prints the C table that guests/vmcsinfo.c includes: {encoding, "NAME"} of each field, ascending.
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <string>
#include <vector>

#include "dump/nested/vmx/vmcs12_fields.h"

int main() {
  std::vector<vmm::VmcsField> fields(vmm::Vmcs12Fields().begin(), vmm::Vmcs12Fields().end());
  std::sort(fields.begin(), fields.end(), [](const auto& a, const auto& b) { return a.encoding < b.encoding; });
  for (const vmm::VmcsField& field : fields) {
    std::string name(field.name);
    for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    std::printf("{0x%04x, \"%s\"},\n", field.encoding, name.c_str());
  }
}
