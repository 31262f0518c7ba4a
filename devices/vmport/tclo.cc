#include "devices/vmport/tclo.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "devices/vmport/abi/vmport_abi.h"

namespace vmm {
namespace {

constexpr std::string_view kReset = "reset";
constexpr std::string_view kRegister = "Capabilities_Register";
constexpr std::string_view kAtr = "ATR ";  // the answer to "reset"
constexpr std::string_view kToolbox = "toolbox";

// "OK" or "OK data". Sets `text` to what follows the word.
bool StartsWithWord(std::string_view answer, std::string_view word, std::string_view& text) {
  if (!answer.starts_with(word)) return false;
  text = answer.substr(word.size());
  if (text.empty()) return true;
  if (text[0] != ' ') return false;
  text.remove_prefix(1);
  return true;
}

TcloResult::Outcome Parse(std::string_view answer, std::string_view& text) {
  if (answer.ends_with('\0')) answer.remove_suffix(1);
  if (StartsWithWord(answer, "OK", text)) return TcloResult::Outcome::kOk;
  if (StartsWithWord(answer, "ERROR", text)) return TcloResult::Outcome::kError;
  text = answer;
  return TcloResult::Outcome::kBadAnswer;
}

}  // namespace

void Tclo::Opened(uint16_t channel, absl::Duration now) {
  Peer& peer = peers_[channel];
  peer.program.last_poll = now;
  peer.program.last_answer = now;
  peer.queue.push_back({Kind::kReset, 0, false, now, std::string(kReset)});
}

void Tclo::Closed(uint16_t channel) {
  const auto it = peers_.find(channel);
  if (it == peers_.end()) return;
  const Peer peer = std::move(it->second);
  peers_.erase(it);
  if (peer.in_flight) Report(*peer.in_flight, TcloResult::Outcome::kClosed, "");
  for (const Request& request : peer.queue) Report(request, TcloResult::Outcome::kClosed, "");
}

std::optional<std::string> Tclo::Polled(uint16_t channel, std::string_view answer, bool waits, absl::Duration now) {
  const auto it = peers_.find(channel);
  if (it == peers_.end()) return std::nullopt;
  Peer& peer = it->second;
  peer.program.last_poll = now;
  const bool answers = peer.in_flight.has_value() && !waits;
  if (!answers && !answer.empty()) ++unexpected_answers_;
  if (waits) return std::nullopt;
  if (answers) {
    const Request request = *std::exchange(peer.in_flight, std::nullopt);
    Answered(peer, request, answer, now);
  }
  if (peer.queue.empty()) return std::nullopt;
  peer.in_flight = std::move(peer.queue.front());
  peer.queue.pop_front();
  return peer.in_flight->text;
}

void Tclo::Answered(Peer& peer, const Request& request, std::string_view answer, absl::Duration now) {
  std::string_view text;
  const TcloResult::Outcome outcome = Parse(answer, text);
  if (outcome != TcloResult::Outcome::kBadAnswer) peer.program.last_answer = now;
  Report(request, outcome, text);
  if (request.kind != Kind::kReset || outcome != TcloResult::Outcome::kOk || !text.starts_with(kAtr)) return;
  peer.program.name = std::string(text.substr(kAtr.size(), kMaxNameSize));
  peer.queue.push_back({Kind::kRegister, 0, false, now, std::string(kRegister)});
}

absl::StatusOr<uint64_t> Tclo::Send(std::string request, absl::Duration now) {
  if (request.empty() || request.size() > kMaxRequest) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "a request to the guest's tools has %d bytes: 1 to %d are possible", request.size(), kMaxRequest));
  }
  const auto found = FindTools(now);
  if (found == peers_.end()) {
    return absl::FailedPreconditionError(
        "no VMware tools answer in the guest: vmtoolsd does not run there, or has not polled for 15 s");
  }
  Peer& peer = peers_.at(found->first);
  if (peer.queue.size() + (peer.in_flight ? 1 : 0) >= kMaxPending) {
    return absl::ResourceExhaustedError(absl::StrFormat("%d requests wait for the guest's tools already", kMaxPending));
  }
  const uint64_t id = next_id_++;
  peer.queue.push_back({Kind::kHost, id, false, now, std::move(request)});
  return id;
}

void Tclo::Expire(absl::Duration now, const std::function<bool(uint16_t channel)>& withdraw) {
  const auto is_late = [now](const Request& request) {
    return request.kind == Kind::kHost && !request.timed_out && now - request.sent > kRequestTimeout;
  };
  for (auto& [channel, peer] : peers_) {
    if (peer.in_flight && is_late(*peer.in_flight)) {
      Report(*peer.in_flight, TcloResult::Outcome::kTimedOut, "");
      peer.in_flight->timed_out = true;
      if (withdraw(channel)) peer.in_flight.reset();
    }
    while (!peer.queue.empty() && is_late(peer.queue.front())) {
      Report(peer.queue.front(), TcloResult::Outcome::kTimedOut, "");
      peer.queue.pop_front();
    }
  }
}

std::vector<TcloResult> Tclo::TakeResults() {
  std::vector<TcloResult> results(std::make_move_iterator(results_.begin()), std::make_move_iterator(results_.end()));
  results_.clear();
  return results;
}

