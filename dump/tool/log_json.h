// Log records as JSON, for `vmcore dmesg` and `vmcore report`.
#ifndef DUMP_TOOL_LOG_JSON_H_
#define DUMP_TOOL_LOG_JSON_H_

#include <nlohmann/json.hpp>
#include <span>

#include "dump/kernel/kernel_log.h"

namespace vmm {

// An array of objects. Their text holds the bytes that the guest wrote, whatever they are. JsonText()
// (base/json_text.h) makes JSON of them.
nlohmann::ordered_json LogJson(std::span<const LogRecord> log);

}  // namespace vmm

#endif  // DUMP_TOOL_LOG_JSON_H_
