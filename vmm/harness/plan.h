// The plan by which the guest's init works: the records of channel.h's PLAN_PATH.
#ifndef VMM_HARNESS_PLAN_H_
#define VMM_HARNESS_PLAN_H_

#include <string>
#include <string_view>

#include "vmm/harness/channel.h"
#include "vmm/harness/root_tree.h"

namespace vmm {

class Plan {
 public:
  // REQUIRES: no NUL in `text`.
  void Add(PlanRecord kind, std::string_view text) {
    bytes_ += static_cast<char>(kind);
    bytes_ += text;
    bytes_ += '\0';
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// The text of a kPlanRoot record. /tmp is empty in the guest, unless the working folder or the program is in it.
std::string DescribeRoot(const RootTree& root, std::string_view working_folder, std::string_view program);

}  // namespace vmm

#endif  // VMM_HARNESS_PLAN_H_
