#pragma once

#include <squall/http/server/exchange.h>
#include <squall/iostream/stream/write_awaiter.h>
#include <squall/web/handler/application_context.h>
#include <squall/web/handler/current_user.h>
#include <squall/web/handler/handler_cookies.h>
#include <squall/web/handler/header_value.h>
#include <squall/web/handler/http_error.h>
#include <squall/web/handler/json_text.h>
#include <squall/web/handler/page_functions.h>
#include <squall/web/locale/locale.h>

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace squall::web {

struct HandlerType;

// Base class of handlers: one object answers one request.
//
//     class UserHandler : public web::RequestHandler {
//      public:
//       void get(std::int64_t id) { write(fmt::format("user {}", id)); }
//       Task<> post(std::int64_t id) { co_await save(id, get_argument("name")); }
//     };
//
// A derived class may have, public and not overloaded:
//   get head post put delete_ patch options query   the verbs. Parameters take the route's groups, by type.
//                                get answers HEAD too, unless the class has head
//   initialize(...)              runs first; takes the arguments of url<H>()
//   prepare()                    runs before the verb. If it calls finish(), the verb does not run
//   on_finish()                  runs after the response, also after a failed one
//   void on_connection_close()   runs when the client closes the connection before finish(), while a Task<>
//                                waits; the task is cancelled afterwards
//   data_received(std::string_view)   with stream_request_body: runs for each piece of the body, before the
//                                verb. After finish() neither a piece nor the verb follows; if the body has
//                                not ended, on_connection_close() runs
//   get_current_user()           see current_user()
//   get_login_url()              std::string or Task<std::string>: see require_user()
//   compute_etag()               std::optional<std::string>: see set_etag_header()
//   get_template_namespace()     TemplateArguments: more names for its templates
//   get_template_path()          TemplateFolder: their folder, in place of Settings::template_path
//   create_template_loader(const TemplateFolder&)   std::shared_ptr<TemplateLoader>: their loader; called
//                                once for each path and application
//   render_linked_js(urls), render_embed_js(scripts), render_linked_css(urls), render_embed_css(styles)
//                                std::string: the HTML of the resources of a page's UI modules, from a
//                                std::vector<std::string>, in place of linked_js(), embedded_js(),
//                                linked_css() and embedded_css() (WEB-235)
// and as constants and types:
//   stream_request_body = true   prepare() and the verb run before the body has arrived: see read_body()
//   authenticated = true         require_user() runs before each verb
//   accept_query = "text/plain"  the types that query takes, for the Accept-Query header
//   using extra_methods          verbs of other methods: see ExtraMethods
// Verbs, initialize(), prepare(), data_received() and on_finish() return void or Task<>. A method without a
// verb gets a 405. Verbs and hooks are found at compile time: they need not be virtual.
//
// Thread:    the loop's thread only.
// Lifetime:  made and destroyed by the framework, for one request.
// Errors:    throw HTTPError for an error page. Any other exception is logged with the request and answered
//            with 500; the connection and the server go on. StreamClosedError after the client closed the
//            connection is not logged.
class RequestHandler : public HandlerCookies {
 public:
  RequestHandler();
  ~RequestHandler() override;
  RequestHandler(const RequestHandler&) = delete;
  RequestHandler& operator=(const RequestHandler&) = delete;

  // The path of the route of that name, with `arguments` in place of its groups, percent-encoded but for
  // slashes: see Application::reverse_url().
  template <class... Arguments>
  std::string reverse_url(std::string_view name, const Arguments&... arguments) const {
    return context_->routes.path_of(name, arguments...);
  }

  // The URL of the file at `path` beneath Settings::static_path: see web::static_url().
  std::string static_url(std::string_view path, StaticUrl kind = StaticUrl::hashed) const;

  // ---- Output.

  // The status is 200 until it is set. A reason with `<`, or with a character that is neither visible nor a
  // space, becomes `Unknown` (WEB-41). Throws std::invalid_argument for a status without three digits.
  void set_status(int status, std::string_view reason = {});
  int status() const noexcept { return exchange_->status(); }
  // `value` is text, a whole number or a time. Throws std::invalid_argument for control characters (WEB-42).
  void set_header(std::string_view name, const HeaderValue& value) {
    exchange_->headers().set(name, value.text());
  }
  void add_header(std::string_view name, const HeaderValue& value) {
    exchange_->headers().add(name, value.text());
  }
  void clear_header(std::string_view name) { exchange_->headers().remove(name); }
  // Adds to the response's body, which is kept in memory until flush() or finish(). Throws std::logic_error
  // after finish(). 204, 205 and 304 have no body: flush() and finish() throw std::logic_error for one.
  void write(std::string_view chunk);
  // Writes the value as JSON, and sets the Content-Type application/json (WEB-43): JsonText says which types
  // have a JSON text. Throws std::invalid_argument for an array (SEC-36).
  template <class T>
  void write_json(const T& value) {
    write_json_text(json_text_of(value));
  }
  // Sends the head, unless it was sent before, and the body written so far. `co_await flush()` waits until
  // the kernel has taken it: use it between the pieces of a large body.
  WriteAwaiter flush();
  // Ends the response. Called after the verb if the verb did not. `co_await finish()` waits until the kernel
  // has taken all of the response, and throws StreamClosedError if the connection closes before. The rest of
  // a Task<> behind finish() runs whether the client stays or not. Throws std::logic_error if called twice.
  WriteAwaiter finish();
  WriteAwaiter finish(std::string_view last);
  // The body is a part of a file, or shared memory: see http::Exchange. Throws std::logic_error after
  // write().
  WriteAwaiter finish_file(FileSlice file);
  WriteAwaiter finish_shared(SharedBytes body);
  // Finishes with `status`, 300 to 399, and the URL as given in Location (WEB-49). Throws std::logic_error
  // once the head is sent.
  void redirect(std::string_view url, int status = 302);
  // Back to status 200, the default headers and an empty body. Cookies stay.
  void clear();
  bool finished() const noexcept { return exchange_->finished(); }

  // Adds the cookies to the headers, each once. Called when the head is complete, and again after
  // before_head() of middleware.
  void add_cookies_to_head();

  // ---- Entity tags (WEB-75 to WEB-77). A response of status 200 to GET or HEAD that is sent as a whole, and
  // not by finish_file() or finish_shared(), gets an Etag, unless it has one or is smaller than
  // Settings::etag_min_size. If the request's If-None-Match names the Etag, the response becomes a 304.
  // compute_etag() of a class is called in place of the hash, for a body of any size; nullopt: no Etag.

  // The same early, of the body written so far.
  void set_etag_header();
  // Whether If-None-Match names the Etag that is set.
  bool check_etag_header() const;

  // ---- Templates (WEB-50 to WEB-52) of Settings::template_path or template_loader: docs/templates.md. The
  // names of a template: `arguments`, get_template_namespace(), Settings::ui_methods,
  // Settings::template_names, and then handler, request, current_user, static_url, xsrf_form_html,
  // reverse_url and modules.
  // Errors: TemplateNotFoundError; TemplateParseError; TemplateRunError, with the nested exception of a
  // function. An HTTPError of a function is thrown as it is. std::logic_error without a loader.

  // The output of the template. The page of a later render() has the resources of its UI modules too.
  std::string render_string(std::string_view name, const TemplateArguments& arguments = {}) {
    return detail::render_string(*this, name, arguments);
  }
  // Adds the output to the response's body, puts the resources of UI modules into it, and ends the response.
  // Throws std::logic_error after finish(), and if the page does not have the tag of a resource: see
  // UIModule. After an exception the body is as it was before.
  WriteAwaiter render(std::string_view name, const TemplateArguments& arguments = {}) {
    detail::render_page(*this, name, arguments);
    return finish();
  }
  // The same for a large page: whenever the body has `piece` bytes, they are sent, and the task waits until
  // the kernel has taken them. An error after the first piece closes the connection, and a UI module with
  // resources is an error: std::logic_error.
  Task<> render_in_pieces(std::string name, TemplateArguments arguments = {},
                          std::size_t piece = std::size_t{64} * 1024) {
    return detail::render_in_pieces(*this, std::move(name), std::move(arguments), piece);
  }

  // ---- The user (WEB-120 to WEB-123). get_current_user() of the class returns std::optional<T> or
  // Task<std::optional<T>>, nullopt for nobody. The first is called once, when the user is first needed; the
  // task runs behind the middleware, and before prepare(), of each request. Neither is called if
  // set_current_user() was called before.

  // Null for nobody. Throws std::logic_error if the user is not a T, and when get_current_user() calls it.
  template <class T>
  T* current_user() {
    return user().template get<T>();
  }
  template <class T>
  void set_current_user(std::optional<T> user) {
    known_user().set(std::move(user));
  }
  template <class T>
  void set_current_user(T user) {
    known_user().set(std::optional<T>(std::move(user)));
  }
  // True if there is a user. Otherwise answers the request: GET and HEAD are redirected to get_login_url(),
  // with `next` for the way back; other methods, and clients that prefer JSON to HTML, get a 403 (WEB-121).
  //     if (!require_user()) co_return;
  // Throws std::logic_error if get_login_url() of the class is a task that is needed.
  bool require_user();
  // The same, for a class whose get_login_url() may be a task.
  //     const bool has_user = co_await require_user_async();
  Task<bool> require_user_async();
  // The user as templates see it: null for nobody, and true for a user of a type that is no value of
  // templates (WEB-52).
  TemplateValue current_user_for_template() { return user().template_value(); }
  // Settings::login_url, or throws std::logic_error without one (WEB-123). A class may have its own, which
  // returns std::string or Task<std::string>.
  std::string get_login_url();

  // ---- The language of the response (WEB-130, WEB-131).

  // get_user_locale(), or get_browser_locale() if that is nullopt. Asked once for each request.
  const Locale& locale();
  void set_locale(Locale locale);
  // The locale that the user has chosen: nullopt, unless overridden. If it must be awaited, call set_locale()
  // in prepare() instead.
  virtual std::optional<Locale> get_user_locale();
  // The locale that is closest to the languages of Accept-Language, by their weights; to `otherwise` if the
  // client names none. Adds Accept-Language to Vary. Throws std::logic_error without Settings::locales. May
  // be overridden.
  virtual Locale get_browser_locale(std::string_view otherwise = "en_US");

  // ---- Protection against cross-site request forgery: see check_xsrf_token().

  // The token as text of hexadecimal digits and bars, for a form or a header: different in each response, and
  // the same until the handler ends (SEC-46). The first call sets the cookie if the request has no usable
  // one: until the browser's session ends, or for 30 days if there is a current user and the options do not
  // say. It then throws std::logic_error once the head is sent. Throws std::invalid_argument for an unknown
  // XsrfOptions::cookie_version, and errors of set_cookie() and get_current_user().
  const std::string& xsrf_token();
  // The hidden field of a form with the token (WEB-108), for HTML as it is.
  std::string xsrf_form_html();

  // ---- Errors.

  // Answers with the error page of `status`. If the head was sent before, closes the connection instead, so
  // that the client does not take a part of the body for the whole. A status that no response has, such as
  // 100 or 1000, becomes a 500; 204, 205 and 304 have no page.
  void send_error(int status, std::string_view reason = {});
  // Writes the error page. Status and headers are set before. May be overridden.
  virtual void write_error(int status);
  // Logs an exception of a verb or a hook that is answered with an error page (WEB-64). May be overridden.
  virtual void log_exception(const std::exception_ptr& error);
  // The exception that ended the verb or a hook, for write_error(), log_function and on_finish(); null
  // before.
  std::exception_ptr error() const noexcept;
  // Sets headers for every response of this handler, error pages too. May be overridden.
  virtual void set_default_headers() {}

  // The verbs and hooks of the class.
  const HandlerType& type() const noexcept { return *type_; }

  // For Squall's own use.
  const ApplicationContext& context() const noexcept { return *context_; }
  std::unique_ptr<detail::TemplateState>& template_state();

  // For features without a function here: trailers, interim responses, closing the connection.
  http::Exchange& exchange() noexcept { return *exchange_; }

  // Takes over the connection, for another protocol: see http::Exchange::detach(). Only for a verb that is a
  // Task<>.
  IOStream detach() { return exchange_->detach(); }

  // From now on the request is not cancelled when the client closes the connection.
  void run_to_end() noexcept { exchange_->run_to_end(); }

 protected:
  // For a handler that outlives its request: from now on the request is empty, and so are arguments, cookies
  // and path groups. Asks get_current_user() before, unless it was asked, so that current_user() stays right,
  // and keeps the languages of the browser for get_browser_locale().
  void forget_request();

 private:
  friend class HandlerRun;

  void attach(const ApplicationContext& context, http::Exchange& exchange, const HandlerType& type,
              const PathGroups& groups);
  void set_groups(const PathGroups& groups) noexcept { groups_ = &groups; }

  CurrentUser& user();
  CurrentUser& known_user();
  bool knows_user() { return known_user().state() == CurrentUser::State::known; }
  bool wants_login_page() const;
  void set_xsrf_cookie(const std::string& token);
  void write_json_text(std::string_view json);
  bool head_is_complete() const noexcept;
  void end_response();
  void complete_head();
  void complete_head_without_text();
  void check_no_body();
  void add_accept_query();
  void keep_error(const std::exception_ptr& error) noexcept;
  // The status for the access log: 500 if send_error() has cut the response.
  int answered_with() const noexcept { return is_cut_ ? 500 : exchange_->status(); }

  const HandlerType* type_ = nullptr;
  bool is_cut_ = false;
};

}  // namespace squall::web
