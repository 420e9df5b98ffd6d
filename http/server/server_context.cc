#include <squall/http/server/server_context.h>

#include <squall/http/server/server_delegate.h>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

namespace squall::http {
namespace {

HTTPServerOptions checked(HTTPServerOptions options) {
  const auto shortest = std::min({options.head_timeout, options.body_timeout, options.idle_timeout,
                                  options.write_timeout, options.linger_timeout});
  if (shortest <= shortest.zero()) throw std::invalid_argument("an HTTPServer's timeouts must be positive");
  if (options.chunk_size == 0) throw std::invalid_argument("an HTTPServer's chunk_size must be positive");
  if (options.max_header_count == 0)
    throw std::invalid_argument("an HTTPServer's max_header_count must be positive or nullopt");
  if (options.max_decompression_ratio == 0)
    throw std::invalid_argument("an HTTPServer's max_decompression_ratio must be positive or nullopt");
  if (!options.xheaders && (!options.address_field.empty() || !options.protocol_field.empty()))
    throw std::invalid_argument("an HTTPServer's address_field and protocol_field need xheaders");
  return options;
}

RequestParser::Limits limits_of(const HTTPServerOptions& options) noexcept {
  RequestParser::Limits limits;
  limits.max_header_size = options.max_header_size;
  limits.max_header_count = options.max_header_count.value_or(std::numeric_limits<std::size_t>::max());
  return limits;
}

ConnectionTable::Timeouts timeouts_of(const HTTPServerOptions& options) noexcept {
  return {.idle = options.idle_timeout,
          .head = options.head_timeout,
          .body = options.body_timeout,
          .write = options.write_timeout,
          .linger = options.linger_timeout};
}

std::unique_ptr<const ProxyHeaders> proxy_headers_of(const HTTPServerOptions& options) {
  if (!options.xheaders) return nullptr;
  return std::make_unique<ProxyHeaders>(
      ProxyHeaders::Options{.trusted_peers = options.trusted_peers,
                            .trusted_downstream = options.trusted_downstream,
                            .address_field = options.address_field,
                            .protocol_field = options.protocol_field});
}

}  // namespace

[[gnu::cold]] ServerContext::ServerContext(ConnectionHost& host, const TCPServer& server,
                                           ServerDelegate& delegate, HTTPServerOptions given)
    : host(host),
      server(server),
      loop(server.loop()),
      delegate(delegate),
      options(checked(std::move(given))),
      proxy_headers(proxy_headers_of(options)),
      needs_slow_path(options.xheaders || options.trust_request_id || options.measure_times ||
                      options.protocol == HTTPServerOptions::Protocol::https),
      follows_connections(delegate.follows_connections()),
      limits(limits_of(options)),
      default_headers(delegate),
      connections(*loop, timeouts_of(options)),
      switched(host, server, options.max_connections_per_address.has_value()) {}

}  // namespace squall::http
