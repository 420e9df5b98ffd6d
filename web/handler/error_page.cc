#include <squall/web/handler/error_page.h>

#include <squall/http/message/accept.h>
#include <squall/ioloop/base/utf8.h>
#include <squall/web/escape/xhtml.h>

#include <fmt/format.h>

#include <array>

namespace squall::web {
namespace {

constexpr std::string_view kHtml = "text/html";
constexpr std::string_view kProblem = "application/problem+json";
constexpr std::string_view kJson = "application/json";

// The preferred type of an error page.
std::string_view preferred_type(const http::ServerRequest& request) {
  const std::string accept = request.headers().get("Accept");
  if (accept.empty()) return kHtml;
  static constexpr std::array<std::string_view, 3> kOffered = {kHtml, kProblem, kJson};
  return kOffered[http::choose_type(accept, kOffered).value_or(0)];
}

}  // namespace

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

bool prefers_json(const http::ServerRequest& request) { return preferred_type(request) != kHtml; }

std::string_view error_page_type(const http::ServerRequest& request, ErrorFormat format) {
  if (format == ErrorFormat::html) return kHtmlType;
  if (format == ErrorFormat::json) return kProblem;
  const std::string_view type = preferred_type(request);
  return type == kHtml ? kHtmlType : type;
}

ErrorPage make_error_page(const http::ServerRequest& request, ErrorFormat format, int status,
                          std::string_view reason) {
  const std::string_view type = error_page_type(request, format);
  if (type != kHtmlType)
    return {type, fmt::format(R"({{"status":{},"title":"{}"}})", status, escape_json(reason))};
  const std::string title = fmt::format("{}: {}", status, xhtml_escape(reason));
  return {type, fmt::format("<html><title>{}</title><body>{}</body></html>", title, title)};
}

}  // namespace squall::web
