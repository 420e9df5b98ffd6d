#include <squall/http/server/request.h>

#include <squall/http/message/cookie.h>
#include <squall/http/message/http_input_error.h>
#include <squall/http/message/url_text.h>
#include <squall/http/server/request_body.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/random_bytes.h>
#include <squall/iostream/stream/iostream.h>
#include <squall/iostream/tls/tls_transport.h>

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace squall::http {
namespace {

constexpr std::size_t kMaxId = 128;

// Whether the text can be written to a log line and to another header unchanged.
bool is_id(std::string_view text) noexcept {
  if (text.empty() || text.size() > kMaxId) return false;
  for (const char c : text)
    if (!is_alpha(c) && !is_digit(c) && (c == '\0' || !detail::is_one_of(c, "-._~+/=:@"))) return false;
  return true;
}

std::string random_id() {
  std::string text;
  append_lower_hex(text, detail::random_bytes<16>());
  return text;
}

}  // namespace

std::string ServerRequest::host_name() const {
  std::string lower(without_port(host()));
  for (char& c : lower) c = to_lower(c);
  return lower;
}

std::string ServerRequest::full_url() const {
  std::string url = fmt::format("{}://{}", protocol(), host());
  if (target().starts_with('/')) return url.append(target());
  if (!path().starts_with('/')) return url;
  url += path();
  if (!query().empty()) url.append("?").append(query());
  return url;
}

// ---- Arguments and cookies.

QueryArguments ServerRequest::query_arguments(std::size_t max_arguments) const {
  std::optional<QueryArguments> arguments = parse_query(query(), max_arguments);
  if (!arguments) throw HTTPInputError(400, "Too many arguments in the query");
  return std::move(*arguments);
}

Form ServerRequest::form(const MultipartLimits& limits, std::size_t max_arguments) const {
  Form form;
  const std::string fault = parse_form(headers(), body(), form, limits, max_arguments);
  if (!fault.empty()) throw HTTPInputError(400, "Invalid body: " + fault);
  return form;
}

QueryArguments ServerRequest::arguments(std::size_t max_arguments) const {
  QueryArguments all = query_arguments(max_arguments);
  for (auto& argument : form({}, max_arguments).arguments) all.push_back(std::move(argument));
  return all;
}

QueryArguments ServerRequest::cookies() const {
  std::string header;
  for (const std::string_view line : headers().get_list("Cookie")) {
    if (!header.empty()) header += "; ";
    header += line;
  }
  QueryArguments cookies = parse_cookies(header).value_or(QueryArguments());
  std::erase_if(cookies, [](const auto& cookie) { return !is_cookie_name(cookie.first); });
  return cookies;
}

std::chrono::steady_clock::duration ServerRequest::request_time() const noexcept {
  return times_.response_ended.value_or(std::chrono::steady_clock::now()) - start_;
}

const std::string& ServerRequest::id() const {
  if (!id_.empty()) return id_;
  const std::string_view given = known_id();
  return id_ = given.empty() ? random_id() : std::string(given);
}

std::string_view ServerRequest::known_id() const noexcept {
  if (!id_.empty() || !id_trusted_) return id_;
  const std::string_view given = head_.headers.find("X-Request-Id").value_or("");
  return is_id(given) ? given : std::string_view();
}

const TLSTransport* ServerRequest::tls() const noexcept { return stream_ ? stream_->tls() : nullptr; }

std::optional<TLSPeerCertificate> ServerRequest::peer_certificate() const {
  const TLSTransport* const negotiated = tls();
  if (!negotiated) return std::nullopt;
  return negotiated->peer_certificate();
}

std::string_view ServerRequest::body() const noexcept {
  return body_ ? body_->collected() : std::string_view();
}

Task<std::string_view> ServerRequest::read() {
  if (!body_) throw std::logic_error("read() is for a request that a server serves");
  return body_->read();
}

}  // namespace squall::http
