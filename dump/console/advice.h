// What to do next about each kind of trouble.
#ifndef DUMP_CONSOLE_ADVICE_H_
#define DUMP_CONSOLE_ADVICE_H_

#include <string_view>

#include "dump/console/headlines.h"

namespace vmm {

// One sentence for a person who has a dump and has not seen such a report before.
std::string_view NextStep(TroubleKind kind);

}  // namespace vmm

#endif  // DUMP_CONSOLE_ADVICE_H_
