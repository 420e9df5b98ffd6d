#include <squall/redis/client.h>

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace squall::redis {
namespace {

// One reply: its first byte is its type. A push looks like an array that answers no command.
struct Reply {
  Value value;
  bool is_push = false;
};

template <class Number>
Number number_from(std::string_view text) {
  Number number{};
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    throw ProtocolError(fmt::format("\"{}\" is not a number", text));
  return number;
}

// The number of bytes or items that follow; nullopt for the null of RESP2.
std::optional<std::size_t> length_from(std::string_view text, std::int64_t most) {
  const auto length = number_from<std::int64_t>(text);
  if (length == -1) return std::nullopt;
  if (length < 0 || length > most) throw ProtocolError(fmt::format("a length of {}", length));
  return static_cast<std::size_t>(length);
}

bool bool_from(std::string_view text) {
  if (text != "t" && text != "f") throw ProtocolError(fmt::format("\"{}\" is not a boolean", text));
  return text == "t";
}

Task<Reply> read_reply(IOStream& stream, int depth);

Task<std::string> read_string(IOStream& stream, std::size_t length) {
  const std::string_view bytes = co_await stream.read_bytes(length + 2);
  if (!bytes.ends_with("\r\n")) throw ProtocolError("a string with a wrong end");
  co_return std::string(bytes.substr(0, length));
}

Task<std::vector<Value>> read_items(IOStream& stream, std::size_t count, int depth) {
  if (depth > kMaxDepth) throw ProtocolError("too deeply nested");
  std::vector<Value> items;  // grows as items arrive, not by the announced count
  for (std::size_t i = 0; i < count; ++i) {
    Reply item = co_await read_reply(stream, depth);
    items.push_back(std::move(item.value));
  }
  co_return std::move(items);
}

Map map_from(std::vector<Value> items) {
  Map map;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2)
    map.items.emplace_back(std::move(items[i]), std::move(items[i + 1]));
  return map;
}

// A reply that is one line; nullopt for other types.
std::optional<Value> value_from(char type, std::string_view text) {
  switch (type) {
    case '+': return Value{std::string(text)};
    case '-': return Value{Error{std::string(text)}};
    case ':': return Value{number_from<std::int64_t>(text)};
    case '_': return Value{Nil()};
    case ',': return Value{number_from<double>(text)};
    case '#': return Value{bool_from(text)};
    case '(': return Value{BigNumber{std::string(text)}};
    default: return std::nullopt;
  }
}

Value value_from(char type, std::string bytes) {
  if (type == '!') return Value{Error{std::move(bytes)}};
  if (type == '=' && bytes.size() >= 4) bytes.erase(0, 4);  // `txt:`, or `mkd:`
  return Value{std::move(bytes)};
}

Reply aggregate(char type, std::vector<Value> items) {
  switch (type) {
    case '%': return {Value{map_from(std::move(items))}};
    case '~': return {Value{Set{std::move(items)}}};
    default: return {Value{Array{std::move(items)}}, type == '>'};
  }
}

Task<Reply> read_reply(IOStream& stream, int depth) {
  for (;;) {
    const std::string_view line = co_await stream.read_until("\r\n", kMaxLine);
    const char type = line[0];
    const std::string_view text = line.substr(1, line.size() - 3);
    if (std::optional<Value> value = value_from(type, text)) {
      Reply reply;
      reply.value = *std::move(value);
      co_return std::move(reply);
    }
    const bool is_string = type == '$' || type == '!' || type == '=';
    const bool is_paired = type == '%' || type == '|';
    if (!is_string && !is_paired && type != '*' && type != '~' && type != '>')
      throw ProtocolError(fmt::format("a reply of type 0x{:02x}", static_cast<unsigned char>(type)));
    const std::optional<std::size_t> length = length_from(text, is_string ? kMaxString : kMaxItems);
    if (!length) co_return Reply();
    if (is_string) {
      std::string bytes = co_await read_string(stream, *length);
      Reply reply;
      reply.value = value_from(type, std::move(bytes));
      co_return std::move(reply);
    }
    const std::size_t count = is_paired ? 2 * *length : *length;
    std::vector<Value> items = co_await read_items(stream, count, depth + 1);
    // An attribute describes the reply that follows it.
    if (type != '|') co_return aggregate(type, std::move(items));
  }
}

std::string listed(const std::vector<Value>& items, std::size_t indent, const char* what) {
  if (items.empty()) return fmt::format("(empty {})", what);
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::string number = fmt::format("{}) ", i + 1);
    if (i > 0) text += fmt::format("\n{:{}}", "", indent);
    text += number + to_string(items[i], indent + number.size());
  }
  return text;
}

