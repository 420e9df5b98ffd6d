#pragma once

#include <squall/http/message/query.h>
#include <squall/http/server/exchange.h>
#include <squall/ioloop/base/frame_pool.h>
#include <squall/iostream/stream/write_awaiter.h>
#include <squall/web/header_value.h>
#include <squall/web/http_error.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace squall::web {

class Application;
struct HandlerType;

// Base of what answers requests: one object a request.
//
//     class UserHandler : public web::RequestHandler {
//      public:
//       void get(std::int64_t id) { write(fmt::format("user {}", id)); }
//       Task<> post(std::int64_t id) { co_await save(id, get_argument("name")); }
//     };
//
// A derived class may have, public and not overloaded:
//   get head post put delete_ patch options   void or Task<>; parameters take the route's groups, by type
//   void initialize(...)                      first; takes what url<H>() was given behind the pattern
//   prepare()                                 void or Task<>; before the verb, which a finish() in it spares
//   void on_finish()                          after the response, whatever became of it
//   void on_connection_close()                the client went away while a Task<> waited, which is then
//   cancelled
//   static constexpr bool stream_request_body = true    the verb reads the body itself: see read_body()
// What it does not have is answered 405. It is found while compiling: nothing is virtual that runs each time.
//
// Thread:    the loop's thread only.
// Lifetime:  made and destroyed by the framework, for one request.
// Errors:    throw HTTPError for an error page. Any other exception is logged with the request and answered
//            500; the connection and the server go on. StreamClosedError once the client has gone is no
//            error.
class RequestHandler : public Pooled {
 public:
  RequestHandler();
  virtual ~RequestHandler();
  RequestHandler(const RequestHandler&) = delete;
  RequestHandler& operator=(const RequestHandler&) = delete;

  const http::Request& request() const noexcept { return exchange_->request(); }
  Application& application() const noexcept { return *application_; }

  // ---- Input: values of the query and of a form body, decoded, control characters turned to spaces, trimmed
  // (WEB-30 to WEB-32). Text that is not UTF-8 is a 400, and so are more arguments than the application's
  // settings allow. A body is looked at only by those who ask for its arguments.

  // The last value. Throws MissingArgumentError (400) if there is none.
  std::string get_argument(std::string_view name);
  std::string get_argument(std::string_view name, std::string_view otherwise);
  // All values, those of the query first.
  std::vector<std::string> get_arguments(std::string_view name);
  std::string get_query_argument(std::string_view name);
  std::string get_query_argument(std::string_view name, std::string_view otherwise);
  std::vector<std::string> get_query_arguments(std::string_view name);
  std::string get_body_argument(std::string_view name);
  std::string get_body_argument(std::string_view name, std::string_view otherwise);
  std::vector<std::string> get_body_arguments(std::string_view name);

  // The request's body piece by piece: the next one, empty at the end. With stream_request_body it is called
  // while the body arrives, and a handler that does not read holds the client back; otherwise the body is
  // there already, in one piece. Throws http::HTTPInputError, which is answered with its status, and
  // StreamClosedError.
  Task<std::string_view> read_body() { return exchange_->read(); }
  // For this request's body, before it is first read with stream_request_body: instead of
  // HTTPServer::Options::max_body_size, and of body_timeout, for which all reads together may wait.
  void set_max_body_size(std::size_t size) noexcept { exchange_->set_max_body_size(size); }
  void set_body_timeout(std::chrono::nanoseconds timeout) noexcept { exchange_->set_body_timeout(timeout); }

  // ---- Output.

  // 200 until set. A reason with other than visible characters and spaces in it, or with `<`, becomes
  // `Unknown` (WEB-41). Throws std::invalid_argument for a status that has not three digits.
  void set_status(int status, std::string_view reason = {});
  int status() const noexcept { return exchange_->status(); }
  // Throws std::invalid_argument for control characters (WEB-42).
  void set_header(std::string_view name, const HeaderValue& value) {
    exchange_->headers().set(name, value.text());
  }
  void add_header(std::string_view name, const HeaderValue& value) {
    exchange_->headers().add(name, value.text());
  }
  void clear_header(std::string_view name) { exchange_->headers().remove(name); }
  // Adds to the response's body, which is kept until flush() or finish(). Throws std::logic_error after
  // finish().
  void write(std::string_view chunk);
  // Sends the head, if that is still to be done, and what was written. `co_await flush()` waits until the
  // client takes it: that is how to send much without holding it.
  WriteAwaiter flush();
  // Ends the response; done for you when the verb returns. Throws std::logic_error if called twice.
  void finish();
  void finish(std::string_view last);
  // Back to status 200, the default headers and an empty body.
  void clear();
  bool finished() const noexcept { return exchange_->finished(); }

  // Answers with the error page of `status`. Once the head is sent there can be none: the connection is
  // closed, so that the client does not take a part for the whole.
  void send_error(int status, std::string_view reason = {});
  // Makes the error page: status and headers are set, write() it. May be overridden.
  virtual void write_error(int status);
  // Headers for every response of this handler, error pages among them. May be overridden.
  virtual void set_default_headers() {}

  // For what has no name here: trailers, interim responses, limits of this request's own.
  http::Exchange& exchange() noexcept { return *exchange_; }

  // Takes the connection, for another protocol: see http::Exchange::detach(). For verbs that return Task<>.
  IOStream detach() { return exchange_->detach(); }

  // The client's going away does not cancel this request.
  void shield() noexcept { exchange_->shield(); }

 private:
  friend class HandlerRun;
  struct Arguments;

  void attach(Application& application, http::Exchange& exchange, const HandlerType& type);

  Arguments& arguments();
  const http::QueryArguments& query_arguments();
  const http::QueryArguments& body_arguments();
  std::vector<std::string> collect(const http::QueryArguments& from, std::string_view name);
  std::optional<std::string> last_of(const http::QueryArguments& from, std::string_view name);
  std::string clean(std::string_view name, std::string_view value);

  Application* application_ = nullptr;
  http::Exchange* exchange_ = nullptr;
  const HandlerType* type_ = nullptr;
  std::unique_ptr<Arguments> arguments_;
};

}  // namespace squall::web
