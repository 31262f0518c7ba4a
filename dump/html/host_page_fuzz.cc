// The host's notes of a dump, up to the page that shows them: no markup of the notes gets through.
#include <sstream>

#include "dump/flight/host_story.h"
#include "dump/html/page.h"
#include "dump/read/vmcore_note.h"
#include "fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const vmm::ParsedNotes notes = vmm::ParseNotes({data, size}, 0);
  const vmm::HostStory story = vmm::ReadHostStory(notes.notes);
  std::ostringstream page;
  vmm::PrintPage("vmcore", vmm::KernelReport(), story, page);
  vmm::FuzzCheck(page.str().find("<fuzz") == std::string::npos);
  return 0;
}
