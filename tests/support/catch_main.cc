// main() of the test programs: Catch2 with a reporter that prints TAP, one line for each test case, which
// meson counts.

#define CATCH_CONFIG_RUNNER
#include "support/catch.h"

#include <iostream>
#include <string>

namespace {

#if SQUALL_CATCH == 3
using Base = Catch::StreamingReporterBase;
const Catch::TestCaseInfo& info_of(const Catch::TestCaseStats& stats) { return *stats.testInfo; }
#else
using Base = Catch::StreamingReporterBase<class TapReporter>;
const Catch::TestCaseInfo& info_of(const Catch::TestCaseStats& stats) { return stats.testInfo; }
#endif

// A failed assertion is a comment above the `not ok` line of its test case.
class TapReporter : public Base {
 public:
  using Base::Base;
  static std::string getDescription() { return "TAP, a line a test case"; }

#if SQUALL_CATCH == 3
  void assertionEnded(const Catch::AssertionStats& stats) override {
#else
  void assertionStarting(const Catch::AssertionInfo&) override {}
  bool assertionEnded(const Catch::AssertionStats& stats) override {
#endif
    const Catch::AssertionResult& result = stats.assertionResult;
    if (!result.isOk()) {
      comment(std::string(result.getSourceInfo().file) + ":" + std::to_string(result.getSourceInfo().line));
      if (result.hasExpression()) comment("  " + result.getExpressionInMacro());
      if (result.hasExpandedExpression()) comment("  became: " + result.getExpandedExpression());
      if (result.hasMessage()) comment("  " + std::string(result.getMessage()));
      for (const Catch::MessageInfo& note : stats.infoMessages) comment("  " + note.message);
    }
#if SQUALL_CATCH == 2
    return true;
#endif
  }

  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    std::string name = info_of(stats).name;
    for (char& c : name)
      if (c == '#') c = '_';  // in TAP it begins a directive
    std::cout << (stats.totals.assertions.allOk() && stats.totals.testCases.failed == 0 ? "ok " : "not ok ")
              << ++count_ << " - " << name << std::endl;
    Base::testCaseEnded(stats);
  }

  void testRunEnded(const Catch::TestRunStats& stats) override {
    std::cout << "1.." << count_ << std::endl;
    Base::testRunEnded(stats);
  }

 private:
  void comment(const std::string& text) {
    std::string line = "# ";
    for (const char c : text) line += c == '\n' ? std::string("\n# ") : std::string(1, c);
    std::cout << line << std::endl;
  }

  int count_ = 0;
};

CATCH_REGISTER_REPORTER("tap-cases", TapReporter)

}  // namespace

int main(int argc, char** argv) { return Catch::Session().run(argc, argv); }
