#include "vmm/live/qmp_session.h"

#include <sys/time.h>

#include <utility>

#include "absl/strings/str_format.h"
#include "base/json_text.h"
#include "base/version.h"
#include "vmm/live/qmp_commands.h"

namespace vmm {
namespace {

using Json = QmpSession::Json;

// The version that clients ask for to learn which commands there are.
constexpr int kQemuMajor = 7, kQemuMinor = 2;

Json ErrorReply(std::string_view error_class, std::string_view text) {
  return {{"error", {{"class", std::string(error_class)}, {"desc", std::string(text)}}}};
}

}  // namespace

QmpSession::QmpSession(LiveGuest& guest, std::function<void(std::string_view, Json)> tell)
    : guest_(guest), tell_(std::move(tell)) {
  Send({{"QMP", {{"version", QmpVersion()}, {"capabilities", Json::array()}}}});
}

Json QmpVersion() {
  return {{"qemu", {{"micro", 0}, {"minor", kQemuMinor}, {"major", kQemuMajor}}},
          {"package", absl::StrFormat("vmm %s", kVersion)}};
}

void QmpSession::Receive(std::string_view bytes, std::vector<UniqueFd> fds) {
  for (UniqueFd& fd : fds) {
    if (received_.size() < kMaxFds) received_.push_back(std::move(fd));
  }
  for (const std::string& text : stream_.Add(bytes)) {
    if (!ended_) Execute(text);
  }
  if (!stream_.broken() || ended_) return;
  Send(ErrorReply("GenericError", absl::StrFormat("a request is longer than %d bytes, or nested deeper than %d",
                                                  JsonStream::kMaxObject, JsonStream::kMaxDepth)));
  ended_ = true;
}

void QmpSession::Execute(const std::string& text) {
  const Json request = Json::parse(text, /*cb=*/nullptr, /*allow_exceptions=*/false);
  if (request.is_discarded()) return Send(ErrorReply("GenericError", "JSON parse error"));
  Json answer = Answer(request);
  if (request.is_object() && request.contains("id")) answer["id"] = request["id"];
  Send(answer);
}

Json QmpSession::Answer(const Json& request) {
  if (!request.is_object()) return ErrorReply("GenericError", "QMP input must be a JSON object");
  for (const auto& [name, value] : request.items()) {
    if (name != "execute" && name != "arguments" && name != "id") {
      return ErrorReply("GenericError", absl::StrFormat("QMP input member '%s' is unexpected", name));
    }
  }
  if (!request.contains("execute") || !request["execute"].is_string()) {
    return ErrorReply("GenericError", "QMP input lacks member 'execute', a string");
  }
  const Json arguments = request.contains("arguments") ? request["arguments"] : Json::object();
  if (!arguments.is_object()) return ErrorReply("GenericError", "QMP input member 'arguments' must be an object");
  return Run(request["execute"].get<std::string>(), arguments);
}

Json QmpSession::Run(const std::string& command, const Json& arguments) {
  if (command == "qmp_capabilities") {
    if (negotiated_) {
      return ErrorReply("CommandNotFound", "Capabilities negotiation is already complete, command ignored");
    }
    negotiated_ = true;
    return {{"return", Json::object()}};
  }
  if (!negotiated_) {
    return ErrorReply("CommandNotFound", "Expecting capabilities negotiation with 'qmp_capabilities'");
  }
  const QmpCommand* const found = FindQmpCommand(command);
  if (found == nullptr) {
    return ErrorReply("CommandNotFound", absl::StrFormat("The command %s has not been found", command));
  }
  absl::StatusOr<Json> result = CheckArguments(*found, arguments);
  if (result.ok()) result = found->run({guest_, *this}, arguments);
  if (!result.ok()) return ErrorReply("GenericError", std::string(result.status().message()));
  return {{"return", *std::move(result)}};
}

void QmpSession::Tell(std::string_view event, const Json& data) {
  if (!negotiated_) return;
  timeval now;
  gettimeofday(&now, nullptr);
  Json message = {{"timestamp", {{"seconds", now.tv_sec}, {"microseconds", now.tv_usec}}},
                  {"event", std::string(event)}};
  if (!data.is_null()) message["data"] = data;
  Send(message);
}

// One line a message: drgn and virtme-ng take a line for a message.
void QmpSession::Send(const Json& message) {
  if (output_.size() > kMaxOutput) {
    ended_ = true;
    return;
  }
  output_ += JsonText(message, /*indent=*/-1, JsonCharset::kAscii) + "\r\n";
}

absl::StatusOr<UniqueFd> QmpSession::TakeNamedFd(const std::string& name) {
  const auto found = named_.find(name);
  if (found == named_.end()) {
    return absl::NotFoundError(absl::StrFormat("File descriptor named '%s' has not been found", name));
  }
  UniqueFd fd = std::move(found->second);
  named_.erase(found);
  return fd;
}

absl::Status QmpSession::NameReceivedFd(const std::string& name) {
  if (received_.empty()) return absl::InvalidArgumentError("No file descriptor supplied via SCM_RIGHTS");
  if (named_.size() >= kMaxFds)
    return absl::ResourceExhaustedError(absl::StrFormat("%d descriptors are kept", kMaxFds));
  named_[name] = std::move(received_.front());
  received_.pop_front();
  return absl::OkStatus();
}

}  // namespace vmm