std::optional<Tclo::Program> Tclo::Tools(absl::Duration now) const {
  const auto it = FindTools(now);
  if (it == peers_.end()) return std::nullopt;
  return it->second.program;
}

std::map<uint16_t, Tclo::Peer>::const_iterator Tclo::FindTools(absl::Duration now) const {
  auto tools = peers_.end();
  for (auto it = peers_.begin(); it != peers_.end(); ++it) {
    const Program& program = it->second.program;
    if (program.name.empty() || now - program.last_poll > kAlive) continue;
    if (program.name == kToolbox) return it;
    if (tools == peers_.end()) tools = it;
  }
  return tools;
}

void Tclo::Report(const Request& request, TcloResult::Outcome outcome, std::string_view text) {
  if (request.kind != Kind::kHost || request.timed_out) return;
  if (results_.size() == kMaxResults) {
    results_.pop_front();
    ++results_dropped_;
  }
  results_.push_back({request.id, outcome, std::string(text.substr(0, kMaxText))});
}

size_t Tclo::bytes_held() const {
  size_t bytes = 0;
  for (const TcloResult& result : results_) bytes += result.text.size();
  for (const auto& [channel, peer] : peers_) {
    bytes += peer.program.name.size();
    if (peer.in_flight) bytes += peer.in_flight->text.size();
    for (const Request& request : peer.queue) bytes += request.text.size();
  }
  return bytes;
}

std::vector<uint16_t> Tclo::channels() const {
  std::vector<uint16_t> channels;
  for (const auto& [channel, peer] : peers_) channels.push_back(channel);
  return channels;
}

void Tclo::SaveRequest(StateWriter& writer, const Request& request, absl::Duration now) {
  writer.U32(static_cast<uint32_t>(request.kind));
  writer.U64(request.id);
  writer.Bool(request.timed_out);
  writer.Age(request.sent, now);
  writer.Bytes(request.text);
}

Tclo::Request Tclo::LoadRequest(StateReader& reader, absl::Duration now) {
  Request request;
  request.kind = static_cast<Kind>(reader.Count(static_cast<uint32_t>(Kind::kHost), "a kind of request"));
  request.id = reader.U64();
  request.timed_out = reader.Bool("whether a request has timed out");
  request.sent = reader.Age(now);
  request.text = reader.Bytes(kMaxRequest, "a request to the tools");
  reader.Require(!request.text.empty(), "an empty request to the tools");
  return request;
}

void Tclo::Save(StateWriter& writer, absl::Duration now) const {
  writer.U64(next_id_);
  writer.U64(results_dropped_);
  writer.U64(unexpected_answers_);
  writer.U32(static_cast<uint32_t>(results_.size()));
  for (const TcloResult& result : results_) {
    writer.U64(result.id);
    writer.U32(static_cast<uint32_t>(result.outcome));
    writer.Bytes(result.text);
  }
  writer.U32(static_cast<uint32_t>(peers_.size()));
  for (const auto& [channel, peer] : peers_) {
    writer.U16(channel);
    writer.Bytes(peer.program.name);
    writer.Age(peer.program.last_poll, now);
    writer.Age(peer.program.last_answer, now);
    writer.Bool(peer.in_flight.has_value());
    if (peer.in_flight) SaveRequest(writer, *peer.in_flight, now);
    writer.U32(static_cast<uint32_t>(peer.queue.size()));
    for (const Request& request : peer.queue) SaveRequest(writer, request, now);
  }
}

Tclo Tclo::Load(StateReader& reader, absl::Duration now) {
  Tclo tclo;
  tclo.next_id_ = reader.U64();
  tclo.results_dropped_ = reader.U64();
  tclo.unexpected_answers_ = reader.U64();
  const uint32_t results = reader.Count(kMaxResults, "results of requests");
  for (uint32_t i = 0; i < results && reader.status().ok(); ++i) {
    TcloResult result;
    result.id = reader.U64();
    result.outcome = static_cast<TcloResult::Outcome>(
        reader.Count(static_cast<uint32_t>(TcloResult::Outcome::kClosed), "an outcome of a request"));
    result.text = reader.Bytes(kMaxText, "an answer of the tools");
    tclo.results_.push_back(std::move(result));
  }
  const uint32_t peers = reader.Count(kMaxChannels, "programs that poll");
  for (uint32_t i = 0; i < peers && reader.status().ok(); ++i) {
    const uint16_t channel = reader.U16();
    reader.Require(tclo.peers_.empty() || channel > tclo.peers_.rbegin()->first, "programs that poll out of order");
    Peer peer;
    peer.program.name = reader.Bytes(kMaxNameSize, "the name of a program that polls");
    peer.program.last_poll = reader.Age(now);
    peer.program.last_answer = reader.Age(now);
    if (reader.Bool("whether a request is in flight")) peer.in_flight = LoadRequest(reader, now);
    const uint32_t queued = reader.Count(kMaxPending, "requests that wait");
    for (uint32_t j = 0; j < queued && reader.status().ok(); ++j) peer.queue.push_back(LoadRequest(reader, now));
    tclo.peers_.emplace(channel, std::move(peer));
  }
  return tclo;
}

}  // namespace vmm
