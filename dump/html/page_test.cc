// Tests the page as text: required content, forbidden content, and the largest size.
#include "dump/html/page.h"

#include <algorithm>
#include <sstream>

#include "dump/flight/testing/made_up_story.h"
#include "dump/testing/fuzz_steps.h"
#include "dump/testing/mutator.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string PageOf(const KernelReport& report, const HostStory& story) {
  std::ostringstream out;
  PrintPage("a <b>name</b>", report, story, out);
  return out.str();
}

constexpr const char* kHostile =
    "</pre></title></script><script>document.title='owned'</script><img src=x onerror=1>\"'";

KernelReport HostileReport() {
  KernelReport report;
  report.release = report.banner = report.symbols = report.signature = kHostile;
  report.message = {.panic = kHostile, .trouble = kHostile};
  report.taint = kHostile;
  report.panic_cpu = 0;
  CpuReport cpu;
  cpu.task = Task{};
  cpu.task->comm = kHostile;
  cpu.end = kHostile;
  ReportFrame frame;
  frame.place = KernelView::Place{};
  frame.place->function = frame.place->module = kHostile;
  cpu.frames = {frame};
  report.cpus = {cpu};
  Module module;
  module.name = kHostile;
  report.modules = {module};
  report.log = {{.text = kHostile}, {.level = 7, .text = "two\nlines"}};
  report.missing = {kHostile};
  return report;
}

HostStory HostileStory() {
  MadeUpStory made;
  for (ConsoleLine& line : made.console.lines) line.text = kHostile;
  HostStory story = made.Story();
  story.refused = {kHostile};
  return story;
}

TEST(PageTest, NothingOfAGuestsBecomesMarkup) {
  const std::string page = PageOf(HostileReport(), HostileStory());
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  EXPECT_THAT(page, Not(HasSubstr("<script>document")));
  EXPECT_THAT(page, Not(HasSubstr("<b>name")));
  EXPECT_THAT(page, HasSubstr("&lt;img src=x onerror=1&gt;"));
}

// Two tasks with hostile names in a deadlock.
Cause HostileCause() {
  Cause cause;
  cause.why = cause.function = kHostile;
  cause.fault.emplace();
  cause.code.lines.push_back({.text = kHostile});
  cause.targets = {kHostile};
  cause.registers = {{"rax", 0, kHostile}};
  cause.memory.emplace();
  cause.memory->source = cause.memory->meaning.words = kHostile;
  cause.memory->object.emplace();
  cause.memory->object->cache_name = kHostile;
  cause.tasks.emplace();
  cause.tasks->tasks.resize(2);
  for (TaskInfo& task : cause.tasks->tasks) task.task.comm = kHostile;
  TaskGroup group;
  group.state = TaskState::kUninterruptible;
  group.waits_in = kHostile;
  group.tasks = {0, 1};
  cause.tasks->groups = {group};
  Wait wait;
  wait.lock.why_no_owner = wait.lock.remark = kHostile;
  wait.lock.evidence = {{kHostile, 0}};
  cause.waits.waits = {wait, wait};
  cause.waits.waits[1].owner = 0;
  cause.lock_names = {kHostile, kHostile};
  cause.waits.deadlocks = {{{0, 1}, Certainty::kSure}};
  cause.waits.chains = {{.waits = {0, 1}, .deadlock = 0}};
  return cause;
}

TEST(PageTest, NothingOfACauseBecomesMarkup) {
  const Cause cause = HostileCause();
  std::ostringstream out;
  PrintPage("a name", HostileReport(), HostileStory(), out, &cause);
  EXPECT_THAT(out.str(), HasSubstr("Deadlock 1"));
  EXPECT_THAT(out.str(), HasSubstr("<h2>Instruction</h2>"));
  EXPECT_THAT(out.str(), Not(HasSubstr("<img")));
  EXPECT_THAT(out.str(), Not(HasSubstr("<script>document")));
}

