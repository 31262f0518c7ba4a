#include "dump/nested/svm/print_vmcb12.h"

#include <string>
#include <string_view>

#include "absl/strings/str_format.h"
#include "base/guest_addr.h"
#include "dump/nested/fields/register_names.h"
#include "dump/nested/svm/svm_names.h"

namespace vmm {
namespace {

constexpr std::string_view kControlArea = "control";
constexpr std::string_view kSaveArea = "guest state";

// Names the bits that are set in nested_ctl or virt_ext.
std::string BitNames(uint64_t value, std::span<const std::string_view> names) {
  std::string text;
  for (int bit = 0; bit < 64; ++bit) {
    if ((value >> bit & 1) == 0) continue;
    if (!text.empty()) text += ", ";
    text += static_cast<size_t>(bit) < names.size() ? std::string(names[static_cast<size_t>(bit)])
                                                    : absl::StrFormat("bit %d", bit);
  }
  return text;
}

// A VMCB's attributes are the bits of a VMCS's access rights without the hole in the middle.
std::string AttributesMeaning(uint64_t attrib) { return SegmentRightsMeaning((attrib & 0xff) | (attrib & 0xf00) << 4); }

std::string TlbControl(uint64_t value) {
  switch (value) {
    case 0: return "";
    case 1: return "flush all";
    case 3: return "flush this guest's";
    case 7: return "flush this guest's but the global";
    default: return "unknown";
  }
}

void AddControl(const VmcbControl& control, std::vector<StateField>* fields) {
  const auto add = [&](std::string_view name, auto value, std::string meaning = "") {
    fields->push_back({kControlArea, name, static_cast<int>(sizeof(value)), value, std::move(meaning)});
  };
  constexpr std::string_view kIntercepts[] = {"intercepts_cr",    "intercepts_dr",    "intercepts_exceptions",
                                              "intercepts_word3", "intercepts_word4", "intercepts_word5"};
  constexpr std::string_view kNested[] = {"nested paging", "SEV", "SEV-ES"};
  constexpr std::string_view kVirt[] = {"LBR virtualization", "virtual VMLOAD and VMSAVE"};
  for (int word = 0; word < 6; ++word) {
    add(kIntercepts[word], control.intercepts[word], SvmInterceptNames(word, control.intercepts[word]));
  }
  add("pause_filter_thresh", control.pause_filter_thresh);
  add("pause_filter_count", control.pause_filter_count);
  add("iopm_base_pa", control.iopm_base_pa);
  add("msrpm_base_pa", control.msrpm_base_pa);
  add("tsc_offset", control.tsc_offset);
  add("asid", control.asid);
  add("tlb_ctl", control.tlb_ctl, TlbControl(control.tlb_ctl));
  add("int_ctl", control.int_ctl);
  add("int_vector", control.int_vector);
  add("int_state", control.int_state, (control.int_state & 1) != 0 ? "interrupt shadow" : "");
  add("exit_code", control.exit_code, SvmExitCodeName(control.exit_code));
  add("exit_info_1", control.exit_info_1);
  add("exit_info_2", control.exit_info_2);
  add("exit_int_info", control.exit_int_info, EventMeaning(control.exit_int_info));
  add("exit_int_info_err", control.exit_int_info_err);
  add("nested_ctl", control.nested_ctl, BitNames(control.nested_ctl, kNested));
  add("avic_vapic_bar", control.avic_vapic_bar);
  add("ghcb_gpa", control.ghcb_gpa);
  add("event_inj", control.event_inj, EventMeaning(control.event_inj));
  add("event_inj_err", control.event_inj_err);
  add("nested_cr3", control.nested_cr3,
      (control.nested_ctl & 1) != 0 ? absl::StrFormat("table at 0x%x", AlignDown(control.nested_cr3, kPageSize)) : "");
  add("virt_ext", control.virt_ext, BitNames(control.virt_ext, kVirt));
  add("clean", control.clean);
  add("next_rip", control.next_rip);
  add("insn_len", control.insn_len);
  add("avic_backing_page", control.avic_backing_page);
  add("avic_logical_id", control.avic_logical_id);
  add("avic_physical_id", control.avic_physical_id);
  add("vmsa_pa", control.vmsa_pa);
}

void AddSave(const VmcbSave& save, std::vector<StateField>* fields) {
  const auto add = [&](std::string_view name, auto value, std::string meaning = "") {
    fields->push_back({kSaveArea, name, static_cast<int>(sizeof(value)), value, std::move(meaning)});
  };
#define SEGMENT(segment)                                                                \
  add(#segment ".selector", save.segment.selector);                                     \
  add(#segment ".attrib", save.segment.attrib, AttributesMeaning(save.segment.attrib)); \
  add(#segment ".limit", save.segment.limit);                                           \
  add(#segment ".base", save.segment.base)
#define TABLE(table)                      \
  add(#table ".limit", save.table.limit); \
  add(#table ".base", save.table.base)
  SEGMENT(es);
  SEGMENT(cs);
  SEGMENT(ss);
  SEGMENT(ds);
  SEGMENT(fs);
  SEGMENT(gs);
  TABLE(gdtr);
  SEGMENT(ldtr);
  TABLE(idtr);
  SEGMENT(tr);
#undef TABLE
#undef SEGMENT
  add("cpl", save.cpl);
  add("efer", save.efer, EferMeaning(save.efer));
#define PLAIN(field) add(#field, save.field)
  PLAIN(cr4);
  PLAIN(cr3);
  PLAIN(cr0);
  PLAIN(dr7);
  PLAIN(dr6);
  PLAIN(rflags);
  PLAIN(rip);
  PLAIN(rsp);
  PLAIN(s_cet);
  PLAIN(ssp);
  PLAIN(isst_addr);
  PLAIN(rax);
  PLAIN(star);
  PLAIN(lstar);
  PLAIN(cstar);
  PLAIN(sfmask);
  PLAIN(kernel_gs_base);
  PLAIN(sysenter_cs);
  PLAIN(sysenter_esp);
  PLAIN(sysenter_eip);
  PLAIN(cr2);
  PLAIN(g_pat);
  PLAIN(dbgctl);
  PLAIN(br_from);
  PLAIN(br_to);
  PLAIN(last_excp_from);
  PLAIN(last_excp_to);
  PLAIN(spec_ctrl);
#undef PLAIN
}

}  // namespace

std::vector<StateField> DescribeVmcb12(const Vmcb12& vmcb, VmcbParts parts) {
  std::vector<StateField> fields;
  AddControl(vmcb.control, &fields);
  if (parts == VmcbParts::kControlAndSave) AddSave(vmcb.save, &fields);
  return fields;
}

}  // namespace vmm
