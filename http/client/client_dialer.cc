#include <squall/http/client/client_dialer.h>

#include <squall/http/codec/response_parser.h>
#include <squall/http/message/base64.h>
#include <squall/iostream/tcp/tcp_client.h>
#include <squall/iostream/tls/tls_error.h>

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace squall::http {
namespace {

std::string authorization_of(const ProxyOptions& proxy) {
  if (proxy.username.empty() && proxy.password.empty()) return std::string();
  return basic_credentials(proxy.username, proxy.password);
}

}  // namespace

Task<std::unique_ptr<ClientConnection>> ClientDialer::dial() {
  const bool is_https = fetch_.url().is_https();
  try {
    IOStream stream = co_await connect();
    const IOLoop::TimePoint connected = stream.loop().time();
    if (proxy_ && is_https) co_await open_tunnel(stream);
    if (is_https) co_await start_tls(stream);
    if (is_https) fetch_.response().data_->times.tls = stream.loop().time() - connected;
    const Via via = proxy_ && !is_https ? Via::proxy : Via::direct;
    std::string authorization = via == Via::proxy ? authorization_of(*proxy_) : std::string();
    auto connection = std::make_unique<ClientConnection>(std::move(stream), via, std::move(authorization));
    connection->hold(fetch_.tls());
    co_return connection;
  } catch (const HTTPClientError&) {
    throw;
  } catch (...) {
    fail_as_caught();
  }
}

Task<IOStream> ClientDialer::connect() {
  FetchTimes& times = fetch_.response().data_->times;
  ConnectOptions options;
  options.timeout = std::nullopt;  // the fetch has its own
  options.stream.receive_before_reset = true;
  if (!fetch_.flag(&FetchOptions::allow_ipv6, true)) options.family = AF_INET;
  if (const std::string* source = fetch_.text(&FetchOptions::network_interface)) options.source_ip = *source;
  options.resolver = this;
  if (const std::string* path = fetch_.text(&FetchOptions::unix_socket)) {
    peer_ = *path;
    enter(FetchPhase::connect);
    IOStream stream = co_await TCPClient::connect_unix(*path, options);
    times.connect = stream.loop().time() - entered_;
    co_return stream;
  }
  const std::string host = proxy_ ? proxy_->host : std::string(fetch_.url().host());
  const std::uint16_t port = proxy_ ? proxy_->port : fetch_.url().port();
  peer_ = proxy_ ? fmt::format("proxy {}:{}", host, port) : fetch_.peer();
  enter(FetchPhase::resolve);
  IOStream stream = co_await TCPClient::connect(host, port, options);
  times.connect = stream.loop().time() - entered_;
  co_return stream;
}

Task<Resolver::Answer> ClientDialer::look_up(std::string host, std::uint16_t port, int family) {
  Answer answer = co_await resolver_.look_up(std::move(host), port, family);
  const IOLoop::TimePoint now = IOLoop::current().time();
  fetch_.response().data_->times.resolve = now - entered_;
  enter(FetchPhase::connect);
  co_return answer;
}

// RFC 9110, 9.3.6.
Task<> ClientDialer::open_tunnel(IOStream& stream) {
  enter(FetchPhase::proxy);
  const std::string target = fetch_.peer();
  std::string request = fmt::format("CONNECT {} HTTP/1.1\r\nHost: {}\r\n", target, target);
  if (const std::string credentials = authorization_of(*proxy_); !credentials.empty())
    request += fmt::format("Proxy-Authorization: {}\r\n", credentials);
  request += "\r\n";
  stream.write(request);

  Headers headers;
  ResponseParser parser;
  ResponseParser::Limits limits;
  limits.max_header_size = max_header_size_;
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
  if (result == ResponseParser::Result::failed) throw HTTPProtocolError(std::string(parser.reason_failed()), failure());
  if (parser.status() < 200 || parser.status() > 299)
    throw HTTPClientError(
        fmt::format("The proxy refused the tunnel: {} {}", parser.status(), parser.reason()), failure());
  if (!bytes.empty()) throw HTTPProtocolError("The proxy sent more than its answer", failure());
}

Task<> ClientDialer::start_tls(IOStream& stream) {
  enter(FetchPhase::tls);
  peer_ = fetch_.peer();
  const TLSContext context = tls_.context_for(fetch_);
  co_await stream.start_tls(context, fetch_.url().host());
}

void ClientDialer::enter(FetchPhase phase) noexcept {
  fetch_.enter(phase);
  entered_ = IOLoop::current().time();
}

HTTPClientError::Failure ClientDialer::failure() const {
  HTTPClientError::Failure failure;
  failure.phase = fetch_.phase();
  failure.peer = peer_;
  return failure;
}

// What resolving, connecting and the stream have thrown, with what they do not know.
void ClientDialer::fail_as_caught() const {
  HTTPClientError::Failure failure = this->failure();
  failure.cause = std::current_exception();
  try {
    throw;
  } catch (const std::system_error& error) {  // ResolveError and ConnectError too
    failure.error = error.code();
    throw HTTPClientError(error.code().message(), std::move(failure));
  } catch (const TLSError& error) {
    failure.error = error.code();
    throw HTTPClientError(error.what(), std::move(failure));
  } catch (const StreamClosedError& error) {
    failure.error = error.error();
    throw HTTPStreamClosedError(error.what(), std::move(failure));
  }
}

}  // namespace squall::http
