#include <squall/web/handler/debug_pages.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/symbol.h>
#include <squall/web/escape/xhtml.h>
#include <squall/web/handler/error_page.h>
#include <squall/web/handler/request_handler.h>
#include <squall/web/template/template_error.h>

#include <cxxabi.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

namespace squall::web {
namespace {

// The place of an error in a template.
struct TemplatePlace {
  std::string file;
  TemplatePosition position;
  std::string source;    // the line, or the part of a long line around the column
  std::size_t mark = 0;  // the byte of `source` at the column
};

struct Cause {
  std::string type;
  std::string text;
  std::optional<TemplatePlace> place{};
};

constexpr std::size_t kMostCauses = 16;
constexpr std::size_t kMostText = 8 * 1024;
constexpr std::size_t kMostLeftOfMark = 200;

// std::throw_with_nested() throws a class that is derived from the exception's.
std::string without_nesting(std::string type) {
  constexpr std::string_view kNested = "std::_Nested_exception<";
  if (!type.starts_with(kNested) || !type.ends_with('>')) return type;
  return type.substr(kNested.size(), type.size() - kNested.size() - 1);
}

// In a `catch` block: the type of the exception.
std::string current_type() {
  const std::type_info* const type = abi::__cxa_current_exception_type();
  return type ? without_nesting(demangled(type->name())) : "an exception of another language";
}

// The position at or before `at` that is not within a character of UTF-8.
std::size_t character_at(std::string_view text, std::size_t at) {
  at = std::min(at, text.size());
  while (at < text.size() && at > 0 && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) --at;
  return at;
}

std::string beginning_of(std::string_view text) {
  return std::string(text.substr(0, character_at(text, kMostText)));
}

TemplatePlace place_of(const TemplateError& error) {
  const std::string_view line = error.source_line();
  const std::size_t column = character_at(line, error.position().column - 1);
  const std::size_t begin = character_at(line, column - std::min(column, kMostLeftOfMark));
  return {error.file(), error.position(), beginning_of(line.substr(begin)), column - begin};
}

// Adds the exception, and then those that are nested in it.
void add_causes(const std::exception_ptr& error, std::vector<Cause>& causes) {
  if (!error || causes.size() == kMostCauses) return;
  std::exception_ptr nested;
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& exception) {
    if (const auto* const in_template = dynamic_cast<const TemplateError*>(&exception)) {
      causes.push_back({current_type(), beginning_of(in_template->message()), place_of(*in_template)});
    } else {
      causes.push_back({current_type(), beginning_of(exception.what()), {}});
    }
    if (const auto* const outer = dynamic_cast<const std::nested_exception*>(&exception))
      nested = outer->nested_ptr();
  } catch (const std::nested_exception& outer) {
    causes.push_back({current_type(), {}, {}});
    nested = outer.nested_ptr();
  } catch (...) {
    causes.push_back({current_type(), {}, {}});
  }
  add_causes(nested, causes);
}

// Whether the value of a header may give access to something. Headers with a URL may have it in the query.
bool is_secret(std::string_view name) {
  static constexpr std::array<std::string_view, 15> kSecret = {
      "auth", "cookie", "token", "secret",     "password", "session", "signature", "key",
      "csrf", "xsrf",   "jwt",   "credential", "referer",  "uri",     "url"};
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(), to_lower);
  return std::any_of(kSecret.begin(), kSecret.end(),
                     [&](std::string_view word) { return lower.find(word) != lower.npos; });
}

// The request as names and values, its headers last.
std::vector<http::Headers::Field> fields_of(const http::ServerRequest& request) {
  std::vector<http::Headers::Field> fields;
  for (std::size_t i = 0; i < request.headers().size(); ++i) {
    fields.push_back(request.headers()[i]);
    if (is_secret(fields.back().name)) fields.back().value = "(removed)";
  }
  return fields;
}

