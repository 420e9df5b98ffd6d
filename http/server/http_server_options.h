#pragma once

#include <squall/ioloop/base/time_span.h>
#include <squall/iostream/address/network.h>
#include <squall/iostream/tcp/tcp_server_options.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace squall::http {

// Limits and timeouts of an HTTPServer, and how it reads requests.
struct HTTPServerOptions {
  // The meaning of the end of the client's bytes behind a complete request, while the handler waits. The
  // client may have half-closed, and wait for the answer (RFC 9112, 9.6), or may have gone: the server cannot
  // tell the two apart before it sends. `is_answered`: the handler goes on, the connection closes after its
  // answer, and a reset cancels it. `is_gone`: the handler is cancelled, for example a long poll. An end
  // within a request, and a reset, cancel the handler in both cases.
  enum class HalfClosed { is_gone, is_answered };
  enum class Protocol { http, https };

  std::size_t max_header_size = 64 * 1024;  // request line and headers: 414 or 431 beyond
  // Fields among them (HUT-07): 431 beyond; std::nullopt allows any number.
  std::optional<std::size_t> max_header_count = 1000;
  std::size_t max_body_size = 100 * 1024 * 1024;     // 413 beyond
  TimeSpan head_timeout = std::chrono::seconds(60);  // from a request's first byte: 408
  // The total time of waiting for the bytes of a body: 408. Time in which a handler that streams does not
  // read is not counted.
  TimeSpan body_timeout = std::chrono::hours(1);
  TimeSpan idle_timeout = std::chrono::hours(1);      // between requests: closed
  TimeSpan write_timeout = std::chrono::seconds(60);  // no byte of a response taken: closed
  // The time in which a client that still sends after its last response can read that response: closed.
  TimeSpan linger_timeout = std::chrono::seconds(5);
  HalfClosed half_closed = HalfClosed::is_answered;
  bool keep_alive = true;              // false: one request a connection
  std::size_t chunk_size = 64 * 1024;  // the largest piece of a body that ServerRequest::read() gives
  // Decompresses bodies with a known Content-Encoding (H1C-40): the field is then called
  // X-Consumed-Content-Encoding. The decompressed body is bounded by max_body_size too, and beyond a
  // megabyte by the ratio to its compressed size (std::nullopt: any ratio): 413. A body that cannot be
  // decompressed: 400.
  bool decompress_request = false;
  std::optional<std::size_t> max_decompression_ratio = 200;
  // Behind a proxy: the client's address and protocol are taken from the proxy's fields (HSV-22, HSV-23).
  // Only the fields of `trusted_peers` are used; if it is empty, the fields of every peer. So set it unless
  // only the proxy can connect. In a list of addresses the proxies in `trusted_downstream` are skipped.
  bool xheaders = false;
  std::vector<Network> trusted_peers{};
  std::vector<Network> trusted_downstream{};
  // The names of the fields that the proxy sets, for example `X-Forwarded-For` and `X-Forwarded-Proto`; no
  // other fields are read. `Forwarded` as address_field names the protocol too (RFC 7239), unless
  // protocol_field names another field. If both are empty, X-Real-Ip or else X-Forwarded-For has the address,
  // and X-Scheme or else X-Forwarded-Proto the protocol: then the proxy must set or remove all four.
  std::string address_field{};
  std::string protocol_field{};
  Protocol protocol = Protocol::http;  // protocol() without TLS, unless a proxy names another
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
