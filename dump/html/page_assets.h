// The page's style sheet and script (page.css, page.js), and their hashes for its policy.
#ifndef DUMP_HTML_PAGE_ASSETS_H_
#define DUMP_HTML_PAGE_ASSETS_H_

#include <string_view>

namespace vmm {

#include "dump/html/page_assets.inc"  // made by embed.py

}  // namespace vmm

#endif  // DUMP_HTML_PAGE_ASSETS_H_
