// A batch's results for people and for CI systems.
#ifndef VMM_BATCH_SUMMARY_H_
#define VMM_BATCH_SUMMARY_H_

#include <string>

#include "vmm/batch/results.h"

namespace vmm {

// One suite, named like the batch's file; a case for each run of the shard. What a kernel or vmm died of is an
// <error>; a run that did not take place is skipped.
std::string BatchJunit(const BatchResults& results);

// One page, without scripts and without files beside it but the runs' own, to which it links. Failures are grouped by
// their signature, the most frequent first.
std::string BatchHtml(const BatchResults& results);

// "38 passed, 1 failed, 1 not run of 40". Runs of other shards are left out.
std::string BatchLine(const BatchResults& results);

}  // namespace vmm

#endif  // VMM_BATCH_SUMMARY_H_
