#include <squall/redis/client.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/log.h>
#include <squall/iostream/address/errors.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <new>
#include <stdexcept>
#include <utility>

namespace squall::redis {
namespace {

constexpr std::array<std::string_view, 6> kConfirmations{"subscribe",    "unsubscribe", "psubscribe",
                                                         "punsubscribe", "ssubscribe",  "sunsubscribe"};
constexpr std::array<std::string_view, 3> kMessages{"message", "smessage", "pmessage"};
// Commands whose answers are not one reply in the order of commands.
constexpr std::array<std::string_view, 3> kStreaming{"monitor", "sync", "psync"};

template <std::size_t size>
bool contains(const std::array<std::string_view, size>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

template <std::size_t size>
bool contains_ignoring_case(const std::array<std::string_view, size>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [name](std::string_view one) { return equals_ignoring_case(one, name); });
}

std::string lower(std::string_view name) {
  std::string text(name);
  make_lower(text);
  return text;
}

std::string_view text_of(const std::vector<Value>& items, std::size_t i) {
  const std::string* const text = i < items.size() ? items[i].get<std::string>() : nullptr;
  return text ? *text : std::string_view();
}

std::exception_ptr closed_by_peer(const IOStream& stream) {
  return std::make_exception_ptr(StreamClosedError(stream.error()));
}

void log_handler_error() noexcept {
  log::application().error("Exception in a handler of a Redis client: {}", current_what());
}

void check_answer(const Value& answer) {
  if (const Error* const error = answer.get<Error>()) throw ReplyError(error->text);
}

}  // namespace

Client::Client(IOStream stream, const ClientOptions& options)
    : stream_(std::move(stream)), options_(options), parser_(options.limits), reader_(stream_.loop()) {
  reader_.add(read_replies());
}

Client::~Client() { close(); }

Task<> Client::hello(Login login) {
  if (!login.prefers_resp3) {
    co_await log_in_resp2(std::move(login));
    co_return;
  }
  Command command("HELLO", 3);
  if (!login.password.empty())
    command.add("AUTH").add(login.user.empty() ? "default" : login.user).add(login.password);
  if (!login.client_name.empty()) command.add("SETNAME").add(login.client_name);
  const Value answer = co_await send(command);
  const Error* const refusal = answer.get<Error>();
  // A server before Redis 6, or another that speaks only RESP2.
  if (refusal && (refusal->text.starts_with("ERR unknown command") || refusal->code() == "NOPROTO")) {
    co_await log_in_resp2(std::move(login));
    co_return;
  }
  check_answer(answer);
  protocol_ = 3;
  if (login.database == 0) co_return;
  const Value selected = co_await this->command("SELECT", login.database);
  check_answer(selected);
}

Task<> Client::log_in_resp2(Login login) {
  std::vector<Future<Value>> answers;
  if (!login.password.empty()) {
    Command auth("AUTH");
    if (!login.user.empty()) auth.add(login.user);
    answers.push_back(send(auth.add(login.password)));
  }
  if (!login.client_name.empty()) answers.push_back(command("CLIENT", "SETNAME", login.client_name));
  if (login.database != 0) answers.push_back(command("SELECT", login.database));
  for (Future<Value>& future : answers) {
    const Value answer = co_await std::move(future);
    check_answer(answer);
  }
}

Future<Value> Client::send(const std::vector<std::string>& words) {
  if (words.empty()) throw std::invalid_argument("a command needs a name");
  return send(Command::of(words));
}

Future<Value> Client::send(const Command& command) {
  if (contains_ignoring_case(kConfirmations, command.name()))
    throw std::invalid_argument(
        fmt::format("use the function {}() of redis::Client for the command", lower(command.name())));
  if (contains_ignoring_case(kStreaming, command.name()))
    throw std::invalid_argument(fmt::format("redis::Client does not support {}", command.name()));
  return write(command);
}

Future<Value> Client::change(std::string_view verb, const std::vector<std::string>& names) {
  if (names.empty()) throw std::invalid_argument(fmt::format("{}() needs a name", verb));
  Command command(verb);
  for (const std::string& name : names) command.add(name);
  return write(command, verb, names.size());
}

Future<Value> Client::subscribe(const std::vector<std::string>& channels) {
  return change("subscribe", channels);
}
Future<Value> Client::unsubscribe(const std::vector<std::string>& channels) {
  return change("unsubscribe", channels);
}
Future<Value> Client::psubscribe(const std::vector<std::string>& patterns) {
  return change("psubscribe", patterns);
}
Future<Value> Client::punsubscribe(const std::vector<std::string>& patterns) {
  return change("punsubscribe", patterns);
}
Future<Value> Client::ssubscribe(const std::vector<std::string>& channels) {
  return change("ssubscribe", channels);
}
Future<Value> Client::sunsubscribe(const std::vector<std::string>& channels) {
  return change("sunsubscribe", channels);
}

// The stream sends everything written in one turn of the loop in one system call.
Future<Value> Client::write(const Command& command, std::string_view confirmation, std::size_t names) {
  if (error_) std::rethrow_exception(error_);
  if (waiting_.size() >= options_.max_waiting)
    throw StreamBufferFullError(fmt::format(
        "{} commands wait for the answers of Redis: see ClientOptions::max_waiting", waiting_.size()));
  if (waiting_.empty()) progress_ = stream_.loop().now();
  waiting_.emplace_back();
  waiting_.back().confirmation = confirmation;
  waiting_.back().names = names;
  try {
    set_timer();
    static_cast<void>(stream_.write(command.bytes()));
  } catch (...) {
    waiting_.pop_back();
    throw;
  }
  if (!confirmation.empty() && protocol_ < 3) is_subscriber_ = true;
  return waiting_.back().promise.get_future();
}

Task<> Client::read_replies() {
  for (;;) {
    const std::string_view bytes = co_await stream_.read_some(std::nothrow);
    if (error_) co_return;
    if (bytes.empty()) break;
    bool goes_on = false;
    try {
      goes_on = take(bytes);
    } catch (...) {  // no memory for a reply
      close(std::current_exception());
    }
    if (!goes_on) co_return;
  }
  close(closed_by_peer(stream_));
}

// False once the connection is closed.
bool Client::take(std::string_view bytes) {
  for (;;) {
    const ReplyParser::Result result = parser_.parse(bytes);
    if (result == ReplyParser::Result::failed) {
      close(std::make_exception_ptr(ProtocolError("a Redis server sent " + parser_.fault())));
      return false;
    }
    if (result == ReplyParser::Result::more) break;
    take_reply(parser_.reply());
    if (error_) return false;
  }
  if (parser_.is_in_reply()) progress_ = stream_.loop().time();
  return true;
}

void Client::take_reply(Reply& reply) {
  if (is_push(reply)) {
    take_push(reply.value.as<Array>().items);
    return;
  }
  if (waiting_.empty()) {
    // Some servers say why they close a connection that waits for nothing.
    const Error* const error = reply.value.get<Error>();
    close(std::make_exception_ptr(error
                                      ? ProtocolError("a Redis server refused the connection: " + error->text)
                                      : ProtocolError("a Redis server sent an answer without a command")));
    return;
  }
  progress_ = stream_.loop().time();
  answer(std::move(reply.value));
}

bool Client::is_push(const Reply& reply) const {
  if (reply.is_push) return true;
  const Array* const array = is_subscriber_ ? reply.value.get<Array>() : nullptr;
  if (!array) return false;
  const std::string_view kind = text_of(array->items, 0);
  return contains(kMessages, kind) || contains(kConfirmations, kind);
}

void Client::take_push(const std::vector<Value>& items) {
  const std::string_view kind = text_of(items, 0);
  try {
    if (contains(kMessages, kind)) {
      const bool has_pattern = kind == "pmessage";
      ChannelMessage message{text_of(items, has_pattern ? 2 : 1), text_of(items, has_pattern ? 3 : 2)};
      if (has_pattern) message.pattern = text_of(items, 1);
      if (on_message_) on_message_(message);
      return;
    }
    if (on_push_) on_push_(items);
  } catch (...) {
    log_handler_error();
  }
  if (!error_) confirm(kind, items);
}

// A confirmation that nobody waits for is one that the server sends on its own, because a slot has moved.
void Client::confirm(std::string_view kind, const std::vector<Value>& items) {
  if (waiting_.empty() || waiting_.front().confirmation.empty() || waiting_.front().confirmation != kind)
    return;
  progress_ = stream_.loop().time();
  if (--waiting_.front().names > 0) return;
  const std::int64_t* const count = items.size() > 2 ? items[2].get<std::int64_t>() : nullptr;
  const bool is_last = waiting_.size() == 1 || waiting_[1].confirmation.empty();
  if (count && *count == 0 && is_last) is_subscriber_ = false;
  answer(Value());
}

void Client::answer(Value value) {
  Waiting first = std::move(waiting_.front());
  waiting_.pop_front();
  first.promise.set_value(std::move(value));
}

// One timer for all commands: it is moved only when it fires, because answers come much more often.
void Client::set_timer() {
  if (has_timer_ || !options_.answer_timeout) return;
  timer_ =
      stream_.loop().call_at(saturating_add(progress_, *options_.answer_timeout), [this] { check_time(); });
  has_timer_ = true;
}

void Client::check_time() {
  has_timer_ = false;
  if (waiting_.empty()) return;
  if (stream_.loop().time() < saturating_add(progress_, *options_.answer_timeout)) return set_timer();
  const double seconds = std::chrono::duration<double>(*options_.answer_timeout).count();
  close(std::make_exception_ptr(
      AnswerTimeoutError(fmt::format("a Redis server did not answer within {} seconds", seconds))));
}

void Client::close() noexcept { close(std::make_exception_ptr(StreamClosedError())); }

// Every command that waits fails with the error; a dropped future ignores it.
void Client::close(std::exception_ptr error) noexcept {
  if (error_) return;
  error_ = error;
  if (std::exchange(has_timer_, false)) stream_.loop().remove_timeout(timer_);
  stream_.close();
  for (Waiting& one : std::exchange(waiting_, {}))
    if (!one.promise.cancelled()) one.promise.set_exception(error);
  closed_.set();
}

}  // namespace squall::redis
