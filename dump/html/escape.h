// Escapes text from a dump for HTML. Guest text must never become markup.
#ifndef DUMP_HTML_ESCAPE_H_
#define DUMP_HTML_ESCAPE_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace vmm {

// Returns `text` in ASCII, safe between tags and in quoted attributes. & < > " ' become references. Every byte that is
// not printable ASCII becomes \xNN; a newline too, unless `lines`. A tab becomes a space. Text longer than `limit`
// bytes is cut there and ends in "...".
std::string Escape(std::string_view text, bool lines = false, size_t limit = 1000);

}  // namespace vmm

#endif  // DUMP_HTML_ESCAPE_H_
