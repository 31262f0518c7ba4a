// The files of dump/nested/testdata.
#ifndef DUMP_NESTED_TESTING_FIXTURE_H_
#define DUMP_NESTED_TESTING_FIXTURE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/guest_memory.h"

namespace vmm {

// The bytes of `name`. Empty, and a test failure, if there is no such file.
std::vector<uint8_t> Fixture(std::string_view name);

// L1's RAM from `name`, an .xz file: 4 MiB from address 0 on.
std::unique_ptr<GuestMemory> FixtureMemory(std::string_view name);

// "vmx-plain-0-fresh.bin", ...: BlobNames() lists all nested-state blobs, Vmcs12BlobNames() those with a vmcs12.
std::vector<std::string> BlobNames();
std::vector<std::string> Vmcs12BlobNames();

}  // namespace vmm

#endif  // DUMP_NESTED_TESTING_FIXTURE_H_
