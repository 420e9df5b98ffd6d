#pragma once

#include <squall/http/client/setting.h>
#include <squall/http/message/headers.h>
#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/base/void_function.h>
#include <squall/ioloop/loop/task.h>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace squall {
class TLSContext;
}

namespace squall::http {

class BodyWriter;  // codec/body_writer.h

// A callback that takes the body of a response piece by piece: a function `void(std::string_view)`, or one
// that returns a task, `Task<>(std::string_view)`. The connection is not read while the task runs, so a slow
// callback slows the server down (HCL-24). A piece is valid until the function returns or its task ends.
//
// Thread:    the client's loop.
class StreamingCallback {
 public:
  StreamingCallback() noexcept = default;
  template <std::invocable<std::string_view> Function>
  requires(!std::same_as<std::remove_cvref_t<Function>, StreamingCallback>)
  StreamingCallback(Function&& function) {  // NOLINT(google-explicit-constructor): any callable is one
    using Result = std::invoke_result_t<Function&, std::string_view>;
    static_assert(std::is_void_v<Result> || std::is_same_v<Result, Task<>>,
                  "a streaming callback returns void or Task<>");
    if constexpr (std::is_void_v<Result>) {
      plain_ = std::forward<Function>(function);
    } else {
      waiting_ = std::forward<Function>(function);
    }
  }

  explicit operator bool() const noexcept { return plain_ || waiting_; }
  // Whether the function returns a task.
  bool waits() const noexcept { return static_cast<bool>(waiting_); }
  // Calls the function. Returns its task; an empty task if the function has none.
  Task<> operator()(std::string_view piece) const {
    if (waiting_) return waiting_(piece);
    plain_(piece);
    return Task<>();
  }

 private:
  std::function<void(std::string_view)> plain_;
  std::function<Task<>(std::string_view)> waiting_;
};

// How a client authenticates. Only CurlAsyncHTTPClient has digest.
enum class AuthMode { basic, digest };

// A proxy for requests (HCL-27). Requests to https URLs go through a tunnel. Like auth_username and
// auth_password, the username and the password must not have control characters.
struct ProxyOptions {
  std::string host{};  // required, as the port
  std::uint16_t port = 0;
  std::string username{};  // empty: no authentication
  std::string password{};
  AuthMode auth_mode = AuthMode::basic;
};

// Options of a fetch. An option that a request leaves open has the value in
// AsyncHTTPClient::Options::defaults. If the defaults leave it open too, it has the value named here. A
// Setting may also be std::nullopt: no value.
struct FetchOptions {
  using Duration = std::chrono::nanoseconds;

  Setting<std::string> user_agent{};  // kProduct; std::nullopt sends no User-Agent header

  // A timeout of zero or less has passed when the request begins; std::nullopt is no timeout.
  Setting<TimeSpan> connect_timeout{};  // 20 s, for name, connection, proxy and TLS
  Setting<TimeSpan> request_timeout{};  // 20 s, for a request with connecting, without queueing (HCL-17)

  std::optional<bool> follow_redirects{};  // true
  std::optional<int> max_redirects{};      // 5

  // True: asks for a compressed body, and decompresses the body. Content-Encoding becomes
  // X-Consumed-Content-Encoding. A request with its own Accept-Encoding, or with Range, is sent as it is; a
  // 206 response is never decompressed.
  std::optional<bool> decompress_response{};
  // The limit of the decompressed response; AsyncHTTPClient::Options::max_body_size.
  std::optional<std::size_t> max_body_size{};

  Setting<std::string> auth_username{};
  Setting<std::string> auth_password{};
  std::optional<AuthMode> auth_mode{};  // basic

  // The local address to connect from, or the network interface to connect over (HCL-23): `192.0.2.7`,
  // `eth0`.
  Setting<std::string> network_interface{};
  std::optional<bool> allow_ipv6{};  // true; false connects only over IPv4 (HCL-32)

  std::optional<bool> validate_cert{};  // true
  Setting<std::string> ca_certs{};      // the names of PEM files (HCL-30)
  Setting<std::string> client_cert{};   // not sent after a redirect to another origin
  Setting<std::string> client_key{};
  // A client's context, instead of the four above (HCL-31).
  std::shared_ptr<const TLSContext> tls{};

  Setting<ProxyOptions> proxy{};
  // False: ignores http_proxy, https_proxy, all_proxy and no_proxy of the environment.
  std::optional<bool> proxy_from_environment{};
  // The path of a Unix socket to connect to. The Host header still names the host of the URL.
  Setting<std::string> unix_socket{};

  std::optional<bool>
      allow_nonstandard_methods{};            // false; true allows any method, with or without body (HCL-28)
  std::optional<bool> expect_100_continue{};  // false (HCL-33)
};

// A request, with its options and callbacks.
//
//     HTTPRequest request("http://127.0.0.1:8888/upload");
//     request.method = "POST";
//     request.body = "a=1";
//     HTTPResponse response = co_await client.fetch(std::move(request));
//
// Thread:    a value, of any.
// Errors:    AsyncHTTPClient::fetch() checks the request.
struct HTTPRequest : FetchOptions {
  explicit HTTPRequest(std::string url) : url(std::move(url)) {}

  std::string url;  // http or https
  std::string method = "GET";
  Headers headers;
  std::optional<std::string> body;
  // Produces the body piece by piece, instead of `body` (HCL-14). With a Content-Length among the headers
  // the body has that length; otherwise it is sent in chunks. Awaiting the writes gives back-pressure.
  //
  //     request.body_producer = [](BodyWriter& body) -> Task<> {
  //       co_await body.write("one piece, ");
  //       co_await body.write("another");
  //     };
  std::function<Task<>(BodyWriter& body)> body_producer;
  // Whether body_producer may be called again: for a redirect that repeats the request, or for a retry.
  bool body_producer_is_repeatable = false;

  std::optional<std::chrono::system_clock::time_point> if_modified_since;

  // Receives the body; the body of the response is then empty (HCL-24).
  StreamingCallback streaming_callback;
  // Receives each line of the head with its CRLF: the status line, the fields, the empty line (HCL-25). Not
  // called for a redirect that the client follows (SHC-28).
  VoidFunction<std::string_view> header_callback;
  // Receives libcurl's handle, a CURL*, before the request begins. CurlAsyncHTTPClient only (HCL-26).
  VoidFunction<void*> prepare_curl_callback;
};

}  // namespace squall::http
