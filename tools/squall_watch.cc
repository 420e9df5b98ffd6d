// tools/squall_watch.cc -- runs a program, and starts it again when its files change.
#include <squall/http/message/url_text.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/base/parse_decimal.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/iostream/socket/bind_sockets.h>
#include <squall/options/error.h>
#include <squall/options/option_parser.h>
#include <squall/version.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "watch/supervisor.h"

using namespace squall;

namespace {

constexpr int kFailed = 1;

// `PORT` or `ADDRESS:PORT`. A page with compiler errors is for this machine, so the default is its own
// address.
std::vector<OwnedFd> bind(const std::string& text) {
  ListenOptions options;
  options.address = "localhost";
  if (const auto number = parse_decimal<std::uint16_t>(text)) return bind_sockets(*number, options);
  const auto [host, port] = http::split_host_and_port(text);
  if (!port) throw std::invalid_argument(fmt::format("--listen {}: there is no port", text));
  options.address = host;
  if (host.starts_with('[')) options.address = host.substr(1, host.size() - 2);
  return bind_sockets(*port, options);
}

int run(const tools::WatchOptions& options, const std::vector<std::string>& addresses) {
  std::vector<OwnedFd> sockets;
  for (const std::string& address : addresses) {
    std::vector<OwnedFd> more = bind(address);
    std::move(more.begin(), more.end(), std::back_inserter(sockets));
  }
  IOLoop loop;
  if (!sockets.empty())
    log::general().info("Listening on port {}", Address::local_of(sockets.front().get()).port());
  tools::Supervisor supervisor(options, sockets);
  return loop.run_sync(supervisor.run());
}

}  // namespace

int main(int argc, char** argv) {
  tools::WatchOptions options;
  std::vector<std::string> addresses;
  double grace = 5;
  bool polls = false;
  squall::options::OptionParser line(
      "squall-watch",
      "Runs PROGRAM [ARGUMENTS], which follow the options, and starts it again when its executable or a "
      "watched file changes.");
  line.version(fmt::format("squall-watch {}", kVersion));
  line.bind("watch", options.paths, "a file or folder to watch too; may be repeated").metavar("PATH");
  line.bind("build", options.build,
            "a shell command to run after a change of the watched files, which are the present folder by "
            "default; the program starts again if it succeeds")
      .metavar("COMMAND");
  line.bind("listen", addresses,
            "a port that the program gets as a listening socket (LISTEN_FDS); while it does not run, a page "
            "there says why; may be repeated")
      .metavar("[ADDRESS:]PORT");
  line.bind("grace", grace, "seconds between SIGTERM and SIGKILL").non_negative();
  line.bind("until_success", options.until_success, "end after the first run with exit status 0");
  line.bind("poll", polls, "look at the files twice a second, and use no notices of the system");
  try {
    options.program = line.parse_command_line(argc, argv);
    if (options.program.empty())
      throw squall::options::Error("there is no program to run (--help shows the options)");
  } catch (const squall::options::Error& error) {
    fmt::print(stderr, "squall-watch: {}\n", error.what());
    return 2;
  }
  options.grace = std::chrono::duration<double>(grace);
  if (polls) options.how = FileWatcher::How::polling;
  if (!options.build.empty() && options.paths.empty()) options.paths.emplace_back(".");
  log::enable_pretty_logging();
  log::access().set_level(log::Level::none);
  try {
    return run(options, addresses);
  } catch (const std::exception& error) {
    fmt::print(stderr, "squall-watch: {}\n", error.what());
    return kFailed;
  }
}
