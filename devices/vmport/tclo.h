// TCLO: the host asks, and the tools in the guest answer. There is no interrupt. The tools poll: each poll carries the
// answer to the previous request and fetches the next request.
//
// A channel begins with "reset", which its program answers with "OK ATR <name>", and then "Capabilities_Register". The
// host's requests go only to a program that has answered. They go to the one named "toolbox" (vmtoolsd) if it is there,
// because it handles the power requests.
#ifndef DEVICES_VMPORT_TCLO_H_
#define DEVICES_VMPORT_TCLO_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "devices/vmport/abi/vmport_abi.h"
#include "devices/vmport/vmport_state.h"

namespace vmm {

inline constexpr std::string_view kTcloPing = "ping";
inline constexpr std::string_view kTcloHalt = "OS_Halt";
inline constexpr std::string_view kTcloReboot = "OS_Reboot";
inline constexpr std::string_view kTcloPowerOn = "OS_PowerOn";
inline constexpr std::string_view kTcloSuspend = "OS_Suspend";
inline constexpr std::string_view kTcloResume = "OS_Resume";
// "Set_Option NAME VALUE"
inline constexpr std::string_view kTcloSetOption = "Set_Option";

// The outcome of one of the host's requests.
struct TcloResult {
  enum class Outcome : uint32_t {
    kOk,         // "OK"; `text` is the rest of the answer
    kError,      // "ERROR"; `text` likewise
    kBadAnswer,  // neither; `text` is the whole answer
    kTimedOut,   // a later answer is thrown away
    kClosed,     // the guest closed the channel, or was reset
  };
  uint64_t id = 0;  // as Send() returned it
  Outcome outcome = Outcome::kOk;
  std::string text;

  bool operator==(const TcloResult&) const = default;
};

// A value type: its owner locks. Times are on the guest's clock, since any fixed moment.
class Tclo {
 public:
  static constexpr size_t kMaxPending = 3;     // host requests that a channel keeps, including the one in flight
  static constexpr size_t kMaxRequest = 1024;  // bytes
  static constexpr size_t kMaxText = 1024;     // bytes that are kept of an answer
  static constexpr size_t kMaxResults = 64;    // results not yet taken; beyond it the oldest is dropped
  static constexpr size_t kMaxNameSize = 64;   // bytes of a program's name
  static constexpr absl::Duration kAlive = absl::Seconds(15);           // since the last poll
  static constexpr absl::Duration kRequestTimeout = absl::Seconds(30);  // from Send() to the answer

  struct Program {
    std::string name;  // empty until it has answered "reset"
    absl::Duration last_poll;
    absl::Duration last_answer;
  };

  void Opened(uint16_t channel, absl::Duration now);
  void Closed(uint16_t channel);

  // The guest polls with `answer`, which is empty if it has none. `waits`: the guest has not yet fetched what the last
  // poll returned. Returns the text to offer the guest now, if any.
  std::optional<std::string> Polled(uint16_t channel, std::string_view answer, bool waits, absl::Duration now);

  // Queues a request and returns the id that its result will have. FailedPrecondition: no tools answer in the guest.
  // ResourceExhausted: kMaxPending requests wait. InvalidArgument: the request is empty, or longer than kMaxRequest.
  absl::StatusOr<uint64_t> Send(std::string request, absl::Duration now);

  // Ends the requests that have waited for kRequestTimeout. `withdraw` takes back what a channel's last poll returned,
  // and returns true if the guest had not fetched it yet.
  void Expire(absl::Duration now, const std::function<bool(uint16_t channel)>& withdraw);

  // Moves the results out, oldest first.
  std::vector<TcloResult> TakeResults();
  uint64_t results_dropped() const { return results_dropped_; }
  uint64_t unexpected_answers() const { return unexpected_answers_; }  // that match no request

  // The program that Send() would ask, or nothing.
  std::optional<Program> Tools(absl::Duration now) const;

  void Save(StateWriter& writer, absl::Duration now) const;
  static Tclo Load(StateReader& reader, absl::Duration now);

  // Bytes of requests, answers and names. A channel has at most "reset", "Capabilities_Register" and the host's
  // requests. kMaxRequest is more than either of our own two.
  size_t bytes_held() const;
  static constexpr size_t kMaxBytesHeld =
      kMaxChannels * ((kMaxPending + 2) * kMaxRequest + kMaxNameSize) + kMaxResults * kMaxText;

  // The channels that Load() found. The caller compares them with the open ones.
  std::vector<uint16_t> channels() const;

 private:
  enum class Kind : uint32_t { kReset, kRegister, kHost };
  struct Request {
    Kind kind = Kind::kHost;
    uint64_t id = 0;
    bool timed_out = false;  // reported, but its answer may still come
    absl::Duration sent;
    std::string text;
  };
  struct Peer {
    Program program;
    std::optional<Request> in_flight;  // the last request that Polled() returned
    std::deque<Request> queue;
  };

  static Request LoadRequest(StateReader& reader, absl::Duration now);
  static void SaveRequest(StateWriter& writer, const Request& request, absl::Duration now);

  void Answered(Peer& peer, const Request& request, std::string_view answer, absl::Duration now);
  void Report(const Request& request, TcloResult::Outcome outcome, std::string_view text);
  std::map<uint16_t, Peer>::const_iterator FindTools(absl::Duration now) const;

  std::map<uint16_t, Peer> peers_;
  uint64_t next_id_ = 1;
  std::deque<TcloResult> results_;
  uint64_t results_dropped_ = 0;
  uint64_t unexpected_answers_ = 0;
};

}  // namespace vmm

#endif  // DEVICES_VMPORT_TCLO_H_
