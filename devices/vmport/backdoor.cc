#include "devices/vmport/backdoor.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "base/status.h"
#include "devices/vmport/rpci.h"

namespace vmm {
namespace {

uint16_t Low(uint32_t value) { return static_cast<uint16_t>(value); }
uint16_t High(uint32_t value) { return static_cast<uint16_t>(value >> 16); }
uint32_t WithHigh(uint32_t value, uint16_t high) { return uint32_t{high} << 16 | Low(value); }

struct Instant {
  int64_t seconds;  // since 1970
  uint32_t microseconds;
};

Instant Split(absl::Time time) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  const absl::Duration rest = time - absl::FromUnixSeconds(seconds);
  return {seconds, static_cast<uint32_t>(absl::ToInt64Microseconds(rest))};
}

BackdoorConfig WithLimits(BackdoorConfig config) {
  if (config.machine_id.size() > GuestInfoStore::kMaxValueSize) {
    config.machine_id.resize(GuestInfoStore::kMaxValueSize);
  }
  return config;
}

}  // namespace

bool KernelRandom(std::span<uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(got));
  }
  return true;
}

Backdoor::Backdoor(BackdoorConfig config, const Clock& clock, std::function<absl::Duration()> elapsed,
                   RandomSource random)
    : config_(WithLimits(std::move(config))), clock_(clock), elapsed_(std::move(elapsed)), random_(std::move(random)) {}

void Backdoor::In(uint64_t offset, size_t size, BackdoorRegisters& registers) {
  const uint32_t before = registers.eax;
  if (offset == 0 && size == 4 && config_.tap) {
    config_.tap(*this, registers);
  } else if (offset == 0) {
    Answer(registers);
  } else {
    registers.eax = kBackdoorRefused;
  }
  if (size >= 4) return;
  const uint32_t mask = (uint32_t{1} << (8 * size)) - 1;
  registers.eax = (before & ~mask) | (registers.eax & mask);
}

void Backdoor::Answer(BackdoorRegisters& registers) {
  std::lock_guard lock(mutex_);
  Execute(registers);
}

void Backdoor::Out(uint64_t offset, size_t, BackdoorRegisters& registers) {
  if (offset != 0) return;
  const uint32_t before = registers.eax;
  std::lock_guard lock(mutex_);
  Execute(registers);
  registers.eax = before;
}

void Backdoor::Read(uint64_t, std::span<uint8_t> data) { std::fill(data.begin(), data.end(), uint8_t{0xff}); }

void Backdoor::Execute(BackdoorRegisters& registers) {
  const uint32_t magic = registers.eax;
  registers.eax = kBackdoorRefused;
  if (magic != kBackdoorMagic || Low(registers.edx) != kBackdoorPort) return;

  switch (Low(registers.ecx)) {
    case kCmdGetMhz:
      if (config_.tsc_hz != 0) registers.eax = static_cast<uint32_t>(config_.tsc_hz / 1'000'000);
      break;
    case kCmdGetVersion:
      registers.eax = kBackdoorVersion;
      registers.ebx = kBackdoorMagic;
      registers.ecx = kProductEsx;
      break;
    case kCmdGetHwVersion:
      registers.eax = config_.hardware_version;
      registers.ebx = kBackdoorMagic;
      break;
    case kCmdGetUuid: {
      std::array<uint32_t, 4> words = {};
      for (size_t i = 0; i < config_.uuid.size(); ++i) words[i / 4] |= uint32_t{config_.uuid[i]} << (8 * (i % 4));
      registers.eax = words[0];
      registers.ebx = words[1];
      registers.ecx = words[2];
      registers.edx = words[3];
      break;
    }
    case kCmdGetMemSize:
      registers.eax = static_cast<uint32_t>(std::min<uint64_t>(config_.memory_mib, kBackdoorRefused - 1));
      break;
    case kCmdGetTime: GetTime(registers); break;
    case kCmdGetTimeFull: GetTimeFull(registers); break;
    case kCmdGetTimeFullWithLag:
      GetTimeFull(registers);
      registers.edi = 0;  // timer interrupts are never delayed
      break;
    case kCmdGetHz:
      if (config_.tsc_hz == 0) break;
      registers.eax = static_cast<uint32_t>(config_.tsc_hz);
      registers.ebx = static_cast<uint32_t>(config_.tsc_hz >> 32);
      registers.ecx = config_.apic_bus_hz;
      break;
    case kCmdGetVcpuInfo: registers.eax = config_.legacy_x2apic ? kVcpuInfoLegacyX2apic : 0; break;
    case kCmdMessage: {
      ++message_count_;
      registers.eax = magic;
      // Status and type share the same bits, so a failure that left them unchanged would look like success.
      const uint16_t status = Message(High(registers.ecx), registers);
      registers.ecx = WithHigh(registers.ecx, status);
      break;
    }
  }
}

