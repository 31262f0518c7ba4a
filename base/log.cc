#include "base/log.h"

#include <memory>

#include "spdlog/sinks/stdout_color_sinks.h"
#include "spdlog/spdlog.h"

namespace vmm {

void SetUpLog(bool verbose) {
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(spdlog::color_mode::automatic);
  auto logger = std::make_shared<spdlog::logger>("vmm", std::move(sink));
  logger->set_pattern("%^vmm:%$ %v");
  logger->set_level(verbose ? spdlog::level::debug : spdlog::level::info);
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(std::move(logger));
}

void LogDebug(std::string_view text) { spdlog::debug("{}", text); }
void LogInfo(std::string_view text) { spdlog::info("{}", text); }
void LogWarning(std::string_view text) { spdlog::warn("{}", text); }

}  // namespace vmm
