// A Linux kernel's configuration, as text: from the image itself (CONFIG_IKCONFIG) or from a file.
#ifndef VMM_DOCTOR_KERNEL_CONFIG_H_
#define VMM_DOCTOR_KERNEL_CONFIG_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

namespace vmm {

class KernelConfig {
 public:
  enum class Value { kNo, kModule, kYes };

  // Lines "CONFIG_X=y"; others are ignored. `text` is not trusted.
  explicit KernelConfig(std::string_view text);

  // `option` without CONFIG_. kNo if it is not set or not known. A string or a number is kYes.
  Value Of(std::string_view option) const;

  bool empty() const { return values_.empty(); }

 private:
  std::unordered_map<std::string, Value> values_;
};

// The text that CONFIG_IKCONFIG puts between IKCFG_ST and IKCFG_ED; nothing if it is not in `kernel`, the decoded one.
std::optional<std::string> FindIkconfig(std::span<const uint8_t> kernel);

// "6.1.0-18-amd64" of "Linux version 6.1.0-18-amd64 (..."; nothing if `kernel` has no such text.
std::optional<std::string> FindRelease(std::span<const uint8_t> kernel);

}  // namespace vmm

#endif  // VMM_DOCTOR_KERNEL_CONFIG_H_