// Seconds beyond 32 bits are an error, and so are times before 1970.
void Backdoor::GetTime(BackdoorRegisters& registers) {
  const Instant now = Split(clock_.Now());
  if (now.seconds < 0 || now.seconds >= int64_t{kBackdoorRefused}) return;
  registers.eax = static_cast<uint32_t>(now.seconds);
  registers.ebx = now.microseconds;
  registers.ecx = kBackdoorMaxTimeLagUsec;
  registers.edx = 0;  // minutes from GMT: the machine's clock runs on UTC
}

void Backdoor::GetTimeFull(BackdoorRegisters& registers) {
  const Instant now = Split(clock_.Now());
  registers.eax = kBackdoorMagic;
  registers.ebx = now.microseconds;
  registers.ecx = kBackdoorMaxTimeLagUsec;
  registers.edx = static_cast<uint32_t>(now.seconds);
  registers.esi = static_cast<uint32_t>(static_cast<uint64_t>(now.seconds) >> 32);
}

uint16_t Backdoor::Message(uint16_t type, BackdoorRegisters& registers) {
  if (type == kMessageOpen) return Open(registers);

  const uint16_t id = High(registers.edx);
  CloseIfIdle(id);
  const uint64_t cookie = uint64_t{registers.esi} << 32 | registers.edi;
  ChannelTable::Channel* const channel = channels_.Find(id, cookie, elapsed_());
  if (channel == nullptr) return kStatusFail;
  if (channel->protocol == kProtocolTclo) ExpireRequests();
  // Only one bit of the status that a guest sends has a meaning.
  const bool accepted = (registers.ebx & kStatusSuccess) != 0;

  switch (type) {
    case kMessageSendSize: {
      const uint16_t status = channel->messages.SendSize(registers.ebx);
      TakeRequest(id, *channel);
      return status;
    }
    case kMessageSendPayload: {
      const uint16_t status = channel->messages.SendPayload(registers.ebx);
      TakeRequest(id, *channel);
      return status;
    }
    // If the client expects a type in EDX, it is the type of the call that answers this one.
    case kMessageRecvSize: {
      const uint16_t status = channel->messages.RecvSize(&registers.ebx);
      if ((status & kStatusDoRecv) != 0) registers.edx = WithHigh(registers.edx, kMessageSendSize);
      return status;
    }
    case kMessageRecvPayload: {
      const uint16_t status = channel->messages.RecvPayload(accepted, &registers.ebx);
      if ((status & kStatusSuccess) != 0) registers.edx = WithHigh(registers.edx, kMessageSendPayload);
      return status;
    }
    case kMessageRecvStatus: return channel->messages.RecvStatus();
    case kMessageClose: Close(id); return kStatusSuccess;
  }
  return kStatusFail;
}

uint16_t Backdoor::Open(BackdoorRegisters& registers) {
  const uint32_t protocol = registers.ebx & ~kMessageFlagCookie;
  if (protocol != kProtocolRpci && protocol != kProtocolTclo) return kStatusFail;

  std::optional<uint64_t> cookie;
  if ((registers.ebx & kMessageFlagCookie) != 0) {
    std::array<uint8_t, 8> bytes = {};
    if (!random_(bytes)) return kStatusFail;
    cookie = 0;
    for (size_t i = 0; i < bytes.size(); ++i) *cookie |= uint64_t{bytes[i]} << (8 * i);
  }
  for (uint16_t other = 0; other < kMaxChannels; ++other) CloseIfIdle(other);
  const std::optional<uint16_t> id = channels_.Open(protocol, cookie, elapsed_());
  if (!id) return kStatusFail;
  if (protocol == kProtocolTclo) tclo_.Opened(*id, elapsed_());

  registers.edx = WithHigh(registers.edx, *id);
  if (cookie) {
    registers.esi = static_cast<uint32_t>(*cookie >> 32);
    registers.edi = static_cast<uint32_t>(*cookie);
  }
  return kStatusSuccess;
}

