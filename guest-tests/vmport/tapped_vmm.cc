// vmm with a tap on its backdoor, to test the backdoor's clients. All flags are vmm's.
//
// The guest chooses a trick by setting guestinfo.trick; it holds from the next conversation on:
//   trace            each IN, as asked and as answered, on stderr
//   refuse-cookies   OPEN with a cookie fails
//   cpt              the n-th conversation's n-th IN that carries or ends a message gets CPT as its answer
//   exact, checkpoint   saves and restores the backdoor before the n-th conversation's n-th IN
//   none
// VMPORT_ASK=ping,OS_Reboot in the environment sends these to the tools as soon as they are there.
#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/log.h"
#include "base/result_file.h"
#include "devices/vmport/backdoor.h"
#include "vmm/cli/flags.h"
#include "vmm/outcome/result_json.h"
#include "vmm/run/run_vm.h"

namespace vmm {
namespace {

uint16_t TypeOf(const BackdoorRegisters& registers) { return static_cast<uint16_t>(registers.ecx >> 16); }
bool IsMessage(const BackdoorRegisters& registers) { return (registers.ecx & 0xffff) == kCmdMessage; }

class Tap {
 public:
  explicit Tap(std::vector<std::string> asks) : asks_(std::move(asks)) {}

  void operator()(Backdoor& backdoor, BackdoorRegisters& registers) {
    Ask(backdoor);
    const BackdoorRegisters asked = registers;
    if (!Play(backdoor, registers)) backdoor.Answer(registers);
    if (trick_ == "trace") {
      LogInfo(absl::StrFormat("trace %08x %08x -> %08x %08x %08x", asked.ecx, asked.ebx, registers.ecx, registers.ebx,
                              registers.edx));
    }
    ++in_;
    if (IsMessage(asked) && TypeOf(asked) == kMessageClose) EndConversation(backdoor);
  }

 private:
  // True if the trick answered the IN.
  bool Play(Backdoor& backdoor, BackdoorRegisters& registers) {
    if ((trick_ == "exact" || trick_ == "checkpoint") && in_ == conversation_) {
      const auto mode = trick_ == "exact" ? Backdoor::RestoreMode::kExact : Backdoor::RestoreMode::kCheckpoint;
      const absl::Status status = backdoor.Restore(backdoor.Save(), mode);
      LogInfo(absl::StrFormat("restored %s before IN %d: %s", trick_, in_, status.ToString()));
    }
    if (!IsMessage(registers)) return false;
    const uint16_t type = TypeOf(registers);
    if (trick_ == "refuse-cookies" && type == kMessageOpen && (registers.ebx & kMessageFlagCookie) != 0) {
      LogInfo("cookie refused");
      registers.ecx = kCmdMessage;
      return true;
    }
    const bool in_message = type == kMessageSendPayload || type == kMessageRecvPayload || type == kMessageRecvStatus;
    if (trick_ == "cpt" && in_message && in_message_++ == conversation_) {
      LogInfo(absl::StrFormat("cpt at IN %d, type %d", in_, type));
      registers.ecx = uint32_t{kStatusCpt} << 16 | kCmdMessage;
      return true;
    }
    return false;
  }

  void EndConversation(Backdoor& backdoor) {
    in_ = in_message_ = 0;
    ++conversation_;
    const auto info = backdoor.GuestInfo();
    const auto trick = info.find("trick");
    const std::string name = trick == info.end() ? "none" : trick->second.value;
    if (name == trick_) return;
    trick_ = name;
    conversation_ = 0;
  }

  void Ask(Backdoor& backdoor) {
    if (asks_.empty() && waiting_ == 0) return;
    for (const TcloResult& result : backdoor.TakeResults()) {
      waiting_ = 0;
      LogInfo(absl::StrFormat("tools: %s: %s '%s', last answer %s ago, announced %d", asked_,
                              result.outcome == TcloResult::Outcome::kOk ? "OK" : "not OK", result.text,
                              absl::FormatDuration(backdoor.Tools().last_answer),
                              static_cast<int>(backdoor.Tools().info.last_change)));
    }
    if (waiting_ != 0 || asks_.empty() || !backdoor.Tools().running || backdoor.Tools().info.version == 0) return;
    asked_ = asks_.front();
    asks_.erase(asks_.begin());
    waiting_ = backdoor.Send(asked_).value_or(0);
  }

  // One vCPU at a time: the tests play tricks on one program only.
  std::string trick_ = "none";
  int conversation_ = 0;  // conversations since the trick began
  int in_ = 0;            // INs of this conversation
  int in_message_ = 0;    // INs of this conversation that carry or end a message
  std::vector<std::string> asks_;
  std::string asked_;
  uint64_t waiting_ = 0;
};

int Main(int argc, char** argv) {
  SetUpLog(/*verbose=*/false);
  absl::StatusOr<VmmInvocation> invocation = ParseCommandLine(argc, argv);
  if (!invocation.ok()) {
    LogInfo(invocation.status().ToString());
    return 125;
  }
  const char* const asks = std::getenv("VMPORT_ASK");
  Tap tap(asks == nullptr ? std::vector<std::string>() : absl::StrSplit(asks, ','));
  std::mutex mutex;
  invocation->config.vmware.tap = [&](Backdoor& backdoor, BackdoorRegisters& registers) {
    const std::lock_guard lock(mutex);
    tap(backdoor, registers);
  };
  RunOutcome outcome = RunVm(invocation->config);
  if (!invocation->config.result_path.empty()) {
    const auto record = ResultFile::Open(invocation->config.result_path);
    outcome.record_error = record.status();
    if (record.ok()) outcome.record_error = (*record)->Write(ResultJson(invocation->config, outcome), /*stop_fd=*/-1);
  }
  LogInfo(OutcomeLine(outcome));
  return ExitCodeOf(outcome);
}

}  // namespace
}  // namespace vmm

int main(int argc, char** argv) { return vmm::Main(argc, argv); }
