// Tests the page in a real browser. Skipped, with the reason, if none is installed.
#include "dump/html/testing/browser.h"

#include <cstdlib>
#include <fstream>

#include "dump/flight/testing/made_up_story.h"
#include "dump/html/page.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vmm {
namespace {

using ::testing::IsEmpty;

constexpr const char* kHostile = "</pre></script><script>document.title='owned'</script><img src=x onerror=alert(1)>";

class PageInBrowserTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (Browser::Find().empty()) GTEST_SKIP() << "neither chromium-headless-shell nor chromium is installed";
    KernelReport report;
    report.release = "6.1.0-56-cloud-amd64";
    report.message.panic = kHostile;
    report.panic_cpu = 0;
    CpuReport cpu;
    cpu.task = Task{};
    cpu.task->comm = "<i>sh</i>";
    report.cpus = {cpu};
    report.log = {{.text = kHostile}};
    MadeUpStory made;
    made.console.lines.back().text = std::string("[    1.700000] Kernel panic - ") + kHostile;
    const std::string path = ::testing::TempDir() + "/page.html";
    std::ofstream file(path);
    PrintPage("vmcore", report, made.Story(), file);
    file.close();
    browser_ = Browser::Start();
    browser_->Open(path);
  }

  nlohmann::json Evaluate(const std::string& expression) { return browser_->Evaluate(expression); }

  // The middle of the first element that matches, in the viewport's coordinates.
  std::pair<double, double> Middle(const std::string& selector) {
    const nlohmann::json box = Evaluate("(() => { const e = document.querySelector('" + selector +
                                        "'); e.scrollIntoView(); const b = e.getBoundingClientRect();"
                                        "return [b.left + b.width / 2, b.top + b.height / 2]; })()");
    return {box.at(0), box.at(1)};
  }

  void Mouse(const char* type, std::pair<double, double> at) {
    browser_->Call("Input.dispatchMouseEvent", {{"type", type},
                                                {"x", at.first},
                                                {"y", at.second},
                                                {"button", type == std::string("mouseMoved") ? "none" : "left"},
                                                {"clickCount", 1}});
  }

  std::unique_ptr<Browser> browser_;
};

TEST_F(PageInBrowserTest, ItRendersWithoutAComplaint) {
  EXPECT_THAT(browser_->complaints(), IsEmpty());
  EXPECT_EQ(Evaluate("document.compatMode"), "CSS1Compat");
  EXPECT_GT(Evaluate("document.body.getBoundingClientRect().height"), 500);
  EXPECT_EQ(Evaluate("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)")
      << "the policy lets our own style sheet in";
}

TEST_F(PageInBrowserTest, WhatAGuestWroteIsTextAndNoElement) {
  EXPECT_EQ(Evaluate("document.querySelectorAll('img').length"), 0);
  EXPECT_EQ(Evaluate("document.querySelectorAll('script').length"), 2) << "the numbers, and our own";
  EXPECT_EQ(Evaluate("document.querySelectorAll('h1 *, pre i').length"), 0);
  EXPECT_EQ(Evaluate("document.querySelector('h1').textContent"), std::string("Kernel panic: ") + kHostile);
  EXPECT_NE(Evaluate("document.title"), "owned");
}

TEST_F(PageInBrowserTest, TheTimeLineHasItsVcpusAndOneWindowShows) {
  EXPECT_EQ(Evaluate("[...document.querySelectorAll('.window0 .lane[data-row]')].map(l => "
                     "l.getAttribute('aria-label').slice(0, 6)).join()"),
            "vCPU 0,vCPU 1");
  EXPECT_EQ(Evaluate("[...document.querySelectorAll('.window')].filter(w => w.offsetHeight > 0).length"), 1);
  EXPECT_EQ(Evaluate("document.querySelectorAll('.window0 .line').length"), 5) << "console lines";
  // vCPU 1's wait is drawn, as an area that can be seen.
  EXPECT_EQ(Evaluate("(() => { const b = document.querySelectorAll('.window0 .wait')[1].getBBox();"
                     "return b.height > 20 && b.width > 100; })()"),
            true);
  EXPECT_EQ(Evaluate("document.querySelectorAll('#sums tr').length"), 3);
}

TEST_F(PageInBrowserTest, AClickOnAWindowsNameShowsThatWindow) {
  const auto at = Middle("label[for=w1]");
  Mouse("mousePressed", at);
  Mouse("mouseReleased", at);
  EXPECT_EQ(Evaluate("[...document.querySelectorAll('.window')].map(w => w.offsetHeight > 0).indexOf(true)"), 1);
}

TEST_F(PageInBrowserTest, ThePointerOnALaneTellsItsMoment) {
  Mouse("mouseMoved", Middle(".window0 .lane[data-row=\"1\"]"));
  const std::string tip = Evaluate("document.getElementById('tip').hidden ? '' : tip.textContent");
  EXPECT_THAT(tip, ::testing::HasSubstr("vCPU 1"));
  EXPECT_THAT(tip, ::testing::HasSubstr("on a CPU"));
  EXPECT_EQ(Evaluate("document.querySelectorAll('.window0 .cursor').length"), 3) << "in all rows at once";
  EXPECT_THAT(browser_->complaints(), IsEmpty());
}

TEST_F(PageInBrowserTest, ItIsReadableWithoutScripts) {
  browser_->Call("Emulation.setScriptExecutionDisabled", {{"value", true}});
  browser_->Open(::testing::TempDir() + "/page.html");
  browser_->Call("Emulation.setScriptExecutionDisabled", {{"value", false}});
  EXPECT_GT(Evaluate("document.querySelector('.window0 .run').getBoundingClientRect().width"), 300);
  EXPECT_EQ(Evaluate("[...document.querySelectorAll('.window')].filter(w => w.offsetHeight > 0).length"), 1);
}

TEST_F(PageInBrowserTest, ItIsDarkWhereThatIsWanted) {
  browser_->Call("Emulation.setEmulatedMedia", {{"features", {{{"name", "prefers-color-scheme"}, {"value", "dark"}}}}});
  EXPECT_EQ(Evaluate("getComputedStyle(document.body).backgroundColor"), "rgb(18, 22, 26)");
}

TEST_F(PageInBrowserTest, ANarrowScreenDoesNotScrollSideways) {
  browser_->Call("Emulation.setDeviceMetricsOverride",
                 {{"width", 390}, {"height", 800}, {"deviceScaleFactor", 2}, {"mobile", true}});
  EXPECT_LE(Evaluate("document.documentElement.scrollWidth"), 390);
}

}  // namespace
}  // namespace vmm
