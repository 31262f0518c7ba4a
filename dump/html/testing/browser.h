// Drives a real browser, Debian's headless Chromium, by its DevTools protocol over a pair of pipes
// (--remote-debugging-pipe), for tests of the page as a browser shows it.
#ifndef DUMP_HTML_TESTING_BROWSER_H_
#define DUMP_HTML_TESTING_BROWSER_H_

#include <sys/types.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace vmm {

// For one thread. Each call ends after at most a minute. Errors are failures of the test.
class Browser {
 public:
  // The program's path. "": none is installed.
  static std::string Find();

  // REQUIRES: Find() found one.
  static std::unique_ptr<Browser> Start();
  ~Browser();

  // Loads the page. Returns after it has loaded and its scripts have run.
  void Open(const std::string& path);

  // Returns the value of an expression in the page.
  nlohmann::json Evaluate(const std::string& expression);

  // Calls a method of the protocol on the page, such as "Emulation.setEmulatedMedia".
  nlohmann::json Call(const std::string& method, const nlohmann::json& parameters = nlohmann::json::object());

  // Complaints since Open(): errors and warnings on the page's console, violations of its policy, exceptions in its
  // scripts, and requests for anything but the page itself.
  const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  Browser(pid_t pid, UniqueFd to, UniqueFd from) : pid_(pid), to_(std::move(to)), from_(std::move(from)) {}

  nlohmann::json Ask(nlohmann::json request);
  nlohmann::json Next();  // the browser's next message; null at its end, or after a minute
  void TakeEvent(const nlohmann::json& event);

  const pid_t pid_;
  const UniqueFd to_, from_;
  std::string received_;
  int last_id_ = 0;
  std::string session_;
  std::string url_;
  bool loaded_ = false;
  std::vector<std::string> complaints_;
};

}  // namespace vmm

#endif  // DUMP_HTML_TESTING_BROWSER_H_
