// A real browser, Debian's Chromium without a window, driven by its DevTools protocol over a pair of pipes
// (--remote-debugging-pipe): for tests that ask what a page truly becomes.
#ifndef DUMP_HTML_TESTING_BROWSER_H_
#define DUMP_HTML_TESTING_BROWSER_H_

#include <sys/types.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace vmm {

// For one thread. Each call ends after a minute at the latest; what went wrong is a failure of the test.
class Browser {
 public:
  // The program, or "" where none is installed.
  static std::string Find();

  // REQUIRES: Find() found one.
  static std::unique_ptr<Browser> Start();
  ~Browser();

  // Loads the page, and returns when it has loaded and its scripts have run.
  void Open(const std::string& path);

  // The value of an expression in the page.
  nlohmann::json Evaluate(const std::string& expression);

  // A method of the protocol, on the page: "Emulation.setEmulatedMedia".
  nlohmann::json Call(const std::string& method, const nlohmann::json& parameters = nlohmann::json::object());

  // Errors and warnings on the page's console, breaches of its policy, exceptions of its scripts, and requests for
  // anything but the page itself, since Open().
  const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  Browser(pid_t pid, UniqueFd to, UniqueFd from) : pid_(pid), to_(std::move(to)), from_(std::move(from)) {}

  nlohmann::json Ask(nlohmann::json request);
  nlohmann::json Next();  // the browser's next message; null at its end, or when a minute is over
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
