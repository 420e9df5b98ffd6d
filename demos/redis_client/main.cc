// demos/redis_client/main.cc -- sends commands to a Redis server, all at once, and prints the answers.
#include <squall/options/option_parser.h>
#include <squall/redis.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

using namespace squall;

namespace {

struct Options {
  std::string url = "redis://127.0.0.1:6379";
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

// Sends every command before it waits for the first answer.
Task<> run_commands(redis::Client& client, const std::vector<std::string>& commands) {
  std::vector<Future<redis::Value>> answers;
  for (const std::string& command : commands) answers.push_back(client.send(words_of(command)));
  const std::vector<redis::Value> values =
      co_await multi(quiet<StreamClosedError, redis::ProtocolError>, std::move(answers));
  for (std::size_t i = 0; i < commands.size(); ++i)
    fmt::print("{}\n{}\n", commands[i], redis::to_string(values[i]));
}

// Prints the messages of a channel, until `messages` messages have come.
Task<> listen(redis::Client& client, const std::string& channel, int messages) {
  bool is_enough = false;
  client.on_message([&](const redis::ChannelMessage& message) {
    fmt::print("{}: {}\n", message.channel, message.payload);
    std::fflush(stdout);
    is_enough = --messages == 0;
    if (is_enough) client.close();
  });
  std::vector<std::string> channels;
  channels.push_back(channel);
  const redis::Value confirmed = co_await client.subscribe(channels);
  if (const auto* const refusal = confirmed.get<redis::Error>()) throw redis::ReplyError(refusal->text);
  fmt::print("listening to {}\n", channel);
  std::fflush(stdout);
  co_await client.closed();
  if (!is_enough) std::rethrow_exception(client.error());
}

Task<> talk(const Options& options) {
  redis::ConnectSettings settings;
  settings.connection.timeout = std::chrono::duration<double>(options.timeout);
  settings.client_name = "redis_client";
  std::unique_ptr<redis::Client> client = co_await redis::connect(options.url, settings);
  const bool is_tour = options.commands.empty() && options.channel.empty();
  const std::vector<std::string>& commands = is_tour ? kTour : options.commands;
  co_await run_commands(*client, commands);
  if (!options.channel.empty()) co_await listen(*client, options.channel, options.messages);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  options::OptionParser line("redis_client",
                             "Sends commands to a Redis server, all at once, and prints the answers.");
  line.bind_argument("commands", options.commands, "each argument is a command; without one, a small tour");
  line.bind("url", options.url,
            "the server: redis://[[user]:password@]host[:port][/database], or unix:///path");
  line.bind("timeout", options.timeout, "seconds that connecting and the login may take");
  line.bind("subscribe", options.channel, "afterwards print the messages of this channel");
  line.bind("messages", options.messages, "messages of the channel to print; 0: no limit");
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
