#pragma once

#include <squall/http/message/multipart.h>
#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/base/void_function.h>
#include <squall/web/handler/auto_reload.h>
#include <squall/web/handler/compression_options.h>
#include <squall/web/handler/debug_mode.h>
#include <squall/web/handler/debug_pages.h>
#include <squall/web/handler/middleware.h>
#include <squall/web/handler/named_functions.h>
#include <squall/web/handler/page_functions.h>
#include <squall/web/handler/static_folder.h>
#include <squall/web/handler/template_folder.h>
#include <squall/web/handler/xsrf_options.h>
#include <squall/web/security/cookie_secrets.h>
#include <squall/web/template/template_whitespace.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace squall::web {

class HandlerFactory;
class Locales;
class RequestHandler;

// The form of the error pages that RequestHandler writes.
enum class ErrorFormat : std::uint8_t {
  by_accept,  // JSON for clients whose Accept header prefers it, otherwise HTML
  html,
  json,
};

// Settings of an Application.
struct Settings {
  // Called once for each request, in place of the access log's line (WEB-204). The number is the status of
  // the response, or 499 if the client closed the connection before it.
  VoidFunction<RequestHandler&, int> log_function{};
  // The most arguments that a query, or a form in a body, may have. With more, reading an argument throws
  // HTTPError 400.
  std::size_t max_arguments = 10'000;
  // The folder of the static files (WEB-220). With it the application has routes for `/static/...`,
  // `/favicon.ico` and `/robots.txt` in front of those of its constructor (WEB-195), and static_url() makes
  // URLs of the files. A route of the constructor for such a path is refused: no request would reach it.
  // Empty by default: there are no such routes, and static_url() throws.
  StaticFolder static_path{};
  // The text of those URLs up to the name of the file (WEB-221). If it does not begin with a slash, another
  // host serves the files, and the application has no route for them.
  std::string static_url_prefix = "/static/";
  // Answers those routes, as made by handler<H>(arguments...) (WEB-222). By default a StaticFileHandler of
  // the folder.
  std::shared_ptr<const HandlerFactory> static_handler{};
  // Limits of multipart forms: of their parts, of the headers of each part, and of all bytes. Beyond them
  // reading an argument or a file of the form throws HTTPError 400.
  http::MultipartLimits multipart{};
  // Bytes of a body that RequestInput::json_body() takes; 413 beyond.
  std::size_t max_json_size = 1024 * 1024;
  // How deep arrays and objects of such a body may be nested; 400 beyond.
  std::size_t max_json_depth = 64;
  // Compresses responses (WEB-180); off by default. See Compression.
  std::optional<CompressionOptions> compress_response{};
  // Middleware around every route to a handler or a function, and around the answers to requests without a
  // route; the first is outermost. A delegate, also one that blocking() makes, gets its requests without it.
  std::vector<Middleware> middleware{};
  // Answers the requests whose path has no route, as made by handler<H>(arguments...) (WEB-194). By default
  // an ErrorHandler with 404.
  std::shared_ptr<const HandlerFactory> default_handler{};
  // The host for which Application::add_handlers() also serves requests that name another host (WEB-193).
  // None by default. A web page of any site can then send requests to the application by DNS rebinding.
  std::string default_host{};
  // The smallest body, in bytes, that gets an automatic Etag header (WEB-75); nullopt: none does. A tag costs
  // the SHA-1 of the body, and saves nothing for a body that fits into one packet with its head.
  std::optional<std::size_t> etag_min_size = 1024;
  ErrorFormat error_format = ErrorFormat::by_accept;
  // For development only: sets the defaults of serve_traceback and autoreload (WEB-200).
  DebugMode debug{};
  // The error page of an exception shows the exception and the request to the client (WEB-205). nullopt: as
  // `debug`.
  std::optional<DebugPages> serve_traceback{};
  // The program is executed again when its executable changes (ARL-06): see autoreload. It begins with the
  // application's first server, on its loop. nullopt: as `debug`.
  std::optional<AutoReload> autoreload{};
  // The languages of the application, for RequestHandler::locale(). Several applications may share them.
  std::shared_ptr<const Locales> locales{};
  // The page to which RequestHandler::require_user() redirects (WEB-209).
  std::string login_url{};
  // Signs and verifies signed cookies (WEB-91): long, random, and as secret as a password. Empty by default:
  // functions of signed cookies throw. All processes that share the cookies need the same secret.
  CookieSecrets cookie_secret{};
  // The secret that signs, if `cookie_secret` has several; the others still verify (WEB-92).
  std::optional<int> key_version{};
  // Of every websocket::WebSocketHandler that does not override them (WSK-29): the largest message of a
  // client, the time between two pings, and the time in which the client must answer one. std::nullopt: no
  // pings, and the time between two.
  std::size_t websocket_max_message_size = 10 * 1024 * 1024;
  std::optional<TimeSpan> websocket_ping_interval{};
  std::optional<TimeSpan> websocket_ping_timeout{};
  // Requests that may change something need the token of the site's own pages (WEB-100): see
  // RequestHandler::check_xsrf_cookie(). Off by default.
  std::optional<XsrfOptions> xsrf_cookies{};
  // The folder of the templates (WEB-216): see RequestHandler::render(). Empty by default.
  TemplateFolder template_path{};
  // The loader of the templates (WEB-217). Takes the place of template_path, autoescape, template_whitespace
  // and compiled_template_cache. Several applications may share one.
  std::shared_ptr<TemplateLoader> template_loader{};
  // The function that escapes values (WEB-214), and the treatment of whitespace (WEB-218): see
  // TemplateOptions.
  std::optional<std::string> autoescape = "xhtml_escape";
  std::optional<TemplateWhitespace> template_whitespace{};
  // Whether compiled templates are kept without looking at their files again (WEB-215). nullopt: unless
  // `debug` is set.
  std::optional<bool> compiled_template_cache{};
  // The modules of `{% module Name(...) %}` (WEB-206), as made by ui_module<M>().
  NamedFunctions<UIModuleFactory> ui_modules{};
  // Functions for templates. Names that begin with `_` or an upper-case letter are ignored (WEB-236).
  NamedFunctions<UIMethod> ui_methods{};
  // Other names for templates, whose values depend on the request.
  NamedFunctions<TemplateName> template_names{};
};

namespace detail {

// Whether a template that was compiled is used although its file has changed.
inline bool keeps_templates(const Settings& settings) noexcept {
  return settings.compiled_template_cache.value_or(!settings.debug.pages().function());
}

}  // namespace detail
}  // namespace squall::web
