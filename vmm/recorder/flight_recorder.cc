#include "vmm/recorder/flight_recorder.h"

#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>

namespace vmm {
namespace {

uint64_t FirstBytes(std::span<const uint8_t> data) {
  uint64_t value = 0;
  std::memcpy(&value, data.data(), std::min(data.size(), sizeof(value)));
  return value;
}

// Fills in a record, except for its time.
struct Describe {
  FlightRecord& record;

  void operator()(const IoExit& exit) const {
    record.kind = exit.is_write ? FlightKind::kPioWrite : FlightKind::kPioRead;
    record.size = exit.size;
    record.count = static_cast<uint16_t>(std::min<size_t>(exit.data.size() / exit.size, UINT16_MAX));
    record.address = exit.port;
    if (exit.is_write) record.data = FirstBytes(exit.data);
  }
  void operator()(const MmioExit& exit) const {
    record.kind = exit.is_write ? FlightKind::kMmioWrite : FlightKind::kMmioRead;
    record.size = static_cast<uint8_t>(exit.data.size());
    record.count = 1;
    record.address = exit.address;
    if (exit.is_write) record.data = FirstBytes(exit.data);
  }
  void operator()(const InterruptedExit&) const { record.kind = FlightKind::kInterrupted; }
  void operator()(const ShutdownExit&) const { record.kind = FlightKind::kShutdown; }
  void operator()(const InternalErrorExit& exit) const {
    record.kind = FlightKind::kInternalError;
    record.address = exit.suberror;
  }
  void operator()(const FailEntryExit& exit) const {
    record.kind = FlightKind::kFailEntry;
    record.address = exit.hardware_reason;
  }
  void operator()(const HaltExit&) const { record.kind = FlightKind::kHalt; }
  void operator()(const BreakpointExit& exit) const {
    record.kind = FlightKind::kBreakpoint;
    record.address = exit.pc;
  }
  void operator()(const UnhandledExit& exit) const {
    record.kind = FlightKind::kOther;
    record.address = exit.reason;
  }
};

// The answer to a read is known only after the exit has been handled.
std::span<const uint8_t> Answer(const VcpuExit& exit) {
  if (const auto* io = std::get_if<IoExit>(&exit)) return io->is_write ? std::span<uint8_t>() : io->data;
  if (const auto* mmio = std::get_if<MmioExit>(&exit)) return mmio->is_write ? std::span<uint8_t>() : mmio->data;
  return {};
}

uint64_t Nanoseconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace

FlightRecorder::FlightRecorder(int vcpu) : ring_(new FlightRecord[kRecords]) {
  header_.version = kFlightNoteVersion;
  header_.header_size = sizeof(FlightNoteHeader);
  header_.record_size = sizeof(FlightRecord);
  header_.vcpu = static_cast<uint32_t>(vcpu);
}

void FlightRecorder::Exit(const VcpuExit& exit) {
  const uint64_t number = exits_.load(std::memory_order_relaxed);
  FlightRecord& record = ring_[number % kRecords];
  record = FlightRecord{.tsc = __rdtsc()};
  std::visit(Describe{record}, exit);
  exits_.store(number + 1, std::memory_order_relaxed);
}

void FlightRecorder::Handled(const VcpuExit& exit) {
  FlightRecord& record = ring_[(exits() - 1) % kRecords];
  const std::span<const uint8_t> answer = Answer(exit);
  if (!answer.empty()) record.data = FirstBytes(answer);
  const uint64_t ticks = __rdtsc() - record.tsc;
  record.handling = static_cast<uint32_t>(std::min<uint64_t>(ticks, std::numeric_limits<uint32_t>::max()));
}

void FlightRecorder::ThreadBegins() {
  tid_.store(gettid(), std::memory_order_release);
  account_.Open();
  header_.start_tsc = __rdtsc();
  header_.start_ns = Nanoseconds(CLOCK_MONOTONIC);
}

void FlightRecorder::GuestTscIs(uint64_t tsc) { header_.guest_tsc_offset = tsc - __rdtsc(); }

void FlightRecorder::ThreadEnds() {
  header_.end_tsc = __rdtsc();
  header_.end_ns = Nanoseconds(CLOCK_MONOTONIC);
  header_.end_realtime_ns = Nanoseconds(CLOCK_REALTIME);
  const ThreadAccount account = account_.Read();
  header_.run_ns = static_cast<uint64_t>(absl::ToInt64Nanoseconds(account.ran));
  header_.wait_ns = static_cast<uint64_t>(absl::ToInt64Nanoseconds(account.waited));
}

FlightNoteHeader FlightRecorder::header() const {
  FlightNoteHeader header = header_;
  header.exits = exits();
  header.records = static_cast<uint32_t>(std::min<uint64_t>(header.exits, kRecords));
  return header;
}

std::vector<FlightRecord> FlightRecorder::records() const {
  const uint64_t end = exits();
  std::vector<FlightRecord> records;
  for (uint64_t i = end - header().records; i < end; ++i) records.push_back(ring_[i % kRecords]);
  return records;
}

std::string FlightRecorder::NoteDesc(size_t max_records) const {
  std::vector<FlightRecord> last = records();
  if (last.size() > max_records) last.erase(last.begin(), last.end() - static_cast<ptrdiff_t>(max_records));
  FlightNoteHeader head = header();
  head.records = static_cast<uint32_t>(last.size());

  std::string desc(reinterpret_cast<const char*>(&head), sizeof(head));
  return desc.append(reinterpret_cast<const char*>(last.data()), last.size() * sizeof(FlightRecord));
}

}  // namespace vmm