void Backdoor::TakeRequest(uint16_t id, ChannelTable::Channel& channel) {
  const std::optional<std::string> request = channel.messages.TakeRequest();
  if (!request) return;
  if (channel.protocol == kProtocolRpci) {
    channel.messages.Post(AnswerRpci(*request, config_.machine_id, records_));
    return;
  }
  if (auto next = tclo_.Polled(id, *request, channel.messages.has_message(), elapsed_())) {
    channel.messages.Post(*std::move(next));
  }
}

void Backdoor::Close(uint16_t id) {
  tclo_.Closed(id);
  channels_.Close(id);
}

void Backdoor::CloseIfIdle(uint16_t id) {
  const ChannelTable::Channel* const channel = channels_.Peek(id);
  if (channel != nullptr && elapsed_() - channel->last_used > config_.channel_timeout) Close(id);
}

void Backdoor::ExpireRequests() {
  tclo_.Expire(elapsed_(), [this](uint16_t id) {
    ChannelTable::Channel* const channel = channels_.Peek(id);
    if (channel == nullptr || !channel->messages.has_message()) return false;
    channel->messages.DropMessage();
    return true;
  });
}

void Backdoor::Reset() {
  std::lock_guard lock(mutex_);
  for (const uint16_t id : tclo_.channels()) tclo_.Closed(id);
  channels_.CloseAll();
  records_.tools = {};
}

absl::Status Backdoor::SetGuestInfo(std::string_view key, std::string_view value) {
  std::lock_guard lock(mutex_);
  return ToStatus(records_.info.Set(key, value, GuestInfoStore::By::kHost), key);
}

std::map<std::string, GuestInfoStore::Entry, std::less<>> Backdoor::GuestInfo() const {
  std::lock_guard lock(mutex_);
  return records_.info.entries();
}

std::vector<std::string> Backdoor::Log() const {
  std::lock_guard lock(mutex_);
  return {records_.log.lines().begin(), records_.log.lines().end()};
}

ToolsStatus Backdoor::Tools() const {
  std::lock_guard lock(mutex_);
  const absl::Duration now = elapsed_();
  ToolsStatus status;
  status.info = records_.tools;
  if (const auto program = tclo_.Tools(now)) {
    status.running = true;
    status.program = program->name;
    status.last_poll = now - program->last_poll;
    status.last_answer = now - program->last_answer;
  }
  return status;
}

absl::StatusOr<uint64_t> Backdoor::Send(std::string request) {
  std::lock_guard lock(mutex_);
  ExpireRequests();
  return tclo_.Send(std::move(request), elapsed_());
}

std::vector<TcloResult> Backdoor::TakeResults() {
  std::lock_guard lock(mutex_);
  ExpireRequests();
  return tclo_.TakeResults();
}

uint64_t Backdoor::message_count() const {
  std::lock_guard lock(mutex_);
  return message_count_;
}

size_t Backdoor::bytes_held() const {
  std::lock_guard lock(mutex_);
  return channels_.bytes_held() + records_.info.total_bytes() + records_.log.bytes_held() + tclo_.bytes_held();
}

std::string Backdoor::Save() const {
  std::lock_guard lock(mutex_);
  const absl::Duration now = elapsed_();
  StateWriter writer;
  channels_.Save(writer, now);
  tclo_.Save(writer, now);
  records_.Save(writer);
  writer.U64(message_count_);
  return SealState(writer.payload());
}

absl::Status Backdoor::Restore(std::string_view image, RestoreMode mode) {
  const absl::Duration now = elapsed_();
  ASSIGN_OR_RETURN(const std::string_view payload, UnsealState(image));
  StateReader reader(payload);
  ChannelTable channels = ChannelTable::Load(reader, now);
  Tclo tclo = Tclo::Load(reader, now);
  GuestRecords records = GuestRecords::Load(reader);
  const uint64_t message_count = reader.U64();

  std::vector<uint16_t> polled;
  for (const auto& [id, channel] : channels.channels()) {
    if (channel.protocol == kProtocolTclo) polled.push_back(id);
  }
  reader.Require(polled == tclo.channels(), "the channels that poll are not the open ones");
  RETURN_IF_ERROR(reader.Finish());
  if (mode == RestoreMode::kCheckpoint) channels.Checkpoint();

  std::lock_guard lock(mutex_);
  channels_ = std::move(channels);
  tclo_ = std::move(tclo);
  records_ = std::move(records);
  message_count_ = message_count;
  return absl::OkStatus();
}

}  // namespace vmm
