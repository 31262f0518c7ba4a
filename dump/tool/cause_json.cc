#include "dump/tool/cause_json.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

using Json = nlohmann::ordered_json;

Json Hex(uint64_t value) { return absl::StrFormat("%#x", value); }

Json CodeJson(const Cause& cause) {
  Json lines = Json::array();
  for (size_t i = 0; i < cause.code.lines.size(); ++i) {
    const Instruction& line = cause.code.lines[i];
    std::string bytes;
    for (const uint8_t byte : line.bytes) bytes += absl::StrFormat("%02x", byte);
    Json& json = lines.emplace_back(Json{{"address", Hex(line.address)}, {"bytes", bytes}, {"text", line.text}});
    if (!cause.targets[i].empty()) json["target"] = cause.targets[i];
    if (i == cause.code.at_fault) json["at_fault"] = true;
  }
  return lines;
}

Json OperandJson(const Operand& operand) {
  return {{"formula", operand.formula},
          {"address", Hex(operand.address)},
          {"bytes", operand.bytes},
          {"reads", operand.reads},
          {"writes", operand.writes}};
}

Json FaultJson(const Cause& cause) {
  const Fault& fault = *cause.fault;
  Json json = {{"kind", FaultKindName(fault.kind)}, {"cpu", fault.cpu}, {"at", cause.function}};
  if (!fault.handler.empty()) json["handler"] = fault.handler;
  if (fault.saved_at != 0) json["saved_at"] = Hex(fault.saved_at);
  if (fault.cr2.has_value()) json["cr2"] = Hex(*fault.cr2);
  json["code"] = CodeJson(cause);
  if (!cause.code.why_not.empty()) json["code_missing"] = cause.code.why_not;
  if (cause.operand.has_value()) json["operand"] = OperandJson(*cause.operand);
  for (const RegisterMeaning& known : cause.registers) {
    Json& value = json["registers"][known.name];
    value["value"] = Hex(known.value);
    if (!known.words.empty()) value["points_to"] = known.words;
  }
  return json;
}

Json MemoryJson(const MemoryFinding& memory) {
  Json json = {{"address", Hex(memory.address)},
               {"source", memory.source},
               {"region", RegionName(memory.meaning.region)},
               {"words", memory.meaning.words}};
  if (memory.page.has_value()) {
    const PageState& page = *memory.page;
    json["page"] = {{"present", page.present}, {"level", page.level}, {"entry", Hex(page.entry)}};
    if (page.present) {
      json["page"]["physical"] = Hex(page.physical);
      json["page"]["writable"] = page.writable;
      json["page"]["user"] = page.user;
      json["page"]["executable"] = page.executable;
    }
  }
  if (memory.record.has_value()) {
    json["struct_page"] = {{"address", Hex(memory.record->address)},
                           {"flags", Hex(memory.record->flags)},
                           {"references", memory.record->references},
                           {"free", memory.record->free}};
  }
  if (memory.object.has_value()) {
    const SlabObject& object = *memory.object;
    json["object"] = {{"cache", object.cache_name},        {"cache_address", Hex(object.cache)},
                      {"object", Hex(object.object)},      {"offset", object.offset},
                      {"object_size", object.object_size}, {"certainty", CertaintyName(object.certainty)}};
    if (object.freed.has_value()) json["object"]["freed"] = *object.freed;
  }
  return json;
}

Json TaskJson(const Cause& cause, size_t task) {
  const TaskInfo& info = cause.tasks->tasks[task];
  Json json = {{"comm", info.task.comm}};
  if (info.task.pid.has_value()) json["pid"] = *info.task.pid;
  json["address"] = Hex(info.task.address);
  json["state"] = std::string(1, TaskStateLetter(info.state));
  return json;
}

Json WaitJson(const Cause& cause, size_t index) {
  const Wait& wait = cause.waits.waits[index];
  Json json = {
      {"task", TaskJson(cause, wait.task)},
      {"lock",
       {{"kind", LockKindName(wait.lock.kind)}, {"address", Hex(wait.lock.lock)}, {"name", cause.lock_names[index]}}}};
  if (wait.owner.has_value()) {
    json["owner"] = TaskJson(cause, *wait.owner);
  } else {
    json["no_owner"] = wait.lock.why_no_owner;
  }
  if (!wait.lock.remark.empty()) json["remark"] = wait.lock.remark;
  json["certainty"] = CertaintyName(wait.lock.certainty);
  json["evidence"] = Json::array();
  for (const Evidence& evidence : wait.lock.evidence) {
    json["evidence"].push_back({{"what", evidence.what}, {"address", Hex(evidence.address)}});
  }
  return json;
}

Json LocksJson(const Cause& cause) {
  const WaitGraph& graph = cause.waits;
  Json json = {{"waits", Json::array()}, {"deadlocks", Json::array()}, {"chains", Json::array()}};
  for (size_t i = 0; i < graph.waits.size(); ++i) json["waits"].push_back(WaitJson(cause, i));
  for (const Deadlock& deadlock : graph.deadlocks) {
    json["deadlocks"].push_back({{"waits", deadlock.waits}, {"certainty", CertaintyName(deadlock.certainty)}});
  }
  for (const WaitChain& chain : graph.chains) {
    Json& object = json["chains"].emplace_back(Json{{"waits", chain.waits}});
    if (chain.deadlock.has_value()) object["deadlock"] = *chain.deadlock;
    if (chain.last.has_value()) object["last"] = TaskJson(cause, *chain.last);
    if (chain.cut) object["cut"] = true;
    object["certainty"] = CertaintyName(chain.certainty);
  }
  return json;
}

}  // namespace

Json CauseJson(const Cause& cause) {
  Json json = Json::object();
  if (!cause.why.empty()) {
    json["why"] = cause.why;
    json["certainty"] = CertaintyName(cause.certainty);
  }
  if (cause.fault.has_value()) json["fault"] = FaultJson(cause);
  if (cause.memory.has_value()) json["memory"] = MemoryJson(*cause.memory);
  if (cause.tasks.has_value()) json["locks"] = LocksJson(cause);
  if (!cause.missing.empty()) json["missing"] = cause.missing;
  return json;
}

}  // namespace vmm
