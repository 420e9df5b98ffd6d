#pragma once

#include <squall/ioloop/loop/future.h>
#include <squall/ioloop/loop/task.h>
#include <squall/ioloop/loop/task_group.h>
#include <squall/ioloop/sync/event.h>
#include <squall/iostream/address/errors.h>
#include <squall/iostream/stream/iostream.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

// A client for Redis.
namespace squall::redis {

// ---- Replies of Redis, in RESP2 and RESP3 (redis.io/docs/reference/protocol-spec).

struct Value;
struct Nil {};
struct Error {
  std::string text;  // `WRONGTYPE Operation against ...`
};
struct BigNumber {
  std::string digits;
};
struct Array {
  std::vector<Value> items;
};
struct Set {
  std::vector<Value> items;
};
struct Map {
  std::vector<std::pair<Value, Value>> items;  // in the server's order
};

struct Value {
  std::variant<Nil, std::string, std::int64_t, double, bool, Error, BigNumber, Array, Set, Map> data;

  // The alternative T. Throws std::bad_variant_access if the value has another type.
  template <class T>
  const T& as() const {
    return std::get<T>(data);
  }
  template <class T>
  bool is() const noexcept {
    return std::holds_alternative<T>(data);
  }
};

// The text that redis-cli shows.
std::string to_string(const Value& value, std::size_t indent = 0);

// The server broke the protocol, or sent more than the limits allow. The connection is closed.
class ProtocolError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Limits of one reply.
inline constexpr std::size_t kMaxLine = 64 * 1024;
inline constexpr std::int64_t kMaxString = 512 * 1024 * 1024;  // Redis's own: streams need as large a buffer
inline constexpr std::int64_t kMaxItems = 1024 * 1024;         // of one aggregate
inline constexpr int kMaxDepth = 32;

// ---- The client.

// One connection to a Redis server. Commands may be sent at any time, by any number of tasks: they are
// pipelined, and their answers come in the order in which they were sent.
//
//     redis::Client client(co_await TCPClient::connect("localhost", 6379));
//     co_await client.hello();
//     Future<Value> first = client.command("INCR", "visits");   // sent with the next, in one packet
//     Future<Value> second = client.command("GET", "greeting");
//     const redis::Value visits = co_await std::move(first);
//
// Lifetime:  destroying the client closes the connection; commands that wait then throw StreamClosedError.
//            Dropping the future of an answer drops only that answer.
// Errors:    an error reply of Redis is a Value. Throws StreamClosedError after the connection was closed,
//            and ProtocolError if the server's fault closed it.
class Client {
 public:
  using PushHandler = std::function<void(const std::vector<Value>&)>;

  explicit Client(IOStream stream);
  ~Client() { close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Asks for RESP3, and stays with RESP2 if the server does not know it. With a password it logs in first.
  // Throws std::runtime_error with the server's message if the server refuses.
  Task<> hello(std::string user = {}, std::string password = {});
  // The version of RESP: 2 or 3.
  int protocol() const noexcept { return protocol_; }

  // Sends a command, which may not be SUBSCRIBE; words may be strings or integers. Throws
  // StreamBufferFullError if too much waits to be sent.
  template <class... Words>
  Future<Value> command(const Words&... words) {
    return send({word(words)...});
  }
  Future<Value> send(const std::vector<std::string>& words);

  // `handler` is called with each push of the server, such as the messages of a channel.
  void on_push(PushHandler handler) { on_push_ = std::move(handler); }
  // Needs RESP3. The server's confirmation, and then the messages, come as pushes.
  void subscribe(const std::string& channel);

  // Commands that wait throw StreamClosedError.
  void close() noexcept { close(std::make_exception_ptr(StreamClosedError())); }
  // The error that closed the connection; null while it is open.
  std::exception_ptr error() const noexcept { return error_; }
  // `co_await client.closed()` waits until the connection is closed.
  Event::Wait closed() { return closed_.wait(); }

 private:
  static std::string word(std::string_view text) { return std::string(text); }
  template <class Integer>
  requires std::is_integral_v<Integer>
  static std::string word(Integer number) {
    return std::to_string(number);
  }

  void write(const std::vector<std::string>& words);
  Task<> read_replies();
  void close(std::exception_ptr error) noexcept;

  IOStream stream_;
  int protocol_ = 2;
  std::deque<Promise<Value>> waiting_;  // for their answers, in order
  PushHandler on_push_;
  std::exception_ptr error_;
  Event closed_;
  TaskGroup reader_;
};

}  // namespace squall::redis
