#pragma once

#include <squall/http/server/exchange.h>
#include <squall/iostream/stream/write_awaiter.h>
#include <squall/web/handler/application_context.h>
#include <squall/web/handler/header_value.h>
#include <squall/web/handler/http_error.h>
#include <squall/web/handler/request_input.h>

#include <string>
#include <string_view>

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
//   static constexpr bool stream_request_body = true    prepare() and the verb run before the body has
//                                             arrived: they read it by read_body()
//   data_received(std::string_view piece)     void or Task<>, with stream_request_body; runs for each piece
//                                             of the body, before the verb. After finish() neither a piece
//                                             nor the verb follows; if the body has not ended,
//                                             on_connection_close() runs
// A method without a verb gets a 405. Verbs and hooks are found at compile time: they need not be virtual.
//
// Thread:    the loop's thread only.
// Lifetime:  made and destroyed by the framework, for one request.
// Errors:    throw HTTPError for an error page. Any other exception is logged with the request and answered
//            with 500; the connection and the server go on. StreamClosedError after the client closed the
//            connection is not logged.
class RequestHandler : public RequestInput {
 public:
  RequestHandler();
  ~RequestHandler() override;
  RequestHandler(const RequestHandler&) = delete;
  RequestHandler& operator=(const RequestHandler&) = delete;

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

  void attach(const ApplicationContext& context, http::Exchange& exchange, const HandlerType& type,
              const PathGroups& groups);
  void set_groups(const PathGroups& groups) noexcept { groups_ = &groups; }

  const HandlerType* type_ = nullptr;
};

}  // namespace squall::web
