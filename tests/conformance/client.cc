// tests/conformance/client.cc -- fetches a URL, and prints the result as one line of JSON.
#include <squall/http.h>
#include <squall/iostream/tls/openssl.h>
#include <squall/options/option_parser.h>

#include <openssl/evp.h>

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

using namespace squall;

namespace {

std::string json_text(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      result += fmt::format("\\u{:04x}", byte);
    } else {
      result += c;
    }
  }
  return result + '"';
}

// The length and the digest of a body.
class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new()) { EVP_DigestInit_ex(context_, EVP_sha256(), nullptr); }
  ~Digest() { EVP_MD_CTX_free(context_); }
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;

  void add(std::string_view piece) {
    length_ += piece.size();
    EVP_DigestUpdate(context_, piece.data(), piece.size());
  }
  std::uint64_t length() const noexcept { return length_; }
  // Call it once.
  std::string hex() {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_DigestFinal_ex(context_, bytes, &size);
    std::string text;
    for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", bytes[i]);
    return text;
  }

 private:
  EVP_MD_CTX* context_;
  std::uint64_t length_ = 0;
};

struct Outcome {
  std::string name = "ok";
  std::string phase = "done";
  std::string error{};
  int status = 0;
  int redirects = 0;
  http::FetchTimes times{};
};

std::string name_of(const http::HTTPClientError& error) {
  if (const http::HTTPResponse* const response = error.response()) {
    const bool is_redirect = response->status() >= 300 && response->status() < 400;
    return is_redirect && response->redirects() > 0 ? "redirect_loop" : "http_error";
  }
  if (dynamic_cast<const http::HTTPTimeoutError*>(&error)) return "timeout";
  if (dynamic_cast<const http::HTTPBodyTooLargeError*>(&error)) return "too_large";
  if (dynamic_cast<const http::HTTPProtocolError*>(&error)) return "protocol_error";
  switch (error.phase()) {
    case http::FetchPhase::resolve: return "resolve_error";
    case http::FetchPhase::connect: return "connect_error";
    case http::FetchPhase::proxy: return "proxy_error";
    case http::FetchPhase::tls: return "tls_error";
    case http::FetchPhase::redirect: return "redirect_error";
    default: return "closed";  // before the response was complete
  }
}

Outcome fetch(http::HTTPClient& client, const http::HTTPRequest& request) {
  Outcome outcome;
  const auto take = [&outcome](const http::HTTPResponse& response) {
    outcome.status = response.status();
    outcome.redirects = response.redirects();
    outcome.times = response.time_info();
  };
  try {
    take(client.fetch(request));
  } catch (const http::HTTPClientError& error) {
    outcome.name = name_of(error);
    outcome.phase = http::phase_name(error.phase());
    outcome.error = error.what();
    if (error.response()) take(*error.response());
  } catch (const std::invalid_argument& error) {
    outcome.name = "bad_request";
    outcome.error = error.what();
  }
  return outcome;
}

double seconds(std::optional<std::chrono::nanoseconds> time) {
  return std::chrono::duration<double>(time.value_or(std::chrono::nanoseconds())).count();
}

}  // namespace

int main(int argc, char** argv) {
  std::string url;
  double timeout = 20;
  std::size_t max_body = 100 * 1024 * 1024;
  bool insecure = false;
  std::string ca_certs;
  options::OptionParser line("conformance_client",
                             "Fetches a URL, and prints the result as one line of JSON.");
  line.bind_argument("url", url, "what to fetch").required();
  line.bind("timeout", timeout, "seconds that the request may take").positive();
  line.bind("max-body", max_body, "bytes that the body may have");
  line.bind("ca-certs", ca_certs, "PEM file of the trusted authorities");
  line.bind("insecure", insecure, "any certificate will do");
  if (const std::optional<int> status = line.parse(argc, argv)) return *status;
  try {
    http::HTTPClient client;
    http::HTTPRequest request(url);
    Digest digest;
    request.connect_timeout = request.request_timeout =
        std::chrono::duration_cast<http::HTTPRequest::Duration>(std::chrono::duration<double>(timeout));
    request.max_body_size = max_body;
    request.validate_cert = !insecure;
    if (!ca_certs.empty()) request.ca_certs = ca_certs;
    request.streaming_callback = [&digest](std::string_view piece) { digest.add(piece); };
    const Outcome outcome = fetch(client, request);
    fmt::print(
        "{{\"outcome\":{},\"status\":{},\"length\":{},\"sha256\":{},\"redirects\":{},\"phase\":{},\"error\":{"
        "},"
        "\"times\":{{\"resolve\":{:.6f},\"connect\":{:.6f},\"tls\":{:.6f},\"first_byte\":{:.6f},\"total\":{:."
        "6f}}}}}\n",
        json_text(outcome.name), outcome.status, digest.length(), json_text(digest.hex()), outcome.redirects,
        json_text(outcome.phase), json_text(outcome.error), seconds(outcome.times.resolve),
        seconds(outcome.times.connect), seconds(outcome.times.tls), seconds(outcome.times.first_byte),
        seconds(outcome.times.total));
  } catch (const std::exception& error) {
    fmt::print(stderr, "conformance_client: {}\n", error.what());
    return 1;
  }
  return 0;
}
