#include "dump/check/check_vmcore.h"

#include <algorithm>
#include <utility>

#include "dump/check/check_headers.h"
#include "dump/check/check_kernel.h"
#include "dump/check/check_notes.h"
#include "dump/check/check_overlaps.h"
#include "dump/read/kernel_of.h"

namespace vmm {
namespace {

// Looks for the fact that ReadKdump() records.
bool IsFlattened(const Vmcore& core) {
  const auto& facts = core.facts();
  return std::find(facts.begin(), facts.end(), std::pair<std::string, std::string>("flattened", "yes")) != facts.end();
}

std::vector<Breakage> BreaksAll(Harm harm, const std::string& how) {
  std::vector<Breakage> breaks;
  for (const Reader reader : kAllReaders) breaks.push_back({reader, harm, how});
  return breaks;
}

std::vector<Breakage> BreaksOf(const VmcoreFault& fault) {
  if (fault.rule != "vmcoreinfo-damaged") return BreaksAll(Harm::kWrong, "what is missing there cannot be read");
  return {{Reader::kCrash, Harm::kWrong, "it does not know the kernel's release"},
          {Reader::kDrgn, Harm::kRefused, "it wants an OSRELEASE"},
          {Reader::kMakedumpfile, Harm::kRefused, "it wants an OSRELEASE"}};
}

void Append(std::vector<Finding>& all, std::vector<Finding> more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

CheckResult CheckVmcore(const Vmcore& core) { return CheckVmcore(core, KernelOf(core)); }

CheckResult CheckVmcore(const Vmcore& core, const FoundKernel& kernel) {
  CheckResult result;
  result.format = core.format();
  if (core.cut_short().has_value()) {
    result.findings.push_back({"truncated", "the file " + core.cut_short()->Text(),
                               BreaksAll(Harm::kWrong, "what is missing there cannot be read")});
  }
  for (const VmcoreFault& fault : core.faults()) {
    if (fault.rule == "truncated" && core.cut_short().has_value()) continue;  // it follows from that
    result.findings.push_back({fault.rule, fault.what, BreaksOf(fault)});
  }
  if (IsFlattened(core)) {
    result.findings.push_back({"flattened",
                               "the file is flattened, as for a pipe; makedumpfile -R makes a plain one of it",
                               {{Reader::kDrgn, Harm::kRefused, "libkdumpfile before 0.5.3 cannot open it"},
                                {Reader::kMakedumpfile, Harm::kRefused, "as input it wants a plain file"},
                                {Reader::kLibkdumpfile, Harm::kRefused, "before 0.5.3 it cannot open it"}}});
  }
  if (core.elf() != nullptr) {
    Append(result.findings, CheckHeaders(*core.elf()));
    Append(result.findings, CheckOverlaps(core.bytes(), *core.elf()));
  }
  Append(result.findings, CheckNotes(core));
  // A Xen machine's core has no kernel at the addresses that the other checks are about.
  if (!IsXenMachines(core)) Append(result.findings, CheckKernel(core, kernel));
  return result;
}

CheckResult CheckUnreadable(const absl::Status& why) {
  CheckResult result;
  result.opened = false;
  result.findings.push_back({IsCutShort(why) ? "truncated" : "unreadable", std::string(why.message()),
                             BreaksAll(Harm::kRefused, "there is no dump in it that can be read")});
  return result;
}

CheckResult CheckVmcoreFile(const std::string& path) {
  const auto core = Vmcore::Open(path);
  return core.ok() ? CheckVmcore(**core) : CheckUnreadable(core.status());
}

}  // namespace vmm
