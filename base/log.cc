#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <span>
#include <utility>

#include "absl/time/time.h"
#include "base/printable.h"
#include "base/shared_output.h"
#include "base/thread_log.h"
#include "spdlog/details/os.h"
#include "spdlog/sinks/ansicolor_sink.h"
#include "spdlog/sinks/stdout_color_sinks.h"
#include "spdlog/spdlog.h"

namespace vmm {
namespace {

// Standard error as a stream whose reader may stop reading: a full pipe, or a terminal on which Ctrl-S was typed. One
// line waits for some seconds; the lines after it do not wait until there is room again.
class PatientStream {
 public:
  // Null, with nothing opened, if the stream cannot be made.
  static std::shared_ptr<FILE> Open(int fd) {
    auto output = SharedOutput::Open(fd);
    if (!output.ok()) return nullptr;
    auto* const stream = new PatientStream(*std::move(output));
    FILE* const file = fopencookie(stream, "w", {.read = nullptr, .write = Write, .seek = nullptr, .close = Close});
    if (file != nullptr) return std::shared_ptr<FILE>(file, fclose);
    delete stream;
    return nullptr;
  }

 private:
  explicit PatientStream(std::unique_ptr<SharedOutput> output) : output_(std::move(output)) {}

  static ssize_t Write(void* cookie, const char* bytes, size_t size) {
    auto* const stream = static_cast<PatientStream*>(cookie);
    const absl::Duration patience = stream->gave_up_ ? absl::ZeroDuration() : absl::Seconds(5);
    const std::span<const uint8_t> data(reinterpret_cast<const uint8_t*>(bytes), size);
    stream->gave_up_ = !stream->output_->WriteAll(data, /*stop_fd=*/-1, patience).ok();
    return static_cast<ssize_t>(size);  // there is nowhere to report an error
  }

  static int Close(void* cookie) {
    delete static_cast<PatientStream*>(cookie);
    return 0;
  }

  const std::unique_ptr<SharedOutput> output_;
  bool gave_up_ = false;
};

// The logger's sink and this function share ownership. Each SetUpLog() replaces it.
std::shared_ptr<FILE>& Stream() {
  static std::shared_ptr<FILE> stream;
  return stream;
}

class PatientSink final : public spdlog::sinks::ansicolor_sink<spdlog::details::console_mutex> {
 public:
  PatientSink(std::shared_ptr<FILE> stream, spdlog::color_mode mode)
      : ansicolor_sink(stream.get(), mode), stream_(std::move(stream)) {}

 private:
  const std::shared_ptr<FILE> stream_;
};

std::shared_ptr<spdlog::sinks::sink> MakeSink() {
  Stream() = PatientStream::Open(STDERR_FILENO);
  if (Stream() == nullptr) return std::make_shared<spdlog::sinks::stderr_color_sink_mt>(spdlog::color_mode::automatic);
  const bool colours = isatty(STDERR_FILENO) != 0 && spdlog::details::os::is_color_terminal();
  return std::make_shared<PatientSink>(Stream(), colours ? spdlog::color_mode::always : spdlog::color_mode::never);
}

std::atomic<bool> is_set_up = false;
thread_local const LogFunction* thread_log = nullptr;

void Log(LogLevel level, std::string_view text) {
  if (thread_log != nullptr) return (*thread_log)(level, LogText(text));
  if (!is_set_up) return;
  constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn};
  spdlog::log(kLevels[static_cast<int>(level)], "{}", LogText(text));
}

}  // namespace

void SendThreadLogTo(const LogFunction* log) { thread_log = log; }

bool LogsToStderr() { return thread_log == nullptr && is_set_up; }

void SetUpLog(bool verbose) {
  auto logger = std::make_shared<spdlog::logger>("vmm", MakeSink());
  logger->set_pattern("%^vmm:%$ %v");
  logger->set_level(verbose ? spdlog::level::debug : spdlog::level::info);
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(std::move(logger));
  is_set_up = true;
}

std::string LogText(std::string_view text) {
  const std::string escaped = Escaped(text, "\n\t");
  std::string lines;
  for (size_t i = 0; i < escaped.size(); ++i) {
    lines += escaped[i];
    if (escaped[i] == '\n' && i + 1 < escaped.size() && escaped[i + 1] != ' ') lines += "  ";
  }
  return lines;
}

void LogDebug(std::string_view text) { Log(LogLevel::kDebug, text); }
void LogInfo(std::string_view text) { Log(LogLevel::kInfo, text); }
void LogWarning(std::string_view text) { Log(LogLevel::kWarning, text); }

void DrawProgress(std::string_view text) {
  FILE* const stream = Stream() != nullptr ? Stream().get() : stderr;
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

}  // namespace vmm
