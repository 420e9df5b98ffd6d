#pragma once

#include <squall/iostream/address/network.h>
#include <squall/iostream/tcp/tcp_server_options.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

namespace squall::http {

// Limits and timeouts of an HTTPServer, and how it reads requests.
struct HTTPServerOptions {
  // The end of the client's bytes while a handler waits: usually the client has gone, and the handler is
  // cancelled. A client may also end its bytes and wait for the answer; it cannot be told from the other.
  enum class HalfClosed { is_gone, is_answered };
  enum class Protocol { http, https };

  std::size_t max_header_size = 64 * 1024;  // request line and headers: 414 or 431 beyond
  // Fields among them (HUT-07): 431 beyond; std::nullopt allows any number.
  std::optional<std::size_t> max_header_count = 1000;
  std::size_t max_body_size = 100 * 1024 * 1024;                     // 413 beyond
  std::chrono::nanoseconds head_timeout = std::chrono::seconds(60);  // from a request's first byte: 408
  // All waiting for a body, however fast or slow its bytes come: 408. Time in which a handler that streams
  // does not read is not counted.
  std::chrono::nanoseconds body_timeout = std::chrono::hours(1);
  std::chrono::nanoseconds idle_timeout = std::chrono::hours(1);      // between requests: closed
  std::chrono::nanoseconds write_timeout = std::chrono::seconds(60);  // no byte of a response taken: closed
  // After the last response, to a client that still sends: closed, having had time to read the response.
  std::chrono::nanoseconds linger_timeout = std::chrono::seconds(5);
  HalfClosed half_closed = HalfClosed::is_gone;
  bool keep_alive = true;              // false: one request a connection
  std::size_t chunk_size = 64 * 1024;  // the largest piece of a body that ServerRequest::read() gives
  // Decompresses bodies with a known Content-Encoding (H1C-40): the field is then called
  // X-Consumed-Content-Encoding. Such bodies are bounded by max_body_size, too, and beyond a megabyte by how
  // many times larger they become (std::nullopt: any): 413; 400 for a body that does not decode.
  bool decompress_request = false;
  std::optional<std::size_t> max_decompression_ratio = 200;
  // Behind a proxy: the client's address and protocol are those that the proxy's fields name,
  // X-Forwarded-For, X-Real-Ip, X-Forwarded-Proto and X-Scheme (HSV-22, HSV-23). Only the fields of
  // `trusted_peers` are believed; if that is empty, those of all peers: set it unless nobody but the proxy
  // can connect. In X-Forwarded-For the proxies in `trusted_downstream` are passed over.
  bool xheaders = false;
  std::vector<Network> trusted_peers{};
  std::vector<Network> trusted_downstream{};
  Protocol protocol = Protocol::http;  // ServerRequest::protocol() without TLS, unless a proxy names another
  // ServerRequest::id() is the client's X-Request-Id: with xheaders of trusted peers only, otherwise of all.
  bool trust_request_id = false;
  bool measure_times = false;  // fill in ServerRequest::times()

  // ---- As TCPServerOptions has them.

  IOStream::Options stream{};
  std::optional<std::size_t> max_connections{};
  std::optional<std::size_t> max_connections_per_address{};
  ProxyProtocolOptions proxy_protocol{};
};

}  // namespace squall::http
