// One ELF note of a core, as plain data.
#ifndef DUMP_SNAPSHOT_CORE_NOTE_H_
#define DUMP_SNAPSHOT_CORE_NOTE_H_

#include <cstdint>
#include <string>

namespace vmm {

struct CoreNote {
  std::string name;  // without its NUL
  uint32_t type = 0;
  std::string desc;  // bytes
};

}  // namespace vmm

#endif  // DUMP_SNAPSHOT_CORE_NOTE_H_