struct Show {
  std::size_t indent;

  std::string operator()(const Nil&) const { return "(nil)"; }
  std::string operator()(const std::string& text) const { return fmt::format("\"{}\"", text); }
  std::string operator()(std::int64_t number) const { return fmt::format("(integer) {}", number); }
  std::string operator()(double number) const { return fmt::format("(double) {}", number); }
  std::string operator()(bool truth) const { return truth ? "(true)" : "(false)"; }
  std::string operator()(const Error& error) const { return fmt::format("(error) {}", error.text); }
  std::string operator()(const BigNumber& number) const {
    return fmt::format("(big number) {}", number.digits);
  }
  std::string operator()(const Array& array) const { return listed(array.items, indent, "array"); }
  std::string operator()(const Set& set) const { return listed(set.items, indent, "set"); }
  std::string operator()(const Map& map) const {
    std::string text;
    for (const auto& [key, value] : map.items) {
      const std::string name = fmt::format("{} => ", to_string(key, indent));
      if (!text.empty()) text += fmt::format("\n{:{}}", "", indent);
      text += name + to_string(value, indent + name.size());
    }
    return text.empty() ? "(empty map)" : text;
  }
};

}  // namespace

std::string to_string(const Value& value, std::size_t indent) { return std::visit(Show{indent}, value.data); }

Client::Client(IOStream stream) : stream_(std::move(stream)), reader_(stream_.loop()) {
  reader_.add(read_replies());
}

Task<> Client::hello(std::string user, std::string password) {
  std::vector<std::string> words{"HELLO", "3"};
  if (!password.empty()) words.insert(words.end(), {"AUTH", user.empty() ? "default" : user, password});
  const Value answer = co_await send(words);
  if (!answer.is<Error>()) {
    protocol_ = 3;
    co_return;
  }
  const std::string& refusal = answer.as<Error>().text;
  // A server before Redis 6, or another that speaks RESP2 alone.
  if (!refusal.starts_with("ERR unknown command") && !refusal.starts_with("NOPROTO"))
    throw std::runtime_error(refusal);
  if (password.empty()) co_return;
  std::vector<std::string> login{"AUTH", password};
  if (!user.empty()) login.insert(login.begin() + 1, user);
  const Value login_answer = co_await send(login);
  if (login_answer.is<Error>()) throw std::runtime_error(login_answer.as<Error>().text);
}

Future<Value> Client::send(const std::vector<std::string>& words) {
  if (words.empty()) throw std::invalid_argument("a command needs a name");
  if (error_) std::rethrow_exception(error_);
  waiting_.emplace_back();
  try {
    write(words);
  } catch (...) {
    waiting_.pop_back();
    throw;
  }
  return waiting_.back().get_future();
}

void Client::subscribe(const std::string& channel) {
  if (protocol_ < 3) throw std::logic_error("subscribing needs RESP3");
  if (error_) std::rethrow_exception(error_);
  write({"SUBSCRIBE", channel});
}

// The stream sends everything written in one turn of the loop in one system call.
void Client::write(const std::vector<std::string>& words) {
  std::string request = fmt::format("*{}\r\n", words.size());
  for (const std::string& word : words) request += fmt::format("${}\r\n{}\r\n", word.size(), word);
  static_cast<void>(stream_.write(request));
}

Task<> Client::read_replies() {
  std::exception_ptr error;
  try {
    for (;;) {
      Reply reply = co_await read_reply(stream_, 0);
      if (reply.is_push) {
        if (on_push_) on_push_(reply.value.as<Array>().items);
        if (error_) co_return;  // the connection is closed
        continue;
      }
      if (waiting_.empty()) throw ProtocolError("an answer without a command");
      waiting_.front().set_value(std::move(reply.value));
      waiting_.pop_front();
    }
  } catch (...) {
    error = std::current_exception();
  }
  close(error);
}

// Every command that still waits fails with the error; a dropped future ignores it.
void Client::close(std::exception_ptr error) noexcept {
  if (error_) return;
  error_ = error;
  stream_.close();
  for (Promise<Value>& promise : std::exchange(waiting_, {}))
    if (!promise.cancelled()) promise.set_exception(error);
  closed_.set();
}

}  // namespace squall::redis
