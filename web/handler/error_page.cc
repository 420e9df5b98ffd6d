#include <squall/web/handler/error_page.h>

#include <squall/http/message/accept.h>
#include <squall/ioloop/base/utf8.h>
#include <squall/web/escape/xhtml.h>

#include <fmt/format.h>

#include <array>

namespace squall::web {
namespace {

// A reason phrase has no control characters but the tab. Bytes that are not UTF-8 are ISO-8859-1.
std::string escape_json(std::string_view text) {
  const bool is_text = is_utf8(text);
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      escaped += '\\';
      escaped += c;
    } else if (byte < 0x20 || byte == '<' || (byte >= 0x80 && !is_text)) {
      escaped += fmt::format("\\u{:04x}", byte);
    } else {
      escaped += c;
    }
  }
  return escaped;
}

constexpr std::string_view kProblem = "application/problem+json";
constexpr std::string_view kJson = "application/json";

// The preferred type of an error page.
std::string_view preferred_type(const http::ServerRequest& request) {
  const std::string accept = request.headers().get("Accept");
  if (accept.empty()) return "text/html";
  static constexpr std::array<std::string_view, 3> kOffered = {"text/html", kProblem, kJson};
  return kOffered[http::choose_type(accept, kOffered).value_or(0)];
}

}  // namespace

bool prefers_json(const http::ServerRequest& request) { return preferred_type(request) != "text/html"; }

ErrorPage make_error_page(const http::ServerRequest& request, ErrorFormat format, int status,
                          std::string_view reason) {
  std::string_view type = kProblem;
  if (format == ErrorFormat::html) type = "text/html";
  if (format == ErrorFormat::by_accept) type = preferred_type(request);
  if (type != "text/html")
    return {type, fmt::format(R"({{"status":{},"title":"{}"}})", status, escape_json(reason))};
  const std::string title = fmt::format("{}: {}", status, xhtml_escape(reason));
  return {"text/html; charset=UTF-8",
          fmt::format("<html><title>{}</title><body>{}</body></html>", title, title)};
}

}  // namespace squall::web
