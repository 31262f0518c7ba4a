#include "vmm/gdb/registers.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <string_view>

#include "absl/strings/str_format.h"

namespace vmm {
namespace {

using Bytes = std::span<uint8_t>;
using ConstBytes = std::span<const uint8_t>;

struct Register {
  std::string name;
  size_t size = 8;  // bytes
  std::string_view type;
  std::function<void(const GdbCpu& from, Bytes to)> get;
  std::function<void(ConstBytes from, GdbCpu& to)> set;
};

// Registers of the target description's features, in gdb's order.
struct RegisterMap {
  std::vector<Register> all;
  size_t first_fpu = 0;  // from here on x87 and SSE
  size_t first_sse = 0;
};

// A register that is a number in GdbCpu. `field` returns a reference to it. A narrower field drops the high bytes.
template <typename Field>
Register Number(std::string name, size_t size, std::string_view type, Field field) {
  return {std::move(name), size, type,
          [field](const GdbCpu& from, Bytes to) {
            const uint64_t value = field(const_cast<GdbCpu&>(from));
            std::memcpy(to.data(), &value, to.size());
          },
          [field](ConstBytes from, GdbCpu& to) {
            uint64_t value = 0;
            std::memcpy(&value, from.data(), from.size());
            auto& place = field(to);
            place = static_cast<std::remove_reference_t<decltype(place)>>(value);
          }};
}

// One that is shown and stays as it is.
template <typename Value>
Register ReadOnly(std::string name, size_t size, std::string_view type, Value value) {
  return {std::move(name), size, type,
          [value](const GdbCpu& from, Bytes to) {
            const uint64_t number = value(from);
            std::memcpy(to.data(), &number, to.size());
          },
          [](ConstBytes, GdbCpu&) {}};
}

// FXSAVE has one bit for each register, FNSTENV two. Whether a register that is not empty is zero or special is not
// looked at: it counts as valid.
uint16_t FullTags(uint8_t used) {
  uint16_t tags = 0;
  for (int i = 0; i < 8; ++i) tags = static_cast<uint16_t>(tags | ((used >> i & 1) != 0 ? 0 : 3) << 2 * i);
  return tags;
}

uint8_t ShortTags(uint64_t tags) {
  uint8_t used = 0;
  for (int i = 0; i < 8; ++i) used = static_cast<uint8_t>(used | ((tags >> 2 * i & 3) == 3 ? 0 : 1) << i);
  return used;
}

// Only the selector is changed: the hidden part comes from the guest's tables, which a debugger's write does not read.
template <typename Segment>
Register Selector(std::string name, Segment segment) {
  return Number(std::move(name), 4, "int32", [segment](GdbCpu& at) -> uint16_t& { return segment(at.cpu).selector; });
}

void AddGeneral(std::vector<Register>& all) {
  const auto add = [&all](const char* name, std::string_view type, uint64_t CpuState::*field) {
    all.push_back(Number(name, 8, type, [field](GdbCpu& at) -> uint64_t& { return at.cpu.*field; }));
  };
  add("rax", "int64", &CpuState::rax), add("rbx", "int64", &CpuState::rbx), add("rcx", "int64", &CpuState::rcx);
  add("rdx", "int64", &CpuState::rdx), add("rsi", "int64", &CpuState::rsi), add("rdi", "int64", &CpuState::rdi);
  add("rbp", "data_ptr", &CpuState::rbp), add("rsp", "data_ptr", &CpuState::rsp);
  add("r8", "int64", &CpuState::r8), add("r9", "int64", &CpuState::r9), add("r10", "int64", &CpuState::r10);
  add("r11", "int64", &CpuState::r11), add("r12", "int64", &CpuState::r12), add("r13", "int64", &CpuState::r13);
  add("r14", "int64", &CpuState::r14), add("r15", "int64", &CpuState::r15), add("rip", "code_ptr", &CpuState::rip);
  all.push_back(Number("eflags", 4, "i386_eflags", [](GdbCpu& at) -> uint64_t& { return at.cpu.rflags; }));
}

void AddSegments(std::vector<Register>& all) {
  all.push_back(Selector("cs", [](CpuState& cpu) -> SegmentState& { return cpu.cs; }));
  all.push_back(Selector("ss", [](CpuState& cpu) -> SegmentState& { return cpu.ss; }));
  all.push_back(Selector("ds", [](CpuState& cpu) -> SegmentState& { return cpu.ds; }));
  all.push_back(Selector("es", [](CpuState& cpu) -> SegmentState& { return cpu.es; }));
  all.push_back(Selector("fs", [](CpuState& cpu) -> SegmentState& { return cpu.fs; }));
  all.push_back(Selector("gs", [](CpuState& cpu) -> SegmentState& { return cpu.gs; }));
  all.push_back(Number("fs_base", 8, "int64", [](GdbCpu& at) -> uint64_t& { return at.cpu.fs.base; }));
  all.push_back(Number("gs_base", 8, "int64", [](GdbCpu& at) -> uint64_t& { return at.cpu.gs.base; }));
  all.push_back(Number("k_gs_base", 8, "int64", [](GdbCpu& at) -> uint64_t& { return at.cpu.kernel_gs_base; }));
}

void AddControl(std::vector<Register>& all) {
  all.push_back(Number("cr0", 8, "i386_cr0", [](GdbCpu& at) -> uint64_t& { return at.cpu.cr0; }));
  all.push_back(Number("cr2", 8, "int64", [](GdbCpu& at) -> uint64_t& { return at.cpu.cr2; }));
  all.push_back(Number("cr3", 8, "int64", [](GdbCpu& at) -> uint64_t& { return at.cpu.cr3; }));
  all.push_back(Number("cr4", 8, "i386_cr4", [](GdbCpu& at) -> uint64_t& { return at.cpu.cr4; }));
  all.push_back(Number("cr8", 8, "int64", [](GdbCpu& at) -> uint64_t& { return at.cpu.cr8; }));
  all.push_back(Number("efer", 8, "i386_efer", [](GdbCpu& at) -> uint64_t& { return at.cpu.efer; }));
}

void AddX87(std::vector<Register>& all) {
  for (size_t i = 0; i < 8; ++i) {
    all.push_back({absl::StrFormat("st%d", i), 10, "i387_ext",
                   [i](const GdbCpu& from, Bytes to) { std::memcpy(to.data(), from.fpu.st[i].data(), to.size()); },
                   [i](ConstBytes from, GdbCpu& to) { std::memcpy(to.fpu.st[i].data(), from.data(), from.size()); }});
  }
  all.push_back(Number("fctrl", 4, "int", [](GdbCpu& at) -> uint16_t& { return at.fpu.control; }));
  all.push_back(Number("fstat", 4, "int", [](GdbCpu& at) -> uint16_t& { return at.fpu.status; }));
  all.push_back({"ftag", 4, "int",
                 [](const GdbCpu& from, Bytes to) {
                   const uint32_t tags = FullTags(from.fpu.tags);
                   std::memcpy(to.data(), &tags, to.size());
                 },
                 [](ConstBytes from, GdbCpu& to) {
                   uint32_t tags = 0;
                   std::memcpy(&tags, from.data(), from.size());
                   to.fpu.tags = ShortTags(tags);
                 }});
  all.push_back(ReadOnly("fiseg", 4, "int", [](const GdbCpu& at) { return at.fpu.instruction >> 32; }));
  all.push_back(ReadOnly("fioff", 4, "int", [](const GdbCpu& at) { return at.fpu.instruction; }));
  all.push_back(ReadOnly("foseg", 4, "int", [](const GdbCpu& at) { return at.fpu.operand >> 32; }));
  all.push_back(ReadOnly("fooff", 4, "int", [](const GdbCpu& at) { return at.fpu.operand; }));
  all.push_back(Number("fop", 4, "int", [](GdbCpu& at) -> uint16_t& { return at.fpu.opcode; }));
}

void AddSse(std::vector<Register>& all) {
  for (size_t i = 0; i < 16; ++i) {
    all.push_back({absl::StrFormat("xmm%d", i), 16, "vec128",
                   [i](const GdbCpu& from, Bytes to) { std::memcpy(to.data(), from.fpu.xmm[i].data(), to.size()); },
                   [i](ConstBytes from, GdbCpu& to) { std::memcpy(to.fpu.xmm[i].data(), from.data(), from.size()); }});
  }
  all.push_back(Number("mxcsr", 4, "i386_mxcsr", [](GdbCpu& at) -> uint32_t& { return at.fpu.mxcsr; }));
}

const RegisterMap& Registers() {
  static const RegisterMap& map = *[] {
    auto* made = new RegisterMap;
    AddGeneral(made->all);
    AddSegments(made->all);
    AddControl(made->all);
    made->first_fpu = made->all.size();
    AddX87(made->all);
    made->first_sse = made->all.size();
    AddSse(made->all);
    return made;
  }();
  return map;
}

struct Flag {
  std::string_view name;
  int bit;
};

std::string FlagsXml(std::string_view id, int size, std::span<const Flag> flags) {
  std::string xml = absl::StrFormat("<flags id=\"%s\" size=\"%d\">", id, size);
  for (const Flag& flag : flags) {
    absl::StrAppendFormat(&xml, "<field name=\"%s\" start=\"%d\" end=\"%d\"/>", flag.name, flag.bit, flag.bit);
  }
  return xml + "</flags>";
}

// Bits as Intel SDM vol. 1, section 3.4.3, and vol. 3, sections 2.2.1 and 2.5, name them.
std::string CoreTypesXml() {
  constexpr Flag kEflags[] = {{"CF", 0},  {"", 1},    {"PF", 2},   {"AF", 4},   {"ZF", 6},  {"SF", 7},
                              {"TF", 8},  {"IF", 9},  {"DF", 10},  {"OF", 11},  {"NT", 14}, {"RF", 16},
                              {"VM", 17}, {"AC", 18}, {"VIF", 19}, {"VIP", 20}, {"ID", 21}};
  constexpr Flag kCr0[] = {{"PE", 0},  {"MP", 1},  {"EM", 2},  {"TS", 3},  {"ET", 4}, {"NE", 5},
                           {"WP", 16}, {"AM", 18}, {"NW", 29}, {"CD", 30}, {"PG", 31}};
  constexpr Flag kCr4[] = {{"VME", 0},         {"PVI", 1},    {"TSD", 2},      {"DE", 3},    {"PSE", 4},
                           {"PAE", 5},         {"MCE", 6},    {"PGE", 7},      {"PCE", 8},   {"OSFXSR", 9},
                           {"OSXMMEXCPT", 10}, {"UMIP", 11},  {"LA57", 12},    {"VMXE", 13}, {"SMXE", 14},
                           {"FSGSBASE", 16},   {"PCIDE", 17}, {"OSXSAVE", 18}, {"SMEP", 20}, {"SMAP", 21},
                           {"PKE", 22},        {"CET", 23},   {"PKS", 24}};
  constexpr Flag kEfer[] = {{"SCE", 0}, {"LME", 8}, {"LMA", 10}, {"NXE", 11}, {"SVME", 12}, {"FFXSR", 14}};
  return FlagsXml("i386_eflags", 4, kEflags) + FlagsXml("i386_cr0", 8, kCr0) + FlagsXml("i386_cr4", 8, kCr4) +
         FlagsXml("i386_efer", 8, kEfer);
}

std::string SseTypesXml() {
  constexpr Flag kMxcsr[] = {{"IE", 0}, {"DE", 1}, {"ZE", 2}, {"OE", 3},  {"UE", 4},  {"PE", 5},  {"DAZ", 6},
                             {"IM", 7}, {"DM", 8}, {"ZM", 9}, {"OM", 10}, {"UM", 11}, {"PM", 12}, {"FZ", 15}};
  return "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/><vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
         "<vector id=\"v16i8\" type=\"int8\" count=\"16\"/><vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
         "<vector id=\"v4i32\" type=\"int32\" count=\"4\"/><vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
         "<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/><field name=\"v2_double\" type=\"v2d\"/>"
         "<field name=\"v16_int8\" type=\"v16i8\"/><field name=\"v8_int16\" type=\"v8i16\"/>"
         "<field name=\"v4_int32\" type=\"v4i32\"/><field name=\"v2_int64\" type=\"v2i64\"/>"
         "<field name=\"uint128\" type=\"uint128\"/></union>" +
         FlagsXml("i386_mxcsr", 4, kMxcsr);
}

std::string RegistersXml(size_t first, size_t end) {
  std::string xml;
  for (size_t i = first; i < end; ++i) {
    const Register& reg = Registers().all[i];
    absl::StrAppendFormat(&xml, "<reg name=\"%s\" bitsize=\"%d\" type=\"%s\"/>\n", reg.name, 8 * reg.size, reg.type);
  }
  return xml;
}

}  // namespace

const std::string& GdbTargetXml() {
  static const std::string& xml = *new std::string(
      "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target version=\"1.0\">\n"
      "<architecture>i386:x86-64</architecture>\n<feature name=\"org.gnu.gdb.i386.core\">\n" +
      CoreTypesXml() + "\n" + RegistersXml(0, Registers().first_sse) +
      "</feature>\n<feature name=\"org.gnu.gdb.i386.sse\">\n" + SseTypesXml() + "\n" +
      RegistersXml(Registers().first_sse, Registers().all.size()) + "</feature>\n</target>\n");
  return xml;
}

std::vector<uint8_t> AllGdbRegisters(const GdbCpu& cpu) {
  std::vector<uint8_t> bytes(kGdbRegisterBytes);
  size_t at = 0;
  for (const Register& reg : Registers().all) {
    reg.get(cpu, Bytes(bytes).subspan(at, reg.size));
    at += reg.size;
  }
  return bytes;
}

bool SetAllGdbRegisters(std::span<const uint8_t> bytes, GdbCpu& cpu) {
  if (bytes.size() != kGdbRegisterBytes) return false;
  size_t at = 0;
  for (const Register& reg : Registers().all) {
    reg.set(bytes.subspan(at, reg.size), cpu);
    at += reg.size;
  }
  return true;
}

std::optional<std::vector<uint8_t>> OneGdbRegister(uint64_t number, const GdbCpu& cpu) {
  if (number >= Registers().all.size()) return std::nullopt;
  const Register& reg = Registers().all[number];
  std::vector<uint8_t> bytes(reg.size);
  reg.get(cpu, bytes);
  return bytes;
}

bool SetOneGdbRegister(uint64_t number, std::span<const uint8_t> bytes, GdbCpu& cpu) {
  if (number >= Registers().all.size() || bytes.size() != Registers().all[number].size) return false;
  Registers().all[number].set(bytes, cpu);
  return true;
}

bool IsFpuRegister(uint64_t number) { return number >= Registers().first_fpu; }

}  // namespace vmm