std::string make_json(const RequestHandler& handler, int status, std::string_view reason,
                      const std::vector<Cause>& causes) {
  const http::ServerRequest& request = handler.request();
  std::string text = fmt::format(R"({{"status":{},"title":"{}","exceptions":[)", status, escape_json(reason));
  const char* comma = "";
  for (const Cause& cause : causes) {
    text += fmt::format(R"({}{{"type":"{}","message":"{}")", comma, escape_json(cause.type),
                        escape_json(cause.text));
    if (const auto& place = cause.place)
      text += fmt::format(R"(,"file":"{}","line":{},"column":{},"source":"{}")", escape_json(place->file),
                          place->position.line, place->position.column, escape_json(place->source));
    text += '}';
    comma = ",";
  }
  text +=
      fmt::format(R"(],"handler":"{}","request":{{"method":"{}","path":"{}","remote_ip":"{}","headers":[)",
                  escape_json(demangled(typeid(handler).name())), escape_json(request.method_name()),
                  escape_json(request.path()), escape_json(request.remote_ip()));
  comma = "";
  for (const auto& [name, value] : fields_of(request)) {
    text += fmt::format(R"({}{{"name":"{}","value":"{}"}})", comma, escape_json(name), escape_json(value));
    comma = ",";
  }
  return text + "]}}";
}

constexpr std::string_view kStyle =
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}"
    "h1{font-size:1.4rem;border-bottom:3px solid #d33}h2{font-size:1rem;margin:1.5rem 0 .3rem}"
    "pre,td{font-family:ui-monospace,monospace;font-size:.85rem;overflow-wrap:anywhere;white-space:pre-wrap}"
    "pre{background:#8882;border-radius:.3rem;margin:0;padding:.7rem}p{margin:.7rem 0 .3rem}"
    "table{border-collapse:collapse}th{font-size:.85rem;text-align:left;padding-right:1.5rem}"
    "th,td{border-bottom:1px solid #8884;vertical-align:top}footer{margin-top:2rem;opacity:.7}";

void add_row(std::string& html, std::string_view name, std::string_view value) {
  html += fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", xhtml_escape(name), xhtml_escape(value));
}

// The line of the template, with the character at the column marked.
std::string html_of(const TemplatePlace& place) {
  const std::string_view source = place.source;
  const std::string_view behind = source.substr(std::min(place.mark, source.size()));
  std::size_t width = std::min<std::size_t>(1, behind.size());
  while (width < behind.size() && (static_cast<unsigned char>(behind[width]) & 0xc0) == 0x80) ++width;
  const std::string marked = behind.empty() ? " " : xhtml_escape(behind.substr(0, width));
  return fmt::format("<p>{}, line {}, column {}</p>\n<pre>{}<mark>{}</mark>{}</pre>\n",
                     xhtml_escape(place.file), place.position.line, place.position.column,
                     xhtml_escape(source.substr(0, place.mark)), marked, xhtml_escape(behind.substr(width)));
}

std::string make_html(const RequestHandler& handler, int status, std::string_view reason,
                      const std::vector<Cause>& causes) {
  const http::ServerRequest& request = handler.request();
  const std::string title = fmt::format("{}: {}", status, xhtml_escape(reason));
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title>\n"
      "<style>{}</style></head>\n<body><h1>{}</h1>\n",
      title, kStyle, title);
  const char* before = "";
  for (const Cause& cause : causes) {
    html += fmt::format("<h2>{}{}</h2>\n", before, xhtml_escape(cause.type));
    if (!cause.text.empty()) html += fmt::format("<pre>{}</pre>\n", xhtml_escape(cause.text));
    if (cause.place) html += html_of(*cause.place);
    before = "with ";
  }
  html += "<h2>Request</h2>\n<table>\n";
  add_row(html, "method and path", fmt::format("{} {}", request.method_name(), request.path()));
  add_row(html, "client", request.remote_ip());
  add_row(html, "handler", demangled(typeid(handler).name()));
  for (const auto& [name, value] : fields_of(request)) add_row(html, name, value);
  return html +
         "</table>\n<footer>Everybody who causes an error sees this page, because Settings::debug or "
         "Settings::serve_traceback is set.</footer>\n</body></html>\n";
}

}  // namespace

ErrorPage make_debug_page(const RequestHandler& handler, int status, std::string_view reason,
                          const std::exception_ptr& error) {
  std::vector<Cause> causes;
  add_causes(error, causes);
  const std::string_view type = error_page_type(handler.request(), handler.settings().error_format);
  if (type != kHtmlType) return {type, make_json(handler, status, reason, causes)};
  return {type, make_html(handler, status, reason, causes)};
}

}  // namespace squall::web
