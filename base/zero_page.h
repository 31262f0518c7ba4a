// Tests whether a page is all zeros. This test keeps dumps and guests small.
#ifndef BASE_ZERO_PAGE_H_
#define BASE_ZERO_PAGE_H_

#include <cstdint>
#include <cstring>

#include "base/guest_addr.h"

namespace vmm {

// True if all kPageSize bytes from `page` on are zero. It runs at memory speed: libc has vector code for memcmp. A page
// that equals itself shifted by 8 bytes repeats its first 8 bytes throughout.
inline bool IsZeroPage(const uint8_t* page) {
  uint64_t first = 0;
  std::memcpy(&first, page, sizeof(first));
  return first == 0 && std::memcmp(page, page + sizeof(first), kPageSize - sizeof(first)) == 0;
}

}  // namespace vmm

#endif  // BASE_ZERO_PAGE_H_
