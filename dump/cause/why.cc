#include "dump/cause/why.h"

#include <string_view>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

std::string_view Verb(const Operand& operand) {
  if (operand.writes && operand.reads) return "reads and writes";
  if (operand.writes) return "writes";
  return operand.reads ? "reads" : "uses";
}

const RegisterMeaning* RegisterOf(const Cause& cause, std::string_view name) {
  for (const RegisterMeaning& known : cause.registers) {
    if (known.name == name) return &known;
  }
  return nullptr;
}

// "reads 4 bytes at rax+0x20 = 0x20; rax is NULL".
std::string AccessWords(const Cause& cause) {
  const Operand& operand = *cause.operand;
  const std::string bytes = operand.bytes == 0 ? "memory" : absl::StrFormat("%d bytes", operand.bytes);
  std::string words = absl::StrFormat("%s %s at %s = %#x (%s)", Verb(operand), bytes, operand.formula, operand.address,
                                      cause.memory->Words());
  const RegisterMeaning* const base = RegisterOf(cause, operand.base);
  // An offset from a poison pattern already names what the register has.
  const bool named = cause.memory->meaning.region == Region::kPoison;
  if (base != nullptr && base->value != operand.address && !named) {
    words += absl::StrFormat("; %s is %s", base->name,
                             base->words.empty() ? absl::StrFormat("%#x", base->value) : base->words);
  }
  return words;
}

bool ExplainFault(Cause& cause) {
  if (!cause.fault.has_value()) return false;
  if (cause.memory.has_value() && cause.memory->meaning.region == Region::kStackGuard) {
    const bool own = cause.memory->meaning.task.has_value() && cause.tasks.has_value();
    cause.why = absl::StrFormat("the stack%s overflowed: %#x lies in its guard page",
                                own ? " of " + cause.TaskName(*cause.memory->meaning.task) : "", cause.memory->address);
    cause.certainty = Certainty::kSure;
    return true;
  }
  if (cause.operand.has_value() && cause.memory.has_value()) {
    cause.why = cause.function + " " + AccessWords(cause);
    cause.certainty = Certainty::kSure;
    return true;
  }
  if (cause.memory.has_value() && cause.memory->source == "RIP") {
    cause.why = absl::StrFormat("it jumped to %#x (%s)", cause.memory->address, cause.memory->Words());
    cause.certainty = Certainty::kSure;
    return true;
  }
  if (cause.memory.has_value() && cause.fault->kind == FaultKind::kPageFault) {
    cause.why = absl::StrFormat("%s touched %#x (%s)", cause.function, cause.memory->address, cause.memory->Words());
    cause.certainty = Certainty::kGuess;  // the instruction does not name this address: CR2 may be a later fault's
    return true;
  }
  return false;
}

// Waits matter if nothing else killed the guest: a hang, a hung task, or no report at all.
bool WaitsMatter(const KernelReport& report) {
  if (!report.cause.has_value()) return report.message.panic.empty();
  const std::string& title = report.cause->title;
  for (const std::string_view kind : {"hung", "stall", "lockup", "deadlock", "blocked"}) {
    if (title.find(kind) != std::string::npos) return true;
  }
  return false;
}

std::string LinkWords(const Cause& cause, size_t wait, std::string_view verb = " waits") {
  return absl::StrFormat("%s%s for %s", cause.TaskName(cause.waits.waits[wait].task), verb, cause.LockName(wait));
}

bool ExplainWaits(const KernelReport& report, Cause& cause) {
  if (!WaitsMatter(report)) return false;
  if (!cause.waits.deadlocks.empty()) {
    const Deadlock& deadlock = cause.waits.deadlocks.front();
    cause.why = "deadlock: ";
    constexpr size_t kShown = 4;
    for (size_t i = 0; i < deadlock.waits.size() && i < kShown; ++i) {
      cause.why += LinkWords(cause, deadlock.waits[i], i == 0 ? " waits" : ", which waits") + ", held by ";
    }
    const size_t last = deadlock.waits.size() > kShown ? deadlock.waits[kShown] : deadlock.waits.front();
    cause.why += cause.TaskName(cause.waits.waits[last].task);
    if (deadlock.waits.size() > kShown) cause.why += absl::StrFormat(" ... (%d tasks)", deadlock.waits.size());
    cause.certainty = deadlock.certainty;
    return true;
  }
  if (cause.waits.chains.empty()) return false;
  const WaitChain& chain = cause.waits.chains.front();
  if (!cause.waits.waits[chain.waits.front()].uninterruptible || !chain.last.has_value()) return false;
  cause.why = LinkWords(cause, chain.waits.front());
  if (chain.waits.size() > 1) cause.why += absl::StrFormat(", and so on over %d locks", chain.waits.size());
  cause.why +=
      absl::StrFormat("; %s %s", cause.TaskName(*chain.last), chain.waits.size() > 1 ? "is at the end" : "holds it");
  cause.certainty = chain.certainty;
  return true;
}

}  // namespace

void ExplainWhy(const KernelReport& report, Cause& cause) {
  const bool waits = report.cause.has_value() && WaitsMatter(report);
  if (waits && ExplainWaits(report, cause)) return;
  if (ExplainFault(cause)) return;
  (void)ExplainWaits(report, cause);
}

}  // namespace vmm
