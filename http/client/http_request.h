#pragma once

#include <squall/http/codec/body_writer.h>
#include <squall/http/message/headers.h>
#include <squall/ioloop/loop/task.h>

#include <chrono>
#include <concepts>
#include <cstddef>
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

// Takes the body piece by piece: `void(std::string_view)`, or `Task<>(std::string_view)` for which the
// connection waits, so that who is slow slows the server down (HCL-24). A piece is valid until that has
// ended.
class StreamingCallback {
 public:
  StreamingCallback() noexcept = default;
  template <std::invocable<std::string_view> Function>
  requires(!std::same_as<std::remove_cvref_t<Function>, StreamingCallback>)
  StreamingCallback(Function&& function) {  // NOLINT(google-explicit-constructor): any callable is one
    if constexpr (std::is_void_v<std::invoke_result_t<Function&, std::string_view>>) {
      plain_ = std::forward<Function>(function);
    } else {
      waiting_ = std::forward<Function>(function);
    }
  }

  explicit operator bool() const noexcept { return plain_ || waiting_; }
  // It is one that returns a task.
  bool waits() const noexcept { return static_cast<bool>(waiting_); }
  // A task to be awaited, or an empty one if it is done already.
  Task<> operator()(std::string_view piece) const {
    if (waiting_) return waiting_(piece);
    plain_(piece);
    return Task<>();
  }

 private:
  std::function<void(std::string_view)> plain_;
  std::function<Task<>(std::string_view)> waiting_;
};

// How credentials are shown: digest by CurlAsyncHTTPClient alone.
enum class AuthMode { basic, digest };

// Where to send requests instead of to their own hosts (HCL-27). Those for https go through a tunnel.
struct ProxyOptions {
  std::string host;  // empty: none
  std::uint16_t port = 0;
  std::string username;
  std::string password;
  AuthMode auth_mode = AuthMode::basic;
};

// Options of a fetch. What is not set has the client's default, and failing that the one given here.
struct FetchOptions {
  using Duration = std::chrono::nanoseconds;

  std::optional<std::string> user_agent;  // kProduct; an empty one is not sent

  // Zero: none (HCL-06b).
  std::optional<Duration> connect_timeout;  // 20 s: until the connection is there, its TLS and its proxy's
  std::optional<Duration> request_timeout;  // 20 s: of a request, connecting included, queueing not (HCL-17)

  std::optional<bool> follow_redirects;  // true
  std::optional<int> max_redirects;      // 5

  // True: asks for a compressed body, and gives it decompressed. Content-Encoding becomes
  // X-Consumed-Content-Encoding.
  std::optional<bool> decompress_response;
  std::optional<std::size_t> max_body_size;  // of the response, decompressed; the client's

  std::optional<std::string> auth_username;
  std::optional<std::string> auth_password;
  std::optional<AuthMode> auth_mode;  // basic

  std::optional<std::string> network_interface;  // the address to connect from (HCL-23)
  std::optional<bool> allow_ipv6;                // true

  std::optional<bool> validate_cert;    // true
  std::optional<std::string> ca_certs;  // PEM files (HCL-30)
  std::optional<std::string> client_cert;
  std::optional<std::string> client_key;
  std::shared_ptr<const TLSContext> tls;  // a client's, instead of the four above (HCL-31)

  std::optional<ProxyOptions> proxy;
  // False: http_proxy, https_proxy, all_proxy and no_proxy of the environment are not looked at.
  std::optional<bool> proxy_from_environment;
  // Connects to this socket of the file system instead of to the URL's host, which is still named as Host.
  std::optional<std::string> unix_socket;

  std::optional<bool> allow_nonstandard_methods;  // false; lifts the rules on bodies too (HCL-28)
  std::optional<bool> expect_100_continue;        // false (HCL-33)
};

// What to fetch, and how.
//
//     HTTPRequest request("http://127.0.0.1:8888/upload");
//     request.method = "POST";
//     request.body = "a=1";
//     HTTPResponse response = co_await client.fetch(std::move(request));
//
// Thread:    a value, of any.
struct HTTPRequest : FetchOptions {
  explicit HTTPRequest(std::string url) : url(std::move(url)) {}

  std::string url;  // http or https
  std::string method = "GET";
  Headers headers;
  std::optional<std::string> body;
  // Writes the body as it is made, instead of `body` (HCL-14): with the length of a Content-Length among the
  // headers, else in chunks. Awaiting its writes lets the server set the pace.
  //
  //     request.body_producer = [](BodyWriter& body) -> Task<> {
  //       co_await body.write("one piece, ");
  //       co_await body.write("another");
  //     };
  std::function<Task<>(BodyWriter& body)> body_producer;
  // May be called again, for a redirect that repeats the request or on a connection that was stale.
  bool body_producer_is_repeatable = false;

  std::optional<std::chrono::system_clock::time_point> if_modified_since;

  // Is given the body, and the response has none (HCL-24).
  StreamingCallback streaming_callback;
  // Each line of the head with its CRLF: the status line, the fields, the empty one (HCL-25). Not those of a
  // response that is a redirect to be followed (SHC-28).
  std::function<void(std::string_view line)> header_callback;
  // Is given libcurl's handle, a CURL*, before the request begins: for CurlAsyncHTTPClient alone (HCL-26).
  std::function<void(void* easy)> prepare_curl_callback;
};

}  // namespace squall::http
