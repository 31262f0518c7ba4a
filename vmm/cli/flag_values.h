// Strict parsers for flag values: each error says what was wrong and what would be right.
#ifndef VMM_CLI_FLAG_VALUES_H_
#define VMM_CLI_FLAG_VALUES_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "vmm/boot/load_kernel.h"
#include "vmm/config/vm_config.h"

namespace vmm {

// "512M", "1G", "65536K", "1073741824": a count of bytes. K, M, G and T are powers of 1024.
absl::StatusOr<uint64_t> ParseSize(std::string_view text);

// "30s", "1m30s", "250ms", or "0"; not negative. If `allow_off`, also "off": InfiniteDuration.
absl::StatusOr<absl::Duration> ParseDuration(std::string_view text, bool allow_off);

absl::StatusOr<BootMode> ParseBootMode(std::string_view text);              // auto, direct, classic
absl::StatusOr<Kaslr> ParseKaslr(std::string_view text);                    // on, off, or a number as seed
absl::StatusOr<HypervisorLeaf> ParseHypervisorLeaf(std::string_view text);  // first, only; "" is first
absl::StatusOr<absl::Duration> ParseSoftPower(std::string_view text);       // as ParseDuration(); "" is 60 s
absl::StatusOr<bool> ParseWatchdog(std::string_view text);                  // ib700, off
absl::StatusOr<bool> ParseOnOff(std::string_view text);                     // on, off
absl::StatusOr<OnPanic> ParseOnPanic(std::string_view text);                // dump, exit, pause
absl::StatusOr<SandboxMode> ParseSandbox(std::string_view text);            // on, log, off

absl::StatusOr<CoreMappings> ParseCoreMappings(std::string_view text);  // needed, all

// "auto"; "panic,warn", names from catch_point.h; or "off" for none. Each kind at most once.
absl::StatusOr<CatchConfig> ParseCatch(std::string_view text);

// "panic,oops", names from kernel_signs.h; "off" for none.
absl::StatusOr<std::vector<KernelSign>> ParseKernelSigns(std::string_view text);

}  // namespace vmm

#endif  // VMM_CLI_FLAG_VALUES_H_
