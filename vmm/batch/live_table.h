// The runs of a batch that are running, redrawn in place at the foot of a terminal.
#ifndef VMM_BATCH_LIVE_TABLE_H_
#define VMM_BATCH_LIVE_TABLE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace vmm {

struct TableStatus {
  struct Run {
    std::string name;
    absl::Duration since;
  };
  std::vector<Run> running;
  size_t ended = 0, total = 0, failed = 0;
};

// The lines of the table, each at most `width` columns: the longest-running first, then the totals.
std::vector<std::string> TableLines(const TableStatus& status, size_t width, size_t height);

// Used by one thread. Draws nothing if standard error is not a terminal.
class LiveTable {
 public:
  LiveTable();

  bool live() const { return live_; }
  void Draw(const TableStatus& status);
  void Clear();  // before other lines are written

 private:
  bool live_;
  size_t drawn_ = 0;  // lines
};

}  // namespace vmm

#endif  // VMM_BATCH_LIVE_TABLE_H_
