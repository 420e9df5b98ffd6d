#include <squall/http/client/fetch.h>

#include <squall/http/client/credentials.h>
#include <squall/http/client/dialer.h>
#include <squall/http/client/http_client_error.h>
#include <squall/http/codec/check_head.h>
#include <squall/http/codec/content_length.h>
#include <squall/http/message/base64.h>
#include <squall/http/message/method.h>
#include <squall/http/message/url_text.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/iostream/address/resolver.h>
#include <squall/iostream/socket/socket.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace squall::http {
namespace {

constexpr std::array<std::string_view, 8> kMethods = {"GET",   "HEAD",   "POST",    "PUT",
                                                      "PATCH", "DELETE", "OPTIONS", "QUERY"};

// Parses a URL. Keeps the last one, as many programs fetch one URL again and again, unless there may be a
// password in it.
URL parsed(const std::string& text) {
  constexpr std::size_t kLongest = 256;
  static thread_local std::string last_text;
  static thread_local std::optional<URL> last;
  if (last && last_text == text) return *last;
  URL url(text);
  if (text.size() <= kLongest && text.find('@') == text.npos) {
    last_text = text;
    last = url;
  }
  return url;
}

IOLoop::TimePoint after(IOLoop::TimePoint begin, std::optional<TimeSpan> timeout) noexcept {
  return timeout ? saturating_add(begin, *timeout) : IOLoop::TimePoint::max();
}

bool is_redirect(int status) noexcept {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

Fetch::Fetch(HTTPRequest&& request, const FetchOptions& defaults, std::size_t max_body_size)
    : data_(std::make_unique<HTTPResponse::Data>(std::move(request))),
      defaults_(defaults),
      url_(parsed(this->request().url)),
      method_(this->request().method),
      decompresses_(flag(&FetchOptions::decompress_response, true)),
      follows_redirects_(flag(&FetchOptions::follow_redirects, true)),
      redirects_left_(option(&FetchOptions::max_redirects).value_or(5)),
      max_body_size_(option(&FetchOptions::max_body_size).value_or(max_body_size)) {
  check();
  take_credentials();
  if (const auto& path = option(&FetchOptions::unix_socket)) socket_name_ = socket_name(*path);
  data_->effective_url = this->request().url;
}

// ---- The rules of a request.

void Fetch::check() const {
  const HTTPRequest& given = request();
  const bool has_body = given.body.has_value() || given.body_producer;
  if (given.body && given.body_producer)
    throw std::invalid_argument("body and body_producer cannot both be given");
  if (!is_token(method_))
    throw std::invalid_argument(fmt::format("Invalid method '{}'", escape_controls(method_)));
  if (method_ == "CONNECT") throw std::invalid_argument("CONNECT is not for fetch()");
  if (!flag(&FetchOptions::allow_nonstandard_methods, false)) {
    if (std::find(kMethods.begin(), kMethods.end(), method_) == kMethods.end())
      throw std::invalid_argument(fmt::format("unknown method {}", method_));
    const bool expects_body = expects_content(method_);
    if (expects_body != has_body)
      throw std::invalid_argument(
          fmt::format("Body must {}be None for method {} (unless allow_nonstandard_methods is true)",
                      expects_body ? "not " : "", method_));
  }
  if (const auto& agent = option(&FetchOptions::user_agent); agent && !is_field_text(*agent))
    throw std::invalid_argument("Unsafe value for user_agent");
  if (const auto& source = option(&FetchOptions::network_interface);
      source && !is_valid_ip(*source) && !is_network_interface(*source))
    throw std::invalid_argument(
        fmt::format("network_interface is neither an IP address nor a network interface: '{}'",
                    escape_controls(*source)));
  check_all_credentials();
  if (const auto& proxy = option(&FetchOptions::proxy)) {
    if (proxy->host.empty() || proxy->port == 0)
      throw std::invalid_argument("A proxy needs a host and a port");
    check_credentials(*proxy);
    // libcurl finds a scheme and credentials before the host.
    check_proxy_host(std::string_view(proxy->host).substr(proxy->host.find_last_of("/@") + 1));
  }
  check_headers();
}

// Checks also the options that the credentials in the URL override: a redirect may lead back to them.
void Fetch::check_all_credentials() const {
  check_credentials(url_);
  if (const auto& name = option(&FetchOptions::auth_username)) check_credential("auth_username", *name);
  if (const auto& password = option(&FetchOptions::auth_password))
    check_credential("auth_password", *password);
}

void Fetch::check_proxy_host(std::string_view host) {
  if (ends_in_number(host) && !is_valid_ip(host))
    throw std::invalid_argument(
        fmt::format("The host of the proxy is a number but not an IPv4 address: {}", escape_controls(host)));
}

// The client frames the body, so the headers must not contradict it.
void Fetch::check_headers() const {
  const HTTPRequest& given = request();
  if (given.headers.find(HeaderId::transfer_encoding))
    throw std::invalid_argument("The client sets Transfer-Encoding: remove the header");
  if (given.headers.count(HeaderId::host) > 1) throw std::invalid_argument("More than one Host header");
  if (const auto host = given.headers.find(HeaderId::host); host && !is_host_text(*host))
    throw std::invalid_argument("Invalid Host header");
  const auto length = given.headers.find(HeaderId::content_length);
  if (!length) return;
  if (!parse_content_length(*length) || given.headers.count(HeaderId::content_length) > 1)
    throw std::invalid_argument("Invalid Content-Length header");
  if (!given.body_producer && *length != std::to_string(given.body ? given.body->size() : 0))
    throw std::invalid_argument("The Content-Length header differs from the size of the body");
}

// Reads no options. The client's options may be destroyed: the fetches of a destroyed client end later.
std::string Fetch::peer(FetchPhase phase) const {
  const bool connects =
      phase == FetchPhase::resolve || phase == FetchPhase::connect || phase == FetchPhase::proxy;
  const bool talks = phase == FetchPhase::request || phase == FetchPhase::head || phase == FetchPhase::body;
  // A proxy forwards requests for http, unless they ask for an upgrade, and is a tunnel for others.
  const bool has_tunnel = url_.is_https() || expects_upgrade();
  if (!proxy_name_.empty() && (connects || (talks && !has_tunnel))) return proxy_name_;
  if (!socket_name_.empty() && connects) return socket_name_;
  return url_.is_ipv6() ? fmt::format("[{}]:{}", url_.host(), url_.port())
                        : fmt::format("{}:{}", url_.host(), url_.port());
}

std::optional<TimeSpan> Fetch::timeout(Setting<TimeSpan> FetchOptions::* member) const noexcept {
  const Setting<TimeSpan>& chosen = setting(member);
  return chosen.is_open() ? std::optional(kDefaultTimeout) : chosen.value();
}

HTTPClientError::Failure Fetch::failure(FetchPhase phase) const {
  HTTPClientError::Failure failure;
  failure.phase = phase;
  failure.peer = peer(phase);
  return failure;
}

// ---- Progress.

void Fetch::begin_request(IOLoop::TimePoint now) noexcept {
  begun_ = now;
  data_->start_time = std::chrono::system_clock::now();
  FetchTimes& times = data_->times;
  times.queue += now - queued_;
  times.resolve = times.connect = times.tls = times.first_byte = std::nullopt;
}

IOLoop::TimePoint Fetch::queue_deadline() const noexcept {
  return std::min(after(queued_, connect_timeout()), after(queued_, request_timeout()));
}

IOLoop::TimePoint Fetch::connect_deadline(IOLoop::TimePoint now) const noexcept {
  return std::min(after(now, connect_timeout()), request_deadline());
}

IOLoop::TimePoint Fetch::request_deadline() const noexcept { return after(begun_, request_timeout()); }

// ---- Credentials.

// Credentials in the URL have precedence over auth_username and auth_password (SHC-24).
void Fetch::take_credentials() {
  username_.clear();
  password_.clear();
  authorization_.clear();
  if (url_.userinfo()) {
    username_ = url_.username();
    password_ = url_.password();
  } else if (const auto& name = option(&FetchOptions::auth_username); name && keeps_credentials_) {
    username_ = *name;
    password_ = option(&FetchOptions::auth_password).value_or(std::string());
  } else {
    return;
  }
  if (username_.find(':') != username_.npos)
    throw std::invalid_argument("A username must not have a colon in it");
  if (option(&FetchOptions::auth_mode).value_or(AuthMode::basic) == AuthMode::basic)
    authorization_ = basic_credentials(username_, password_);
}

// ---- Retries.

bool Fetch::may_retry(Sent sent) const noexcept {
  if (sent == Sent::nothing && !has_producer()) return true;
  if (has_producer() && !request().body_producer_is_repeatable) return false;
  return is_idempotent(method_);
}

// ---- Upgrades.

void Fetch::expect_upgrade(std::unique_ptr<IOStream>& stream) {
  const Headers& headers = request().headers;
  if (!headers.contains("Upgrade"))
    throw std::invalid_argument("An upgrade needs an Upgrade header that names the protocol");
  if (headers.find(HeaderId::connection) && !has_token(headers, HeaderId::connection, "upgrade"))
    throw std::invalid_argument("The Connection header of an upgrade must have the option Upgrade");
  if (request().streaming_callback) throw std::invalid_argument("An upgrade has no streaming_callback");
  upgraded_ = &stream;
}

bool Fetch::accepts_upgrade(const Headers& headers) const {
  for (const std::string_view chosen : headers.get_list("Upgrade"))
    for (std::string_view offered : this->headers().get_list("Upgrade")) {
      while (!offered.empty()) {
        const std::size_t comma = std::min(offered.find(','), offered.size());
        if (equals_ignoring_case(trim(offered.substr(0, comma)), chosen)) return true;
        offered.remove_prefix(std::min(comma + 1, offered.size()));
      }
    }
  return false;
}

// ---- Redirects (SHC-40 to SHC-46).

bool Fetch::will_follow(int status, const Headers& headers) const noexcept {
  return follows_redirects_ && redirects_left_ > 0 && is_redirect(status) && headers.contains("Location");
}

// A server may name the schemes of WebSocket for an upgrade.
std::string Fetch::location_to_follow() const {
  const std::string_view location = *data_->headers.find("Location");
  if (expects_upgrade()) {
    if (starts_with_ignoring_case(location, "ws:")) return fmt::format("http:{}", location.substr(3));
    if (starts_with_ignoring_case(location, "wss:")) return fmt::format("https:{}", location.substr(4));
  }
  return std::string(location);
}

bool Fetch::redirect() {
  HTTPResponse::Data& data = *data_;
  if (!will_follow(data.status, data.headers)) return false;
  const auto fail = [this](std::string message) {
    throw HTTPClientError(std::move(message), failure(FetchPhase::redirect));
  };
  const std::string location = location_to_follow();
  // Servers send characters that no URL has, and other clients follow such a redirect.
  URLFault fault;
  std::optional<URL> next = url_.resolve(percent_encode_stray(location), fault);
  if (!next) fail(fmt::format("Cannot follow a redirect to '{}': {}", location, fault.reason));
  // The caller wants the upgraded connection encrypted.
  if (expects_upgrade() && url_.is_https() && !next->is_https())
    fail(fmt::format("Cannot follow a redirect to '{}': the connection would not be encrypted", location));
  const bool to_get = data.status == 303 ? method_ != "HEAD" : data.status <= 302 && method_ == "POST";
  if (to_get) {
    method_ = "GET";
    drop_body();
  } else if (has_producer() && !request().body_producer_is_repeatable) {
    fail("Cannot follow a redirect: the body_producer cannot be called again");
  }
  try {
    go_to(*std::move(next));
  } catch (const std::invalid_argument& error) {
    // An error of the server, not of the caller.
    fail(fmt::format("Cannot follow a redirect to '{}': {}", location, error.what()));
  }
  --redirects_left_;
  ++data.redirects;
  data.effective_url = url_.without_userinfo().text();
  data.headers.clear();
  data.trailers.clear();
  data.body.clear();
  return true;
}

void Fetch::go_to(URL next) {
  check_credentials(next);
  if (!next.fragment() && url_.fragment()) next = next.with_fragment(*url_.fragment());
  if (!next.same_origin(url_)) keeps_credentials_ = false;
  url_ = keeps_credentials_ ? std::move(next) : next.without_userinfo();
  if (!keeps_credentials_) drop_credentials();
  take_credentials();
}

// Credentials are for the origin of the first request, and so is a Host of the caller. Once a redirect has
// left it they are not sent again.
void Fetch::drop_credentials() {
  for (const std::string_view name : {"Authorization", "Cookie", "Cookie2", "Host", "Proxy-Authorization"})
    if (headers().contains(name)) own_headers().remove(name);
}

void Fetch::drop_body() {
  if (!keeps_body_) return;
  keeps_body_ = false;
  for (const std::string_view name :
       {"Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding"})
    if (headers().contains(name)) own_headers().remove(name);
}

Headers& Fetch::own_headers() {
  if (!own_headers_) own_headers_ = std::make_unique<Headers>(request().headers);
  return *own_headers_;
}

}  // namespace squall::http
