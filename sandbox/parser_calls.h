// A filter of system calls for a process that reads what a guest or a stranger wrote. A short list needs no library,
// and the filter can be made at any time: libseccomp, which vmm/sandbox uses, makes a file for that.
#ifndef SANDBOX_PARSER_CALLS_H_
#define SANDBOX_PARSER_CALLS_H_

#include <span>

#include "absl/status/status.h"

namespace vmm {

enum class ParserKind {
  kMemory,        // memory and open files in, one open descriptor out. Opens nothing, starts nothing
  kFiles,         // files in, open descriptors out. ConfineFiles() says which files
  kFilesToFiles,  // a new file out, too, perhaps by several threads
};

// Confines the calling thread, and threads that it starts, to the system calls of such a parser. Another one ends the
// process with SIGSYS. No page can be made executable. Under kMemory and kFiles the protection of memory stays as it
// is: mprotect() fails with ENOMEM, for which malloc is prepared. Needs no_new_privs.
//
// `answer_fd`: the one descriptor to which kMemory may write. It cannot map any file.
//
// Allocates nothing and locks nothing, so that a child of fork() may call it. Unimplemented if the kernel has no
// filters, or if this is a build with a sanitizer.
absl::Status ConfineParserCalls(ParserKind kind, int answer_fd = -1);

// Numbers of the system calls that are allowed without a look at their arguments; those of kMemory are among those of
// kFiles, and those of kFiles among those of kFilesToFiles. The rest of each list is in the code.
std::span<const int> ParserCalls(ParserKind kind);

}  // namespace vmm

#endif  // SANDBOX_PARSER_CALLS_H_
