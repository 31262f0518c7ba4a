// The test that keeps dumps and guests small: is this page nothing but zeros?
#ifndef BASE_ZERO_PAGE_H_
#define BASE_ZERO_PAGE_H_

#include <cstdint>
#include <cstring>

#include "base/guest_addr.h"

namespace vmm {

// True iff all kPageSize bytes from `page` on are zero. As fast as memory: libc has the vector
// code for memcmp, and a page that equals itself moved by 8 bytes is its first 8 bytes over and over.
inline bool IsZeroPage(const uint8_t* page) {
  uint64_t first = 0;
  std::memcpy(&first, page, sizeof(first));
  return first == 0 && std::memcmp(page, page + sizeof(first), kPageSize - sizeof(first)) == 0;
}

}  // namespace vmm

#endif  // BASE_ZERO_PAGE_H_
