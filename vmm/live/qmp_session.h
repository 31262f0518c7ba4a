// One client of the monitor: QEMU's Machine Protocol, as far as clients use it on a guest that is to be looked into.
// docs/live.md lists the commands; docs/interop/qmp-spec of QEMU has the rules of the protocol.
#ifndef VMM_LIVE_QMP_SESSION_H_
#define VMM_LIVE_QMP_SESSION_H_

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/unique_fd.h"
#include "nlohmann/json.hpp"
#include "vmm/live/json_stream.h"
#include "vmm/live/live_guest.h"

namespace vmm {

// Used on the run's thread. The client is another program of the user's, and is not trusted to be right.
class QmpSession {
 public:
  using Json = nlohmann::ordered_json;

  static constexpr size_t kMaxFds = 16;          // kept by getfd
  static constexpr size_t kMaxOutput = 4 << 20;  // bytes that a client has not read; more ends the session

  // `tell` carries an event to all sessions, this one included. Both must outlive the object.
  QmpSession(LiveGuest& guest, std::function<void(std::string_view event, Json data)> tell);

  // Bytes from the client, with the descriptors that came with them.
  void Receive(std::string_view bytes, std::vector<UniqueFd> fds);

  // Tells the client of an event, once it has negotiated.
  void Tell(std::string_view event, const Json& data);

  // Bytes for the client. The owner of the connection removes those that it has sent.
  std::string& output() { return output_; }

  // Descriptors that came by SCM_RIGHTS: getfd names the oldest one, a command that uses one takes it.
  absl::Status NameReceivedFd(const std::string& name);
  absl::StatusOr<UniqueFd> TakeNamedFd(const std::string& name);

  // To all sessions.
  void TellAll(std::string_view event, Json data) { tell_(event, std::move(data)); }
  void End() { ended_ = true; }

  // The answer of query-dump.
  Json last_dump = {{"status", "none"}, {"completed", 0}, {"total", 0}};

  // True if the session must end, when the output is out.
  bool ended() const { return ended_; }

 private:
  void Execute(const std::string& text);
  Json Answer(const Json& request);
  Json Run(const std::string& command, const Json& arguments);
  void Send(const Json& message);

  LiveGuest& guest_;
  std::function<void(std::string_view, Json)> tell_;
  JsonStream stream_;
  std::deque<UniqueFd> received_;          // not yet named by getfd
  std::map<std::string, UniqueFd> named_;  // by getfd
  std::string output_;
  bool negotiated_ = false;
  bool ended_ = false;
};

}  // namespace vmm

#endif  // VMM_LIVE_QMP_SESSION_H_
