#include <squall/redis/endpoint.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/parse_decimal.h>

#include <fmt/format.h>

#include <optional>
#include <stdexcept>
#include <utility>

namespace squall::redis {
namespace {

constexpr const char* kForm = "redis://[[user]:password@]host[:port][/database]";

[[noreturn]] void refuse(std::string_view why) {
  throw std::invalid_argument(fmt::format("URL of a Redis server: {}; the form is {}", why, kForm));
}

std::string decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) refuse("a % without two hexadecimal digits behind it");
    result += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return result;
}

// The text before `mark`, which is removed with the mark; nullopt without a mark.
std::optional<std::string_view> take_before(std::string_view& text, char mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view before = text.substr(0, at);
  text.remove_prefix(at + 1);
  return before;
}

std::uint32_t database_from(std::string_view text) {
  const auto number = parse_decimal<std::uint32_t>(text);
  if (!number) refuse(fmt::format("the database \"{}\" is not a number", text));
  return *number;
}

void read_query(std::string_view query, Endpoint& endpoint) {
  const std::optional<std::string_view> name = take_before(query, '=');
  if (name != "db") refuse(fmt::format("the parameter \"{}\" is unknown", name.value_or(query)));
  endpoint.database = database_from(query);
}

void read_login(std::string_view login, Endpoint& endpoint) {
  const std::optional<std::string_view> user = take_before(login, ':');
  // Other programs take a single word for the user or for the password.
  if (!user) refuse("a user without a password: use user:password@, or :password@");
  endpoint.user = decoded(*user);
  endpoint.password = decoded(login);
  if (endpoint.password.empty()) refuse("the password is empty");
}

void read_host(std::string_view text, Endpoint& endpoint) {
  std::optional<std::string_view> port;
  if (text.starts_with('[')) {
    text.remove_prefix(1);
    const std::optional<std::string_view> address = take_before(text, ']');
    if (!address) refuse("an IPv6 address without its ]");
    endpoint.host = *address;
    if (!text.empty() && text[0] != ':') refuse("bytes between ] and the port");
    if (!text.empty()) port = text.substr(1);
  } else {
    const std::size_t colon = text.find(':');
    if (colon != std::string_view::npos) port = text.substr(colon + 1);
    endpoint.host = decoded(text.substr(0, colon));
  }
  if (endpoint.host.empty()) refuse("the host is missing");
  if (!port) return;
  const auto number = parse_decimal<std::uint16_t>(*port);
  if (!number || *number == 0) refuse(fmt::format("\"{}\" is not a port", *port));
  endpoint.port = *number;
}

}  // namespace

Endpoint parse_url(std::string_view url) {
  Endpoint endpoint;
  const std::size_t end = url.find("://");
  const std::string_view scheme = url.substr(0, end);
  if (end == std::string_view::npos || (scheme != "redis" && scheme != "rediss" && scheme != "unix"))
    refuse("it does not begin with redis://, rediss:// or unix://");
  url.remove_prefix(end + 3);
  if (url.find('#') != std::string_view::npos) refuse("a # that is not percent-encoded");
  endpoint.is_tls = scheme == "rediss";
  const std::size_t query = url.find('?');
  const std::size_t slash = url.substr(0, query).find('/');
  std::string_view authority = url.substr(0, slash < query ? slash : query);
  if (scheme != "unix" && url.find('@', authority.size()) != std::string_view::npos)
    refuse("an @ behind the host: write / and ? in a user or password as %2F and %3F");
  const std::size_t at = authority.rfind('@');
  if (at != std::string_view::npos) {
    read_login(authority.substr(0, at), endpoint);
    authority.remove_prefix(at + 1);
  }
  const std::string_view path = slash == std::string_view::npos ? "" : url.substr(slash, query - slash);
  if (scheme == "unix") {
    if (!authority.empty()) refuse("unix:// has no host: the path begins with a third /");
    if (path.size() < 2) refuse("the path of the Unix socket is missing");
    endpoint.unix_path = decoded(path);
  } else {
    read_host(authority, endpoint);
    if (path.size() > 1) endpoint.database = database_from(path.substr(1));
  }
  if (query != std::string_view::npos) read_query(url.substr(query + 1), endpoint);
  return endpoint;
}

std::string to_string(const Endpoint& endpoint) {
  const std::string database = endpoint.database == 0 ? "" : fmt::format("{}", endpoint.database);
  if (!endpoint.unix_path.empty())
    return fmt::format("unix://{}{}{}", endpoint.unix_path, database.empty() ? "" : "?db=", database);
  const bool is_v6 = endpoint.host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}{}{}", endpoint.is_tls ? "rediss" : "redis", is_v6 ? "[" : "",
                     endpoint.host, is_v6 ? "]" : "", endpoint.port, database.empty() ? "" : "/", database);
}

}  // namespace squall::redis
