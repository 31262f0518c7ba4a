// Text out of a dump, for HTML. What a guest wrote must never become markup.
#ifndef DUMP_HTML_ESCAPE_H_
#define DUMP_HTML_ESCAPE_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace vmm {

// `text` in ASCII, good between tags and in quoted attributes: & < > " ' as references, every byte that is no
// printable ASCII as \xNN (a newline too, unless `lines`). At most `limit` bytes of it, then "...".
std::string Escape(std::string_view text, bool lines = false, size_t limit = 1000);

}  // namespace vmm

#endif  // DUMP_HTML_ESCAPE_H_
