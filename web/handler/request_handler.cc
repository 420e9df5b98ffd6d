#include <squall/web/handler/request_handler.h>

#include <squall/http/message/etag.h>
#include <squall/http/message/status.h>
#include <squall/http/message/vary.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/log.h>
#include <squall/web/handler/call_and_log.h>
#include <squall/web/handler/entity_tag.h>
#include <squall/web/handler/error_page.h>
#include <squall/web/handler/failure_log.h>
#include <squall/web/handler/handler_state.h>
#include <squall/web/handler/handler_type.h>
#include <squall/web/handler/login_location.h>
#include <squall/web/handler/method_set.h>
#include <squall/web/locale/locales.h>

#include <fmt/format.h>

#include <chrono>
#include <new>
#include <stdexcept>
#include <utility>

namespace squall::web {
namespace {

// Whether a response of this status has no content: RFC 9110, 15.3.6 for 205, otherwise 6.4.1.
constexpr bool is_bodiless(int status) noexcept { return http::status_forbids_body(status) || status == 205; }

}  // namespace

RequestHandler::RequestHandler() = default;
RequestHandler::~RequestHandler() = default;

[[gnu::hot]] void RequestHandler::attach(const ApplicationContext& context, http::Exchange& exchange,
                                         const HandlerType& type, const PathGroups& groups) {
  context_ = &context;
  exchange_ = &exchange;
  type_ = &type;
  groups_ = &groups;
}

void RequestHandler::forget_request() {
  static thread_local http::Exchange no_exchange;
  static const PathGroups kNoGroups;
  if (type_->current_user && !knows_user()) static_cast<void>(user());
  // The locale is chosen when it is needed: most handlers that outlive their request need none.
  if (settings().locales && !(state_ && state_->locale))
    state().accept_language = request().headers().get("Accept-Language");
  parsed_.reset();
  exchange_ = &no_exchange;
  groups_ = &kNoGroups;
}

// ---- Output.

void RequestHandler::set_status(int status, std::string_view reason) {
  const bool sendable = is_field_text(reason) && reason.find('<') == reason.npos;
  exchange_->set_status(status, sendable ? reason : "Unknown");
}

[[gnu::hot]] void RequestHandler::write(std::string_view chunk) {
  if (finished()) throw std::logic_error("Cannot write() after finish()");
  exchange_->buffer().append(chunk);
}

void RequestHandler::write_json_text(std::string_view json) {
  write(json);
  set_header("Content-Type", "application/json; charset=UTF-8");
}

WriteAwaiter RequestHandler::flush() {
  if (!exchange_->head_sent()) {
    if (is_bodiless(status())) check_no_body();
    // Without a length, the 205 would be sent in chunks.
    if (status() == 205) set_header("Content-Length", 0);
    add_cookies_to_head();
  }
  exchange_->write(exchange_->buffer());
  exchange_->buffer().clear();
  return exchange_->flush();
}

// Most responses need no work before their head is sent: status 200, no cookies, and no entity tag. Also true
// for the last piece of such a response.
inline bool RequestHandler::head_is_complete() const noexcept {
  const std::optional<std::size_t>& tagged = settings().etag_min_size;
  return status() == 200 && !state_ && !type_->compute_etag &&
         !(tagged && exchange_->buffer().size() >= *tagged) &&
         !(exchange_->has_own_headers() && exchange_->headers().find(http::HeaderId::etag));
}

[[gnu::hot]] void RequestHandler::end_response() {
  if (finished()) throw std::logic_error("finish() called twice");
  if (!head_is_complete() && !exchange_->head_sent()) [[unlikely]]
    complete_head();
  exchange_->finish(exchange_->buffer());
}

void RequestHandler::complete_head() {
  const http::Method method = request().method();
  if (status() == 200 && (method == http::Method::get || method == http::Method::head)) {
    if (!exchange_->has_own_headers() || !exchange_->headers().find(http::HeaderId::etag)) set_etag_header();
    if (check_etag_header()) {
      exchange_->buffer().clear();
      set_status(304);
    }
  }
  if (is_bodiless(status())) check_no_body();
  add_cookies_to_head();
}

void RequestHandler::complete_head_without_text() {
  if (finished()) throw std::logic_error("finish() called twice");
  if (!exchange_->buffer().empty())
    throw std::logic_error("The body is text of write(), and not only a file");
  add_cookies_to_head();
}

void RequestHandler::add_cookies_to_head() {
  if (state_) state_->cookies.add_to(exchange_->headers());
}

void RequestHandler::check_no_body() {
  if (!exchange_->buffer().empty()) throw std::logic_error(fmt::format("Cannot send body with {}", status()));
  for (const char* name : {"Content-Encoding", "Content-Language", "Content-Type"}) clear_header(name);
}

WriteAwaiter RequestHandler::finish() {
  end_response();
  return exchange_->flush();
}

WriteAwaiter RequestHandler::finish(std::string_view last) {
  write(last);
  return finish();
}

WriteAwaiter RequestHandler::finish_file(FileSlice file) {
  complete_head_without_text();
  exchange_->finish_file(std::move(file));
  return exchange_->flush();
}

WriteAwaiter RequestHandler::finish_shared(SharedBytes body) {
  complete_head_without_text();
  exchange_->finish(std::move(body));
  return exchange_->flush();
}

void RequestHandler::redirect(std::string_view url, int status) {
  if (exchange_->head_sent()) throw std::logic_error("Cannot redirect after headers have been written");
  if (status < 300 || status > 399)
    throw std::invalid_argument(fmt::format("{} is not the status of a redirect", status));
  set_status(status);
  set_header("Location", url);
  end_response();
}

void RequestHandler::clear() {
  exchange_->reset_head();
  exchange_->buffer().clear();
  if (state_) state_->cookies.start_again();
  add_accept_query();
  set_default_headers();
}

void RequestHandler::add_accept_query() {
  if (!type_->accept_query.empty()) set_header("Accept-Query", type_->accept_query);
}

// ---- Entity tags.

void RequestHandler::set_etag_header() {
  const std::optional<std::size_t>& smallest = settings().etag_min_size;
  std::optional<std::string> tag;
  if (type_->compute_etag) {
    tag = type_->compute_etag(*this);
  } else if (smallest && exchange_->buffer().size() >= *smallest) {
    tag = entity_tag(exchange_->buffer());
  }
  if (tag) set_header("Etag", *tag);
}

bool RequestHandler::check_etag_header() const {
  if (!exchange_->has_own_headers()) return false;
  const auto tag = exchange_->headers().find(http::HeaderId::etag);
  if (!tag) return false;
  return http::if_none_match(request().headers().get("If-None-Match"), *tag);
}

// ---- The user.

CurrentUser& RequestHandler::known_user() { return state().user; }

CurrentUser& RequestHandler::user() {
  CurrentUser& user = state().user;
  if (user.state() == CurrentUser::State::known || !type_->current_user) return user;
  if (type_->user_needs_task || user.state() == CurrentUser::State::asking)
    throw std::logic_error("current_user() was called before get_current_user() has returned");
  user.set_state(CurrentUser::State::asking);
  try {
    Task<> none;
    type_->current_user(*this, none);
  } catch (...) {
    user.set_state(CurrentUser::State::unknown);
    throw;
  }
  return user;
}

bool RequestHandler::require_user() {
  if (user().exists()) return true;
  if (!wants_login_page()) {
    send_error(403);
    return false;
  }
  if (type_->login_url_task)
    throw std::logic_error(
        "require_user() cannot await get_login_url(), which is a task: co_await require_user_async()");
  redirect(login_location(type_->login_url ? type_->login_url(*this) : get_login_url(), request()));
  return false;
}

Task<bool> RequestHandler::require_user_async() {
  const HandlerType::LoginUrlTask ask = type_->login_url_task;
  if (!ask || user().exists() || !wants_login_page()) co_return require_user();
  const std::string login_url = co_await ask(*this);
  redirect(login_location(login_url, request()));
  co_return false;
}

// Whether the client of a request without a user can show the login page.
bool RequestHandler::wants_login_page() const {
  const http::Method method = request().method();
  const bool is_page = method == http::Method::get || method == http::Method::head;
  return is_page && !prefers_json(request());
}

std::string RequestHandler::get_login_url() {
  if (settings().login_url.empty())
    throw std::logic_error("You must define the 'login_url' setting, or override get_login_url()");
  return settings().login_url;
}

// ---- The language of the response.

const Locale& RequestHandler::locale() {
  if (!state().locale) {
    std::optional<Locale> chosen = get_user_locale();
    state().locale = chosen ? std::move(*chosen) : get_browser_locale();
  }
  return *state().locale;
}

void RequestHandler::set_locale(Locale locale) { state().locale = std::move(locale); }

std::optional<Locale> RequestHandler::get_user_locale() { return std::nullopt; }

Locale RequestHandler::get_browser_locale(std::string_view otherwise) {
  const Locales* const locales = settings().locales.get();
  if (!locales) throw std::logic_error("locale() needs Settings::locales");
  if (state_ && state_->accept_language) return locales->for_browser(*state_->accept_language, otherwise);
  if (!exchange_->head_sent()) http::add_vary(exchange_->headers(), "Accept-Language");
  return locales->for_browser(request().headers().get("Accept-Language"), otherwise);
}

std::string RequestHandler::static_url(std::string_view path, StaticUrl kind) const {
  const detail::StaticFiles* const files = settings().static_path.files();
  if (!files) throw std::logic_error("static_url() needs Settings::static_path");
  return files->url(settings(), path, kind);
}

// ---- Templates.

std::unique_ptr<detail::TemplateState>& RequestHandler::template_state() { return state().templates; }

// ---- Protection against cross-site request forgery.

const std::string& RequestHandler::xsrf_token() {
  std::optional<std::string>& text = state().xsrf_token;
  if (text) return *text;
  const std::optional<XsrfToken> received = xsrf_cookie();
  const XsrfToken token = received ? *received : XsrfToken::random(std::chrono::system_clock::now());
  std::string made = token.encode(xsrf_options().cookie_version);
  if (!received) set_xsrf_cookie(made);
  return text.emplace(std::move(made));
}

std::string RequestHandler::xsrf_form_html() {
  return fmt::format(R"(<input type="hidden" name="_xsrf" value="{}"/>)", xsrf_token());
}

// While get_current_user() has not returned, the cookie is as for nobody.
void RequestHandler::set_xsrf_cookie(const std::string& token) {
  if (exchange_->head_sent())
    throw std::logic_error("xsrf_token() sets a cookie, but the head of the response was sent before");
  CookieOptions cookie = xsrf_options().cookie;
  const bool says_end = cookie.expires || cookie.expires_days || cookie.max_age;
  const CurrentUser::State known = state().user.state();
  const bool is_unasked = known == CurrentUser::State::unknown && type_->user_needs_task;
  if (!says_end && !is_unasked && known != CurrentUser::State::asking && user().exists())
    cookie.expires_days = std::chrono::days(30);
  set_cookie(xsrf_options().cookie_name, token, cookie);
}

// ---- Errors.

void RequestHandler::send_error(int status, std::string_view reason) {
  if (exchange_->head_sent()) {
    log::general().error("Cannot send error response after headers written");
    if (finished()) return;
    exchange_->abort();
    is_cut_ = true;
    return;
  }
  if (status < 200 || status > 999) {
    log::application().error("{} is not the status of a response: sent 500", status);
    status = 500;
    reason = {};
  }
  call_and_log("set_default_headers", [this] { clear(); });
  set_status(status, reason);
  if (status == 405) set_header("Allow", allowed_methods(*type_));
  call_and_log("write_error", [this, status] {
    try {
      if (!is_bodiless(status)) write_error(status);
    } catch (const Finish& end) {
      if (!end.last().empty()) write(end.last());
    }
  });
  if (!finished()) end_response();
}

std::exception_ptr RequestHandler::error() const noexcept { return state_ ? state_->error : nullptr; }

// Without memory the error is answered, but not kept.
void RequestHandler::keep_error(const std::exception_ptr& error) noexcept {
  try {
    state().error = error;
  } catch (const std::bad_alloc&) {
    log::application().error("No memory to keep an exception for the handler");
  }
}

[[gnu::cold]] void RequestHandler::write_error(int status) {
  const std::string_view reason =
      exchange_->reason().empty() ? http::reason_phrase(status) : std::string_view(exchange_->reason());
  const ErrorFormat format = settings().error_format;
  const auto make_page = settings().serve_traceback.value_or(settings().debug.pages()).function();
  const bool is_debug_page = make_page && error();
  const ErrorPage page = is_debug_page ? make_page(*this, status, reason, error())
                                       : make_error_page(request(), format, status, reason);
  if (is_debug_page) set_header("Cache-Control", "no-store");
  if (format == ErrorFormat::by_accept) http::add_vary(exchange_->headers(), "Accept");
  set_header("Content-Type", page.content_type);
  write(page.body);
}

[[gnu::cold]] void RequestHandler::log_exception(const std::exception_ptr& error) {
  log_failure(*exchange_, error);
}

}  // namespace squall::web
