// tools/squall_watch.cc -- runs a program, and starts it again when its files change.
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/base/parse_decimal.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/iostream/socket/bind_sockets.h>
#include <squall/version.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "command_line.h"
#include "watch/supervisor.h"

using namespace squall;

namespace {

constexpr int kFailed = 1;

// The number of the leading arguments that are squall-watch's own; the program follows.
int own_arguments(int argc, char** argv) {
  static constexpr std::array<std::string_view, 4> kWithValue = {"--build", "--grace", "--listen", "--watch"};
  int i = 1;
  while (i < argc && argv[i][0] == '-' && std::string_view(argv[i]) != "--") {
    const bool has_value = std::find(kWithValue.begin(), kWithValue.end(), argv[i]) != kWithValue.end();
    i += has_value ? 2 : 1;
  }
  return std::min(i, argc);
}

// `PORT` or `ADDRESS:PORT`. A page with compiler errors is for this machine, so the default is its own
// address.
std::vector<OwnedFd> bind(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const std::string port = colon == text.npos ? text : text.substr(colon + 1);
  ListenOptions options;
  options.address = colon == text.npos ? "localhost" : text.substr(0, colon);
  if (options.address.starts_with('[') && options.address.ends_with(']'))
    options.address = options.address.substr(1, options.address.size() - 2);
  const std::optional<std::uint16_t> number = parse_decimal<std::uint16_t>(port);
  if (!number) throw std::invalid_argument(fmt::format("--listen {}: there is no port", text));
  return bind_sockets(*number, options);
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
  tools::CommandLine line("squall-watch",
                          "Runs PROGRAM [ARGUMENTS], which follow the options, and starts it again when its "
                          "executable or a watched file changes.");
  line.version(fmt::format("squall-watch {}", kVersion));
  line.option("--watch", options.paths, "a file or folder to watch too; may be repeated");
  line.option("--build", options.build,
              "a shell command to run after a change of the watched files, which are the present folder by "
              "default; the program starts again if it succeeds");
  line.option(
      "--listen", addresses,
      "[ADDRESS:]PORT that the program gets as a listening socket (LISTEN_FDS); while it does not run, "
      "a page there says why");
  line.option("--grace", grace, "seconds between SIGTERM and SIGKILL").show_default().non_negative();
  line.flag("--until-success,--until_success", options.until_success,
            "end after the first run with exit status 0");
  line.flag("--poll", polls, "look at the files twice a second, and use no notices of the system");
  const int own = own_arguments(argc, argv);
  if (const std::optional<int> status = line.parse(own, argv)) return *status;
  const int first = own < argc && std::string_view(argv[own]) == "--" ? own + 1 : own;
  options.program.assign(argv + first, argv + argc);
  if (options.program.empty()) {
    fmt::print(stderr, "squall-watch: there is no program to run (--help shows the options)\n");
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
