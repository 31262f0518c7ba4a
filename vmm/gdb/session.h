// One debugger's session: gdb's remote protocol, as gdb 12 and later speak it with a machine whose vCPUs are threads.
// All of them stop and go together. docs/live.md says what works; gdb's manual, appendix E, has the packets.
#ifndef VMM_GDB_SESSION_H_
#define VMM_GDB_SESSION_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vmm/gdb/breakpoints.h"
#include "vmm/gdb/debug_guest.h"
#include "vmm/gdb/packet.h"

namespace vmm {

// Used on the run's thread. The debugger is a program of the user's, and is not trusted to be right.
class GdbSession {
 public:
  static constexpr size_t kMaxOutput = 1 << 20;  // bytes that gdb has not read; more ends the session

  // Stops the guest, if it runs. `words` are printed by `monitor kernel`. `guest` must outlive the session.
  GdbSession(DebugGuest& guest, std::string words);

  void Receive(std::string_view bytes);

  // To be called when a vCPU may have come to a breakpoint: tells gdb, if so.
  void LookForStop();
  // The guest was stopped by somebody else, or has died and stays: tells gdb, if it waits.
  void GuestStopped();
  // The machine ends.
  void GuestEnded();

  // gdb is gone, with or without goodbye: the guest runs on as if it had never been there. A guest that somebody else
  // had paused before, and that gdb never let go, stays paused, unless gdb said goodbye.
  void Leave();

  // Bytes for gdb. The owner of the connection removes those that it has sent.
  std::string& output() { return output_; }

  // True if the session must end, when the output is out.
  bool ended() const { return ended_; }

 private:
  void Execute(const std::string& text);
  std::string Answer(std::string_view text);  // "": the packet is not known
  std::string AnswerQuery(std::string_view text);
  void Reply(std::string_view text);
  void Interrupt();

  VirtualMemory View(const CpuState& cpu, bool physical) const;
  int selected() const;                                         // the vCPU of Hg
  std::optional<int> ParseThread(std::string_view text) const;  // -1: all
  std::string SelectThread(std::string_view text);
  std::string ThreadInfo(std::string_view id) const;
  std::string StopReply(int signal, int vcpu, std::string_view why = "") const;

  std::string ReadRegisters();
  std::string WriteRegisters(std::string_view hex);
  std::string ReadRegister(std::string_view number);
  std::string WriteRegister(std::string_view text);
  std::string ReadMemory(std::string_view text);
  std::string WriteMemory(std::string_view text, bool binary);
  std::string ChangeBreak(bool insert, std::string_view text);
  std::string Monitor(std::string_view hex);

  // The actions of vCont. Empty while the guest goes: its stop is the answer.
  std::string Continue(std::string_view actions);
  std::string Go(const DebugGuest::Going& going);
  std::string Detach();

  DebugGuest& guest_;
  const std::string words_;
  const bool was_paused_;
  GdbPacketReader reader_;
  std::string output_;
  std::string last_;  // the last packet, for one that got lost
  bool acks_ = true;
  bool waits_ = false;     // gdb let the guest go and waits for a stop
  bool stopping_ = false;  // we stop it ourselves
  bool went_ = false;      // gdb let it go at least once
  bool left_ = false;
  bool ended_ = false;
  bool physical_memory_ = false;
  int general_thread_ = 0;    // Hg, a vCPU
  int continue_thread_ = -1;  // Hc, a vCPU; -1: all
  int last_vcpu_ = 0;
  Breakpoints breakpoints_;
};

}  // namespace vmm

#endif  // VMM_GDB_SESSION_H_
