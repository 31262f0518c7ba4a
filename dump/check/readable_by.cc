#include "dump/check/readable_by.h"

#include <utility>

#include "dump/check/check_vmcore.h"
#include "dump/read/kernel_of.h"

namespace vmm {

std::vector<ReadableBy> FindReaders(UniqueFd file, const std::string& path) {
  const auto core = Vmcore::Take(std::move(file), path);
  const CheckResult result = core.ok() ? CheckVmcore(**core, KernelNamedBy(**core)) : CheckResult{};
  std::vector<ReadableBy> readers;
  for (const Reader reader : {Reader::kCrash, Reader::kDrgn, Reader::kGdb, Reader::kMakedumpfile}) {
    readers.push_back({reader, core.ok() ? WhyNot(reader, result.format, result.findings)
                                         : std::optional(std::string(core.status().message()))});
  }
  return readers;
}

}  // namespace vmm
