#include <squall/ioloop/reload/wait_until_runnable.h>

#include <squall/testing/log_capture.h>

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "support/temporary_folder.h"
#include "support/test_loop.h"

namespace squall::wait_until_runnable_test {
namespace {

using namespace std::chrono_literals;
using testing::TemporaryFolder;
using testing::TestLoop;

TEST_CASE("a program that is complete is not waited for", "[wait_until_runnable]") {
  TestLoop loop;
  loop.run(wait_until_runnable("/bin/sh"));
}

TEST_CASE("wait_until_runnable() waits for the executable and for the libraries, and says so once",
          "[wait_until_runnable]") {
  TestLoop loop;
  testing::LogCapture log(log::Level::info);
  const TemporaryFolder folder;
  const std::string program = folder.file("program", "");
  const std::string library = folder / "library.so";
  bool has_ended = false;
  const auto wait = [](std::string executable, std::vector<std::string> libraries, bool& ended) -> Task<> {
    co_await wait_until_runnable(std::move(executable), std::move(libraries));
    ended = true;
  };
  loop.spawn(wait(program, {library}, has_ended));
  loop.run_turn();
  log.expect("program cannot run yet: it is empty; waiting for it");
  folder.file("program", "#!/bin/sh\n");
  REQUIRE(::chmod(program.c_str(), 0755) == 0);
  loop.call_later(120ms, [&] {
    CHECK_FALSE(has_ended);
    folder.file("library.so", "complete");
  });
  loop.run_until([&] { return has_ended; });
  CHECK(log.empty());
}

}  // namespace
}  // namespace squall::wait_until_runnable_test
