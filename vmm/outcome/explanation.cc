#include "vmm/outcome/explanation.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/guest_memory.h"
#include "base/json_text.h"
#include "base/printable.h"
#include "dump/kernel/kernel_report.h"
#include "dump/kernel/stack_frame.h"
#include "nlohmann/json.hpp"
#include "vmm/outcome/child_answer.h"
#include "vmm/outcome/hang_registers.h"

namespace vmm {
namespace {

using nlohmann::ordered_json;

constexpr size_t kMaxText = 8192;  // bytes of one string
constexpr size_t kMaxMissing = 64;
constexpr size_t kMaxVcpus = 8192;

// A log record may have lines of its own.
std::string Safe(std::string_view text) { return CutText(Escaped(text, "\n\t"), kMaxText); }

ordered_json Strings(const std::vector<std::string>& strings, size_t most) {
  ordered_json json = ordered_json::array();
  for (size_t i = 0; i < std::min(strings.size(), most); ++i) json.push_back(Safe(strings[i]));
  return json;
}

absl::Status Refuse(std::string_view name) {
  return absl::InvalidArgumentError(absl::StrFormat("its answer makes no sense: %s", name));
}

absl::StatusOr<std::string> Text(const ordered_json& json, const char* name) {
  const auto member = json.find(name);
  if (member == json.end() || !member->is_string()) return Refuse(name);
  return Safe(member->get_ref<const std::string&>());
}

absl::StatusOr<std::vector<std::string>> Texts(const ordered_json& json, const char* name, size_t most) {
  const auto member = json.find(name);
  if (member == json.end() || !member->is_array() || member->size() > most) return Refuse(name);
  std::vector<std::string> texts;
  for (const ordered_json& element : *member) {
    if (!element.is_string()) return Refuse(name);
    texts.push_back(Safe(element.get_ref<const std::string&>()));
  }
  return texts;
}

// True if no more than `most` brackets are open at any place: a parser takes long for millions of them.
bool IsFlat(std::string_view json, int most) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string && c == '\\') ++i;
    if (c == '"') in_string = !in_string;
    if (in_string) continue;
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (depth > most) return false;
  }
  return true;
}

// The child has the guest's RAM itself, not a copy.
void MakeReadOnly(const PhysicalMemory& memory) {
  for (const GuestRange& range : memory.Ranges()) {
    const std::span<const uint8_t> bytes = memory.Lend(range);
    if (!bytes.empty()) mprotect(const_cast<uint8_t*>(bytes.data()), bytes.size(), PROT_READ);
  }
}

Explanation Read(const VmSnapshot& snapshot, const FoundKernel& kernel, int dead_vcpu, const SymbolList* symbols,
                 const HangRegistersNote* before_nmi) {
  Explanation explanation;
  explanation.death = ReportDeath(snapshot, kernel, dead_vcpu, symbols);
  if (before_nmi != nullptr) {
    HangRegisters registers{.note = *before_nmi};
    NamePlaces(snapshot, kernel, symbols, registers);
    explanation.places = std::move(registers.places);
  }
  return explanation;
}

Explanation Missing(std::string_view why) {
  Explanation explanation;
  explanation.death.missing = {absl::StrFormat("the explanation of the end was given up: %s", why)};
  return explanation;
}

}  // namespace

std::string SerialiseExplanation(const Explanation& explanation) {
  const DeathReport& death = explanation.death;
  return JsonText({{"message", Safe(death.message)},
                   {"signature", Safe(death.signature)},
                   {"stack", Strings(death.stack, kMaxFrames)},
                   {"log", Strings(death.log, kLogLines)},
                   {"missing", Strings(death.missing, kMaxMissing)},
                   {"places", Strings(explanation.places, kMaxVcpus)}},
                  /*indent=*/-1);
}

absl::StatusOr<Explanation> ParseExplanation(std::string_view text) {
  if (!IsFlat(text, 2)) return Refuse("it is nested");
  const ordered_json json = ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Refuse("it is no JSON object");
  Explanation explanation;
  DeathReport& death = explanation.death;
  ASSIGN_OR_RETURN(death.message, Text(json, "message"));
  ASSIGN_OR_RETURN(death.signature, Text(json, "signature"));
  // The signature becomes a part of a file's name.
  constexpr std::string_view kHex = "0123456789abcdef";
  if (death.signature.size() > 16 || death.signature.find_first_not_of(kHex) != std::string::npos) {
    return Refuse("signature");
  }
  ASSIGN_OR_RETURN(death.stack, Texts(json, "stack", kMaxFrames));
  ASSIGN_OR_RETURN(death.log, Texts(json, "log", kLogLines));
  ASSIGN_OR_RETURN(death.missing, Texts(json, "missing", kMaxMissing));
  ASSIGN_OR_RETURN(explanation.places, Texts(json, "places", kMaxVcpus));
  return explanation;
}

Explanation ExplainByMemory(const VmSnapshot& snapshot, const FoundKernel& kernel, int dead_vcpu,
                            const SymbolList* symbols, const HangRegistersNote* before_nmi, int stop_fd) {
  const auto work = [&] { return SerialiseExplanation(Read(snapshot, kernel, dead_vcpu, symbols, before_nmi)); };
  ChildStart start{.prepare = [&] { MakeReadOnly(*snapshot.memory); }};
  // Large reads of a living guest's RAM go through its file.
  if (const auto* const ram = dynamic_cast<const GuestMemory*>(snapshot.memory)) start.inputs.push_back(ram->fd());
  const absl::StatusOr<std::string> answer = AskChild(work, {}, stop_fd, start);
  if (answer.ok()) {
    absl::StatusOr<Explanation> explanation = ParseExplanation(*answer);
    return explanation.ok() ? *std::move(explanation) : Missing(std::string(explanation.status().message()));
  }
  if (!absl::IsUnavailable(answer.status())) return Missing(std::string(answer.status().message()));
  // A host that has no room for a process. Each parser still has its budget.
  try {
    return Read(snapshot, kernel, dead_vcpu, symbols, before_nmi);
  } catch (const std::bad_alloc&) {
    return Missing("out of memory");
  }
}

}  // namespace vmm
