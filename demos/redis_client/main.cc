// demos/redis_client/main.cc -- sends commands to a Redis server, all at once, and prints the answers.
#include <squall/redis.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "command_line.h"

using namespace squall;

namespace {

struct Options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  std::string unix_path;
  std::string user;
  std::string password;
  std::string channel;
  int messages = 0;
  double timeout = 5;
  std::vector<std::string> commands;
};

// The commands that run if the command line has none.
const std::vector<std::string> kTour = {
    "PING",
    "SET squall:visits 41",
    "INCR squall:visits",
    "HSET squall:tour first loop second stream",
    "HGETALL squall:tour",
    "GET squall:tour",
    "DEL squall:visits squall:tour",
};

std::vector<std::string> words_of(const std::string& command) {
  std::istringstream line(command);
  std::vector<std::string> words;
  for (std::string word; line >> word;) words.push_back(word);
  return words;
}

Task<IOStream> connect(const Options& options) {
  ConnectOptions how;
  how.timeout = std::chrono::duration<double>(options.timeout);
  how.stream.max_buffer_size = redis::kMaxString + redis::kMaxLine;
  if (!options.unix_path.empty()) return TCPClient::connect_unix(options.unix_path, how);
  return TCPClient::connect(options.host, options.port, how);
}

// Sends every command before it waits for the first answer.
Task<> run_commands(redis::Client& client, const std::vector<std::string>& commands) {
  std::vector<Future<redis::Value>> answers;
  for (const std::string& command : commands) answers.push_back(client.send(words_of(command)));
  const std::vector<redis::Value> values =
      co_await multi(quiet<StreamClosedError, redis::ProtocolError>, std::move(answers));
  for (std::size_t i = 0; i < commands.size(); ++i)
    fmt::print("{}\n{}\n", commands[i], redis::to_string(values[i]));
}

// Prints the server's pushes, until `messages` messages have come.
Task<> listen(redis::Client& client, const std::string& channel, int messages) {
  bool is_enough = false;
  client.on_push([&](const std::vector<redis::Value>& items) {
    redis::Value all;
    all.data = redis::Array{items};
    fmt::print("{}\n", redis::to_string(all));
    std::fflush(stdout);
    if (is_enough) return;
    const auto* const kind = items.empty() ? nullptr : std::get_if<std::string>(&items[0].data);
    is_enough = kind && *kind == "message" && --messages == 0;
    if (is_enough) client.close();
  });
  client.subscribe(channel);
  co_await client.closed();
  if (!is_enough) std::rethrow_exception(client.error());
}

Task<> talk(const Options& options) {
  IOStream stream = co_await connect(options);
  redis::Client client(std::move(stream));
  co_await client.hello(options.user, options.password);
  const bool is_tour = options.commands.empty() && options.channel.empty();
  const std::vector<std::string>& commands = is_tour ? kTour : options.commands;
  co_await run_commands(client, commands);
  if (!options.channel.empty()) co_await listen(client, options.channel, options.messages);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  tools::CommandLine line("redis_client",
                          "Sends commands to a Redis server, all at once, and prints the answers.");
  line.option("commands", options.commands, "each argument is a command; without one, a small tour");
  line.option("--host", options.host, "host of the server").show_default();
  line.option("--port", options.port, "port of the server").show_default();
  line.option("--unix", options.unix_path, "path of the server's Unix socket, in place of host and port");
  line.option("--user", options.user, "user to log in as");
  line.option("--password", options.password, "password to log in with");
  line.option("--timeout", options.timeout, "seconds that connecting may take").show_default();
  line.option("--subscribe", options.channel, "afterwards print the messages of this channel");
  line.option("--messages", options.messages, "messages of the channel to print; 0: no limit").show_default();
  if (const std::optional<int> status = line.parse(argc, argv)) return *status;
  try {
    IOLoop loop;
    loop.run_sync(talk(options));
  } catch (const std::exception& error) {
    fmt::print(stderr, "redis_client: {}\n", error.what());
    return 1;
  }
  return 0;
}
