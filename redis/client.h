#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/base/void_function.h>
#include <squall/ioloop/loop/future.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>
#include <squall/ioloop/loop/task_group.h>
#include <squall/ioloop/sync/event.h>
#include <squall/iostream/stream/iostream.h>
#include <squall/redis/command.h>
#include <squall/redis/reply_parser.h>
#include <squall/redis/value.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::redis {

struct ClientOptions {
  ReplyLimits limits{};
  // While commands wait, the longest time in which no byte of an answer arrives: then the connection is
  // closed with AnswerTimeoutError. nullopt, no limit, for connections with commands that block, such as
  // BLPOP.
  std::optional<TimeSpan> answer_timeout = std::chrono::seconds(30);
  // The most commands that wait for their answers.
  std::size_t max_waiting = 1'000'000;
};

// As whom a connection logs in, and what it is called.
struct Login {
  std::string user{};         // empty: `default`
  std::string password{};     // empty: no login
  std::string client_name{};  // for CLIENT LIST; without spaces
  std::uint32_t database = 0;
  bool prefers_resp3 = true;
};

// A message of a channel; the views are valid during the call of the handler.
struct ChannelMessage {
  std::string_view channel{};
  std::string_view payload{};
  std::optional<std::string_view> pattern{};  // of psubscribe()
};

// One connection to a Redis server. Commands may be sent at any time, by any number of tasks: they are
// pipelined, and their answers come in the order in which they were sent. Commands that are sent without a
// co_await between them stay together, as MULTI ... EXEC needs it.
//
//     std::unique_ptr<redis::Client> client = co_await redis::connect("redis://localhost/2");
//     Future<redis::Value> first = client->command("INCR", "visits");   // sent with the next, in one packet
//     Future<redis::Value> second = client->command("GET", "greeting");
//     const redis::Value visits = co_await std::move(first);
//
// Dropping the future of an answer drops only the answer: the command is sent, and the server may perform it.
// So with_timeout(1s, client->command(...)) limits the wait, not the command.
//
// Thread:    the loop's thread.
// Lifetime:  destroying the client closes the connection, and commands that wait throw StreamClosedError. The
//            handlers may close it, and must not destroy it.
// Errors:    an error reply is a Value; Value::as() throws it as ReplyError. Commands that wait, and later
//            ones, throw what closed the connection: StreamClosedError, ProtocolError, AnswerTimeoutError.
//            Exceptions of handlers are logged.
class Client {
 public:
  explicit Client(IOStream stream, const ClientOptions& options = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Asks for RESP3, logs in and selects the database; for a new connection. Stays with RESP2 if the server
  // does not know RESP3. Throws ReplyError if the server refuses.
  Task<> hello(Login login);
  // The version of RESP: 2 or 3.
  int protocol() const noexcept { return protocol_; }

  // Sends a command. Words are strings, integers or floating-point numbers. Throws std::invalid_argument for
  // commands whose answers do not come in order (SUBSCRIBE, MONITOR), and StreamBufferFullError if too many
  // commands wait or too many bytes are unsent.
  template <class... Words>
  Future<Value> command(std::string_view name, const Words&... words) {
    return send(Command(name, words...));
  }
  Future<Value> send(const Command& command);
  // The same; throws std::invalid_argument without words.
  Future<Value> send(const std::vector<std::string>& words);

  // ---- Channels. The future is done when the server has confirmed each of the names, of which there must be
  // one: Nil, or the server's Error. With RESP2 no other commands than these and PING may follow until all is
  // unsubscribed.
  Future<Value> subscribe(const std::vector<std::string>& channels);
  Future<Value> unsubscribe(const std::vector<std::string>& channels);
  Future<Value> psubscribe(const std::vector<std::string>& patterns);
  Future<Value> punsubscribe(const std::vector<std::string>& patterns);
  // Sharded channels, of Redis 7. In a cluster all names of a call must be of one slot.
  Future<Value> ssubscribe(const std::vector<std::string>& channels);
  Future<Value> sunsubscribe(const std::vector<std::string>& channels);

  // Called with each message of the channels, in the order of their arrival.
  void on_message(VoidFunction<const ChannelMessage&> handler) { on_message_ = std::move(handler); }
  // Called with each other push, such as `invalidate`, and with each confirmation of a channel: before a
  // later message of that channel, and before the future is done. Replace no handler from within a handler.
  void on_push(VoidFunction<const std::vector<Value>&> handler) { on_push_ = std::move(handler); }

  // Commands that wait throw StreamClosedError.
  void close() noexcept;
  // What closed the connection; null while it is open.
  std::exception_ptr error() const noexcept { return error_; }
  // `co_await client.closed()` waits until the connection is closed.
  Event::Wait closed() { return closed_.wait(); }
  // Commands that wait for their answers.
  std::size_t waiting() const noexcept { return waiting_.size(); }

 private:
  // A command that waits. Those of channels wait for a confirmation of each name instead of an answer.
  struct Waiting {
    Promise<Value> promise{};
    std::string_view confirmation{};  // `subscribe`; empty for other commands
    std::size_t names = 0;            // without confirmation
  };

  Future<Value> write(const Command& command, std::string_view confirmation = {}, std::size_t names = 0);
  Future<Value> change(std::string_view verb, const std::vector<std::string>& names);
  Task<> log_in_resp2(Login login);
  Task<> read_replies();
  bool take(std::string_view bytes);
  void take_reply(Reply& reply);
  bool is_push(const Reply& reply) const;
  void take_push(const std::vector<Value>& items);
  void confirm(std::string_view kind, const std::vector<Value>& items);
  void answer(Value value);
  void set_timer();
  void check_time();
  void close(std::exception_ptr error) noexcept;

  IOStream stream_;
  ClientOptions options_;
  ReplyParser parser_;
  int protocol_ = 2;
  bool is_subscriber_ = false;   // with RESP2: messages come as arrays
  std::deque<Waiting> waiting_;  // in the order of their answers
  VoidFunction<const ChannelMessage&> on_message_;
  VoidFunction<const std::vector<Value>&> on_push_;
  std::exception_ptr error_;
  Event closed_;
  IOLoop::TimePoint progress_{};  // the last bytes of answers, or the first command after none waited
  Timeout timer_;                 // runs while commands wait, and is set anew only when it fires
  bool has_timer_ = false;
  TaskGroup reader_;
};

}  // namespace squall::redis
