#include <squall/http/client/dialer.h>

#include <squall/http/client/credentials.h>
#include <squall/http/codec/response_parser.h>
#include <squall/http/message/base64.h>
#include <squall/ioloop/coro/with_timeout.h>
#include <squall/iostream/tcp/tcp_client.h>
#include <squall/iostream/tls/tls_error.h>

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <string_view>
#include <utility>

namespace squall::http {
namespace {

TLSContext default_context() {
  TLSClientOptions options;
  options.alpn.emplace_back("http/1.1");
  return TLSContext::client(std::move(options));
}

}  // namespace

DialTarget::DialTarget(const URL& url)
    : host(url.host()), port(url.port()), security(url.is_https() ? Security::tls : Security::plain) {}

std::string DialTarget::to_string() const {
  const bool is_ipv6 = host.find(':') != host.npos;
  return is_ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

std::string proxy_name(const ProxyOptions& proxy) {
  return "proxy " + DialTarget(proxy.host, proxy.port).to_string();
}

std::string socket_name(const std::string& path) {
  return path.starts_with('\0') ? "@" + path.substr(1) : path;
}

std::string proxy_authorization(const ProxyOptions& proxy) {
  if (proxy.username.empty() && proxy.password.empty()) return std::string();
  return basic_credentials(proxy.username, proxy.password);
}

Task<IOStream> Dialer::dial() {
  if (options_.unix_socket && options_.proxy)
    throw std::invalid_argument("A connection to a Unix socket has no proxy");
  if (options_.proxy) check_credentials(*options_.proxy);
  const std::optional<IOLoop::TimePoint> deadline = earliest_deadline();
  return deadline ? dial_before(*deadline) : run();
}

std::optional<IOLoop::TimePoint> Dialer::earliest_deadline() const {
  if (!options_.timeout) return options_.deadline;
  const IOLoop::TimePoint end = IOLoop::current().deadline_after(*options_.timeout);
  return options_.deadline ? std::min(*options_.deadline, end) : end;
}

Task<IOStream> Dialer::dial_before(IOLoop::TimePoint deadline) {
  try {
    IOStream stream = co_await with_timeout(deadline, run());
    co_return stream;
  } catch (const HTTPClientError&) {
    throw;
  } catch (const TimeoutError&) {
    HTTPClientError::Failure failure = this->failure();
    failure.code = std::make_error_code(std::errc::timed_out);
    throw HTTPTimeoutError("Timeout while connecting", std::move(failure));
  }
}

Task<IOStream> Dialer::run() {
  try {
    // Before the server waits: to read the system's certificates takes as long as many handshakes.
    if (target_.security == DialTarget::Security::tls && !options_.tls) options_.tls = default_context();
    IOStream stream = co_await connect();
    const IOLoop::TimePoint connected = stream.loop().time();
    if (needs_tunnel()) co_await open_tunnel(stream);
    if (target_.security == DialTarget::Security::tls) {
      co_await start_tls(stream);
      times_.tls = stream.loop().time() - connected;
    }
    phase_ = FetchPhase::done;
    co_return stream;
  } catch (const HTTPClientError&) {
    throw;
  } catch (...) {
    fail_as_caught();
  }
}

bool Dialer::needs_tunnel() const noexcept {
  if (!options_.proxy) return false;
  return target_.security == DialTarget::Security::tls ||
         options_.plain_proxy == DialOptions::PlainProxy::tunnel;
}

Task<IOStream> Dialer::connect() {
  ConnectOptions options;
  options.timeout = std::nullopt;  // dial() applies the timeout
  options.stream = options_.stream;
  if (!options_.allow_ipv6) options.family = AF_INET;
  options.source_ip = options_.source_ip;
  options.source_interface = options_.source_interface;
  options.resolver = this;
  if (options_.unix_socket) {
    peer_ = socket_name(*options_.unix_socket);
    enter(FetchPhase::connect);
    IOStream stream = co_await TCPClient::connect_unix(*options_.unix_socket, options);
    times_.connect = stream.loop().time() - entered_;
    co_return stream;
  }
  const std::string host = options_.proxy ? options_.proxy->host : target_.host;
  const std::uint16_t port = options_.proxy ? options_.proxy->port : target_.port;
  peer_ = options_.proxy ? proxy_name(*options_.proxy) : target_.to_string();
  enter(FetchPhase::resolve);
  IOStream stream = co_await TCPClient::connect(host, port, options);
  times_.connect = stream.loop().time() - entered_;
  co_return stream;
}

Task<Resolver::Answer> Dialer::look_up(std::string host, std::uint16_t port, int family) {
  Resolver& resolver = options_.resolver ? *options_.resolver : default_resolver();
  Answer answer = co_await resolver.look_up(std::move(host), port, family);
  times_.resolve = IOLoop::current().time() - entered_;
  enter(FetchPhase::connect);
  co_return answer;
}

// RFC 9110, 9.3.6.
Task<> Dialer::open_tunnel(IOStream& stream) {
  enter(FetchPhase::proxy);
  const std::string target = target_.to_string();
  std::string request = fmt::format("CONNECT {} HTTP/1.1\r\nHost: {}\r\n", target, target);
  if (const std::string credentials = proxy_authorization(*options_.proxy); !credentials.empty())
    request += fmt::format("Proxy-Authorization: {}\r\n", credentials);
  request += "\r\n";
  stream.write(request);

  Headers headers;
  ResponseParser parser;
  ResponseParser::Limits limits;
  limits.max_header_size = options_.max_header_size;
  parser.begin(headers, ResponseParser::Asked::tunnel, limits);
  auto result = ResponseParser::Result::more;
  std::string_view bytes;
  while (result == ResponseParser::Result::more || result == ResponseParser::Result::informational) {
    if (bytes.empty()) {
      const std::string_view got = co_await stream.read_some(std::nothrow);
      bytes = got;
      if (bytes.empty()) throw HTTPStreamClosedError("The proxy closed the connection", failure());
    }
    result = parser.parse(bytes);
  }
  if (result == ResponseParser::Result::failed)
    throw HTTPProtocolError(std::string(parser.reason_failed()), failure());
  if (parser.status() < 200 || parser.status() > 299)
    throw HTTPClientError(
        fmt::format("The proxy refused the tunnel: {} {}", parser.status(), parser.reason()), failure());
  if (!bytes.empty())
    throw HTTPProtocolError("The proxy sent bytes behind its answer, before the tunnel was used", failure());
}

Task<> Dialer::start_tls(IOStream& stream) {
  peer_ = target_.to_string();
  enter(FetchPhase::tls);
  co_await stream.start_tls(*options_.tls, target_.host);
}

void Dialer::enter(FetchPhase phase) {
  phase_ = phase;
  entered_ = IOLoop::current().time();
  if (on_phase_) on_phase_(phase);
}

HTTPClientError::Failure Dialer::failure() const {
  HTTPClientError::Failure failure;
  failure.phase = phase_;
  failure.peer = peer_;
  return failure;
}

void Dialer::fail_as_caught() const {
  HTTPClientError::Failure failure = this->failure();
  failure.cause = std::current_exception();
  try {
    throw;
  } catch (const std::system_error& error) {  // ResolveError and ConnectError too
    failure.code = error.code();
    throw HTTPClientError(error.code().message(), std::move(failure));
  } catch (const TLSError& error) {
    failure.code = error.code();
    throw HTTPClientError(error.reason(), std::move(failure));
  } catch (const StreamClosedError& error) {
    failure.code = error.code();
    throw HTTPStreamClosedError(error.what(), std::move(failure));
  } catch (const TimeoutError& error) {
    failure.code = std::make_error_code(std::errc::timed_out);
    throw HTTPTimeoutError(error.what(), std::move(failure));
  }
}

}  // namespace squall::http
