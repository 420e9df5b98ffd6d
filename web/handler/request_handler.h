#pragma once

#include <squall/http/message/query.h>
#include <squall/http/server/exchange.h>
#include <squall/ioloop/base/frame_pool.h>
#include <squall/ioloop/base/time_span.h>
#include <squall/iostream/stream/write_awaiter.h>
#include <squall/web/handler/application_context.h>
#include <squall/web/handler/header_value.h>
#include <squall/web/handler/http_error.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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
//   get head post put delete_ patch options   void or Task<>; parameters take the route's groups, by type
//   void initialize(...)                      runs first; takes the arguments of url<H>()
//   prepare()                                 void or Task<>; runs before the verb. If it calls finish(),
//                                             the verb does not run
//   void on_finish()                          runs after the response, also after a failed one
//   void on_connection_close()                runs when the client closes the connection while a Task<>
//                                             waits; the task is cancelled afterwards
//   static constexpr bool stream_request_body = true    the verb reads the body itself: see read_body()
// A method without a verb gets a 405. Verbs and hooks are found at compile time: they need not be virtual.
//
// Thread:    the loop's thread only.
// Lifetime:  made and destroyed by the framework, for one request.
// Errors:    throw HTTPError for an error page. Any other exception is logged with the request and answered
//            with 500; the connection and the server go on. StreamClosedError after the client closed the
//            connection is not logged.
class RequestHandler : public Pooled {
 public:
  RequestHandler();
  virtual ~RequestHandler();
  RequestHandler(const RequestHandler&) = delete;
  RequestHandler& operator=(const RequestHandler&) = delete;

  const http::ServerRequest& request() const noexcept { return exchange_->request(); }
  Application& application() const noexcept { return context_->application; }
  const Settings& settings() const noexcept { return context_->settings; }

  // The path of the route of that name, with `arguments` in place of its groups, percent-encoded but for
  // slashes: see Application::reverse_url().
  template <class... Arguments>
  std::string reverse_url(std::string_view name, const Arguments&... arguments) const {
    return context_->routes.path_of(name, arguments...);
  }

  // ---- Input: arguments of the query and of a form in the body. Values are decoded, control characters
  // become spaces, and blanks at both ends are removed (WEB-30 to WEB-32). Text that is not UTF-8, and more
  // arguments than Settings::max_arguments, throw HTTPError 400. The body is parsed at the first call that
  // needs it.

  // The last value of that name. Without a value the second returns `otherwise`, and the first throws
  // MissingArgumentError (400).
  std::string get_argument(std::string_view name);
  std::string get_argument(std::string_view name, std::string_view otherwise);
  // All values of that name, from the query first.
  std::vector<std::string> get_arguments(std::string_view name);
  std::string get_query_argument(std::string_view name);
  std::string get_query_argument(std::string_view name, std::string_view otherwise);
  std::vector<std::string> get_query_arguments(std::string_view name);
  std::string get_body_argument(std::string_view name);
  std::string get_body_argument(std::string_view name, std::string_view otherwise);
  std::vector<std::string> get_body_arguments(std::string_view name);

  // The next piece of the request's body; empty at the end. With stream_request_body the pieces come as they
  // arrive, and the client is slowed down to the handler's pace. Otherwise the whole body is one piece.
  // Throws http::HTTPInputError for a malformed body, which is answered with its status, and
  // StreamClosedError.
  Task<std::string_view> read_body() { return exchange_->read(); }
  // Limits of this request's body, in bytes and in time that all reads together may wait, in place of
  // HTTPServer::Options::max_body_size and body_timeout. Call them before the first read_body(), in a handler
  // with stream_request_body.
  void set_max_body_size(std::size_t size) noexcept { exchange_->set_max_body_size(size); }
  void set_body_timeout(TimeSpan timeout) noexcept { exchange_->set_body_timeout(timeout); }

  // ---- Output.

  // The status is 200 until it is set. A reason with `<`, or with a character that is neither visible nor a
  // space, becomes `Unknown` (WEB-41). Throws std::invalid_argument for a status without three digits.
  void set_status(int status, std::string_view reason = {});
  int status() const noexcept { return exchange_->status(); }
  // `value` is text or a whole number. Throws std::invalid_argument for control characters (WEB-42).
  void set_header(std::string_view name, const HeaderValue& value) {
    exchange_->headers().set(name, value.text());
  }
  void add_header(std::string_view name, const HeaderValue& value) {
    exchange_->headers().add(name, value.text());
  }
  void clear_header(std::string_view name) { exchange_->headers().remove(name); }
  // Adds to the response's body, which is kept in memory until flush() or finish(). Throws std::logic_error
  // after finish().
  void write(std::string_view chunk);
  // Sends the head, unless it was sent before, and the body written so far. `co_await flush()` waits until
  // the kernel has taken it: use it between the pieces of a large body.
  WriteAwaiter flush();
  // Ends the response. Called after the verb if the verb did not. Throws std::logic_error if called twice.
  void finish();
  void finish(std::string_view last);
  // Back to status 200, the default headers and an empty body.
  void clear();
  bool finished() const noexcept { return exchange_->finished(); }

  // Answers with the error page of `status`. If the head was sent before, closes the connection instead, so
  // that the client does not take a part of the body for the whole.
  void send_error(int status, std::string_view reason = {});
  // Writes the error page. Status and headers are set before. May be overridden.
  virtual void write_error(int status);
  // Sets headers for every response of this handler, error pages too. May be overridden.
  virtual void set_default_headers() {}

  // For features without a function here: trailers, interim responses, closing the connection.
  http::Exchange& exchange() noexcept { return *exchange_; }

  // Takes over the connection, for another protocol: see http::Exchange::detach(). Only for a verb that is a
  // Task<>.
  IOStream detach() { return exchange_->detach(); }

  // From now on the request is not cancelled when the client closes the connection.
  void run_to_end() noexcept { exchange_->run_to_end(); }

 private:
  friend class HandlerRun;
  struct Arguments;

  void attach(const ApplicationContext& context, http::Exchange& exchange, const HandlerType& type);

  Arguments& arguments();
  const http::QueryArguments& query_arguments();
  const http::QueryArguments& body_arguments();
  std::vector<std::string> collect(const http::QueryArguments& from, std::string_view name);
  std::optional<std::string> last_of(const http::QueryArguments& from, std::string_view name);
  std::string clean(std::string_view name, std::string_view value);

  const ApplicationContext* context_ = nullptr;
  http::Exchange* exchange_ = nullptr;
  const HandlerType* type_ = nullptr;
  std::unique_ptr<Arguments> arguments_;
};

}  // namespace squall::web
