// A program of the host that does a device's work in a process of its own: virtiofsd, diod, passt.
#ifndef VMM_BACKEND_BACK_END_PROCESS_H_
#define VMM_BACKEND_BACK_END_PROCESS_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "base/unique_fd.h"

namespace vmm {

// What to run, and what it gets of ours.
struct BackEndPlan {
  std::string name;               // in front of its lines and in messages: "virtiofsd of /srv"
  std::vector<std::string> argv;  // argv[0] is a path
  // The descriptors that it gets, as 3, 4, ... in this order. No other descriptor of ours is open there.
  std::vector<int> descriptors;

  // A world of its own: mounts, no network, and a user namespace with the caller's user as its only one. Root goes
  // without a user namespace if the host forbids them.
  enum class World {
    kOurs,       // none
    kRootThere,  // the user is called root in there
    kNotRoot,    // the user keeps its number; root is called kNobody
  };
  static constexpr unsigned kNobody = 65534;
  World world = World::kOurs;
  // Not empty, and only with a world of its own: the path of a folder that is read-only in there, with all that is
  // mounted below it. No symbolic link may be in it.
  std::string read_only_folder;

  // Called on the process's thread, with each line of its output. Empty: the line goes to the log. Long output is cut.
  std::function<void(std::string_view line)> on_line;
};

// The process lives as long as this object, and dies with this program however that ends. Its standard input is empty,
// and what it prints comes to `on_line`.
class BackEndProcess {
 public:
  // Starts it. `on_end` is called on the process's thread, at most once, if it ends by itself; `how` reads "ended with
  // status 1". It is not called after the destructor has begun.
  //
  // REQUIRES: the calling thread lives as long as the process should: the kernel kills the process when that thread
  // ends.
  static absl::StatusOr<std::unique_ptr<BackEndProcess>> Start(BackEndPlan plan,
                                                               std::function<void(std::string how)> on_end);

  BackEndProcess(const BackEndProcess&) = delete;
  BackEndProcess& operator=(const BackEndProcess&) = delete;
  // Ends the process: SIGTERM, and a second later SIGKILL.
  ~BackEndProcess();

  const std::string& name() const { return plan_.name; }
  pid_t pid() const { return pid_; }

 private:
  BackEndProcess(BackEndPlan plan, std::function<void(std::string)> on_end, pid_t pid, UniqueFd output, UniqueFd stop);

  void Watch();  // the thread
  bool PassOutput();
  void PassLine(std::string_view line);
  // Waits for the process to end, for at most `milliseconds`. True: it has ended, and `status` is set.
  bool Wait(int milliseconds, int& status) const;
  void End() const;

  const BackEndPlan plan_;
  const std::function<void(std::string)> on_end_;
  const pid_t pid_;
  UniqueFd output_;
  const UniqueFd stop_;  // an eventfd: the destructor has begun

  // On the thread only.
  std::string line_;
  int lines_ = 0;

  std::thread thread_;  // last: it uses the others
};

// "ended with status 1" or "was killed by signal 9 (Killed)", of a status from waitpid(2).
std::string DescribeExit(int wait_status);

}  // namespace vmm

#endif  // VMM_BACKEND_BACK_END_PROCESS_H_