TEST(PageTest, ThePageNeedsNothingBesideIt) {
  std::string page = PageOf({}, MadeUpStory().Story());
  constexpr std::string_view kNameSpace = "'http://www.w3.org/2000/svg'";  // a name; no request is made for it
  const size_t name = page.find(kNameSpace);
  ASSERT_NE(name, page.npos);
  page.erase(name, kNameSpace.size());
  for (const char* word : {"http:", "https:", "src=", "<link", "@import", "url("}) {
    const size_t at = page.find(word);
    EXPECT_EQ(at, page.npos) << page.substr(std::min(at, page.size()), 60);
  }
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
}

TEST(PageTest, ADumpWithoutHostsNotesHasItsDeathAndSaysSo) {
  const std::string page = PageOf(HostileReport(), {});
  EXPECT_THAT(page, HasSubstr("the dump has no notes of it"));
  EXPECT_THAT(page, Not(HasSubstr("Time line")));
}

TEST(PageTest, ALogThatCouldNotBeReadIsNotOneWithoutAPanic) {
  KernelReport report;
  EXPECT_THAT(PageOf(report, {}), HasSubstr("<h1>The kernel's log could not be read</h1>"));
  report.log = {{.text = "all is well"}};
  EXPECT_THAT(PageOf(report, {}), HasSubstr("<h1>No panic in the kernel's log</h1>"));
}

TEST(PageTest, AThreadOfWhichNothingIsKnownIsNotDrawnAsleep) {
  MadeUpStory made;
  for (FlightNote& flight : made.flights) flight.header.run_ns = flight.header.wait_ns = 0;
  const std::string page = PageOf({}, made.Story());
  EXPECT_THAT(page, HasSubstr("vCPU 1: its thread's time unknown"));
  EXPECT_THAT(page, HasSubstr("\"sampled\":false"));
  EXPECT_THAT(page, Not(HasSubstr("<rect class=\"bed\" x=")));
  EXPECT_THAT(PageOf({}, MadeUpStory().Story()), HasSubstr("<rect class=\"bed\" x=")) << "what is looked for";
}

TEST(PageTest, TheLargestStoryIsAPageOfSomeMegabytes) {
  MadeUpStory made;
  const FlightNote flight = made.flights[1];
  const SchedNote sched = made.scheds[1];
  for (uint32_t vcpu = 2; vcpu < 300; ++vcpu) {
    made.flights.push_back(flight);
    made.flights.back().header.vcpu = vcpu;
    made.scheds.push_back(sched);
    made.scheds.back().vcpu = vcpu;
  }
  made.console.lines.assign(3000, {MadeUpStory::Tsc(1.5), std::string(4000, '<'), 4000});
  made.console.lines_seen = 3000;
  KernelReport report = HostileReport();
  report.cpus.assign(300, report.cpus[0]);
  report.modules.assign(5000, report.modules[0]);
  report.log.assign(1000, {.text = std::string(20'000, '"')});
  const std::string page = PageOf(report, made.Story());
  EXPECT_LT(page.size(), 8u << 20);
  EXPECT_THAT(page, HasSubstr("The first 32 of 300 vCPUs."));
}

TEST(PageTest, WhateverStandsInTheNotesThePageIsBoundedAscii) {
  Mutator mutator(FuzzSeed(1));
  for (uint64_t step = FuzzSteps(60); step > 0; --step) {
    std::vector<VmcoreNote> notes;
    for (const CoreNote& note : MadeUpStory().Notes()) {
      std::string bytes = note.desc;
      if (mutator.Below(2) == 0) mutator.Change(bytes);
      notes.push_back({note.name, note.type, {bytes.begin(), bytes.end()}});
    }
    const std::string page = PageOf({}, ReadHostStory(notes));
    ASSERT_LT(page.size(), 1u << 20);
    ASSERT_TRUE(std::ranges::all_of(page, [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }));
    ASSERT_EQ(page.find("nan"), page.npos) << "a number that is none would stop the page's script";
    ASSERT_EQ(page.find(":inf"), page.npos);
  }
}

}  // namespace
}  // namespace vmm
