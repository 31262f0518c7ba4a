// Puts the cause of a death into one sentence.
#ifndef DUMP_CAUSE_WHY_H_
#define DUMP_CAUSE_WHY_H_

#include "dump/cause/cause.h"

namespace vmm {

// Sets `why` and `certainty` from the other fields of `cause`. Leaves them alone if those do not say enough.
void ExplainWhy(const KernelReport& report, Cause& cause);

}  // namespace vmm

#endif  // DUMP_CAUSE_WHY_H_
