#include "dump/html/testing/browser.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "gtest/gtest.h"

namespace vmm {
namespace {

using Json = nlohmann::json;

constexpr int kPatienceMs = 60'000;

// The browser's own descriptors for the protocol.
constexpr int kItsInput = 3, kItsOutput = 4;

[[noreturn]] void BecomeBrowser(const std::string& program, int in, int out) {
  // Move both out of the way first: each may have the number that the other needs.
  const int far_in = fcntl(in, F_DUPFD, 10), far_out = fcntl(out, F_DUPFD, 10);
  dup2(far_in, kItsInput);
  dup2(far_out, kItsOutput);
  const std::string home = ::testing::TempDir() + "/browser";
  setenv("HOME", home.c_str(), 1);
  const std::string profile = "--user-data-dir=" + home;
  // No sandbox: tests may run as root, which Chromium's sandbox refuses. No GPU and no /dev/shm: the tests' own sandbox
  // lacks them.
  execl(program.c_str(), program.c_str(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--no-first-run", "--window-size=1280,900", "--remote-debugging-pipe", profile.c_str(), nullptr);
  _exit(127);
}

}  // namespace

std::string Browser::Find() {
  for (const char* program : {"/usr/bin/chromium-headless-shell", "/usr/bin/chromium"}) {
    if (access(program, X_OK) == 0) return program;
  }
  return "";
}

std::unique_ptr<Browser> Browser::Start() {
  std::array<int, 2> in, out;
  EXPECT_EQ(pipe2(in.data(), O_CLOEXEC), 0);
  EXPECT_EQ(pipe2(out.data(), O_CLOEXEC), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    setpgid(0, 0);  // a process group, because it has children of its own
    BecomeBrowser(Find(), in[0], out[1]);
  }
  close(in[0]);
  close(out[1]);
  std::unique_ptr<Browser> browser(new Browser(pid, UniqueFd(in[1]), UniqueFd(out[0])));
  const Json target =
      browser->Ask({{"method", "Target.createTarget"}, {"params", {{"url", "about:blank"}}}})["targetId"];
  browser->session_ =
      browser->Ask({{"method", "Target.attachToTarget"}, {"params", {{"targetId", target}, {"flatten", true}}}})
          .value("sessionId", "");
  EXPECT_FALSE(browser->session_.empty()) << "the browser did not answer";
  for (const char* domain : {"Page", "Runtime", "Log", "Network"}) browser->Call(std::string(domain) + ".enable");
  return browser;
}

Browser::~Browser() {
  kill(-pid_, SIGKILL);
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void Browser::Open(const std::string& path) {
  url_ = "file://" + path;
  loaded_ = false;
  complaints_.clear();
  Call("Page.navigate", {{"url", url_}});
  while (!loaded_) {
    const Json event = Next();
    if (event.is_null()) {
      ADD_FAILURE() << url_ << " did not load";
      return;
    }
    TakeEvent(event);
  }
}

Json Browser::Evaluate(const std::string& expression) {
  const Json answer = Call("Runtime.evaluate", {{"expression", expression}, {"returnByValue", true}});
  EXPECT_FALSE(answer.contains("exceptionDetails")) << expression << "\n" << answer.dump(2);
  return answer.contains("result") ? answer["result"].value("value", Json()) : Json();
}

Json Browser::Call(const std::string& method, const Json& parameters) {
  return Ask({{"method", method}, {"params", parameters}, {"sessionId", session_}});
}

Json Browser::Ask(Json request) {
  request["id"] = ++last_id_;
  const std::string text = request.dump() + '\0';
  EXPECT_EQ(write(to_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  for (;;) {
    const Json message = Next();
    if (message.is_null()) {
      ADD_FAILURE() << "no answer to " << request.dump();
      return Json::object();
    }
    if (message.value("id", 0) != last_id_) {
      TakeEvent(message);
      continue;
    }
    EXPECT_FALSE(message.contains("error")) << request.dump() << "\n" << message.dump();
    return message.value("result", Json::object());
  }
}

Json Browser::Next() {
  for (;;) {
    if (const size_t end = received_.find('\0'); end != received_.npos) {
      Json message = Json::parse(received_.substr(0, end), nullptr, /*allow_exceptions=*/false);
      received_.erase(0, end + 1);
      return message;
    }
    pollfd wait{from_.get(), POLLIN, 0};
    if (poll(&wait, 1, kPatienceMs) <= 0) return nullptr;
    std::array<char, 65536> chunk;
    const ssize_t got = read(from_.get(), chunk.data(), chunk.size());
    if (got <= 0) return nullptr;
    received_.append(chunk.data(), static_cast<size_t>(got));
  }
}

void Browser::TakeEvent(const Json& event) {
  const std::string method = event.value("method", "");
  const Json parameters = event.value("params", Json::object());
  if (method == "Page.loadEventFired") loaded_ = true;
  if (method == "Log.entryAdded") complaints_.push_back(parameters["entry"].value("text", "?"));
  if (method == "Runtime.exceptionThrown" || method == "Runtime.consoleAPICalled") complaints_.push_back(event.dump());
  if (method == "Network.requestWillBeSent" && parameters["request"].value("url", "") != url_) {
    complaints_.push_back("asks for " + parameters["request"].value("url", "?"));
  }
}

}  // namespace vmm
