#include <squall/http/client/request_head.h>

#include <squall/http/codec/check_head.h>
#include <squall/http/codec/content_decoder.h>
#include <squall/http/codec/content_length.h>
#include <squall/http/message/date.h>
#include <squall/http/message/method.h>
#include <squall/http/server/byte_copier.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/version.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace squall::http {
namespace {

// Makes room for `size` bytes behind `text`, which the caller writes: much cheaper than to append each piece.
ByteCopier append(std::string& text, std::size_t size) {
  const std::size_t begin = text.size();
  text.resize(begin + size);
  return ByteCopier(text.data() + begin);
}

void append(std::string& text, std::string_view name, std::string_view value) {
  append(text, name.size() + value.size() + 4) << name << ": " << value << "\r\n";
}

void append_request_line(std::string& text, std::string_view method, std::string_view origin,
                         std::string_view target) {
  constexpr std::string_view kVersion = " HTTP/1.1\r\n";
  append(text, method.size() + 1 + origin.size() + target.size() + kVersion.size())
      << method << " " << origin << target << " HTTP/1.1\r\n";
}

}  // namespace

std::optional<std::uint64_t> promised_length(const Headers& headers) {
  const auto length = headers.find(HeaderId::content_length);
  return length ? parse_content_length(*length) : std::nullopt;
}

void RequestHead::write_to(std::string& text) {
  const URL& url = fetch.url();
  const Headers& headers = fetch.headers();
  const HTTPRequest& request = fetch.request();
  const std::string* const body = fetch.body();
  const bool has_body = body || fetch.has_producer();
  const std::string_view method = fetch.method();
  const bool is_post = expects_content(method);
  expects_continue = has_body && fetch.flag(&FetchOptions::expect_100_continue, false);

  append_request_line(text, method, absolute ? url.origin() : std::string(), url.target());
  if (!headers.find(HeaderId::host)) append(text, "Host", url.authority());
  if (headers.find(HeaderId::connection)) {
    keep_alive = keep_alive && !has_token(headers, HeaderId::connection, "close");
  } else if (fetch.expects_upgrade()) {
    append(text, "Connection", "Upgrade");
  } else if (!keep_alive) {
    append(text, "Connection", "close");
  }
  bool has_agent = false;
  bool has_type = false;
  // The user's Accept-Encoding has precedence. A part of a compressed body cannot be decompressed, so a
  // request for a range does not ask for compression.
  bool asks_for_codings = fetch.decompresses();
  for (const Headers::Field field : headers) {
    const HeaderId id = header_id(field.name);
    if (id == HeaderId::content_length) continue;
    if (id == HeaderId::expect && expects_continue) continue;
    if (id == HeaderId::cookie && !fetch.jar_cookies().empty()) continue;
    if (id == HeaderId::content_type) has_type = true;
    if (id == HeaderId::other) {
      const auto is = [&field](std::string_view name) { return equals_ignoring_case(field.name, name); };
      if (is("User-Agent")) has_agent = true;
      if (is("Accept-Encoding") || is("Range")) asks_for_codings = false;
      if (!fetch.authorization().empty() && is("Authorization")) continue;
      if ((!absolute || !proxy_authorization.empty()) && is("Proxy-Authorization")) continue;
      if (request.if_modified_since && is("If-Modified-Since")) continue;
    }
    append(text, field.name, field.value);
  }
  if (!has_agent) {
    const Setting<std::string>& agent = fetch.setting(&FetchOptions::user_agent);
    if (agent.is_open()) append(text, "User-Agent", kProduct);
    if (agent.value()) append(text, "User-Agent", *agent.value());
  }
  if (asks_for_codings) append(text, "Accept-Encoding", known_content_codings());
  if (!fetch.authorization().empty()) append(text, "Authorization", fetch.authorization());
  if (!fetch.jar_cookies().empty()) {
    text.append("Cookie: ");
    for (const std::string_view own : headers.get_list("Cookie")) text.append(own).append("; ");
    text.append(fetch.jar_cookies()).append("\r\n");
  }
  if (!proxy_authorization.empty()) append(text, "Proxy-Authorization", proxy_authorization);
  if (request.if_modified_since) append(text, "If-Modified-Since", format_date(*request.if_modified_since));
  if (has_body && method == "POST" && !has_type)
    append(text, "Content-Type", "application/x-www-form-urlencoded");
  if (body || (!has_body && is_post)) {
    append(text, "Content-Length", fmt::format_int(body ? body->size() : 0).c_str());
  } else if (has_body) {
    const auto length = promised_length(headers);
    if (length) {
      append(text, "Content-Length", fmt::format_int(*length).c_str());
    } else {
      text.append("Transfer-Encoding: chunked\r\n");
    }
  }
  if (expects_continue) append(text, "Expect", "100-continue");
  text.append("\r\n");
}

}  // namespace squall::http
