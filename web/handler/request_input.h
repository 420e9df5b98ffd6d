#pragma once

#include <squall/http/message/query.h>
#include <squall/http/server/exchange.h>
#include <squall/ioloop/base/frame_pool.h>
#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/loop/task.h>
#include <squall/web/handler/application_context.h>
#include <squall/web/handler/http_error.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace squall::web {

// The input of a handler: the base class of RequestHandler, whose comment has the rules for both.
class RequestInput : public Pooled {
 public:
  RequestInput(const RequestInput&) = delete;
  RequestInput& operator=(const RequestInput&) = delete;

  const http::ServerRequest& request() const noexcept { return exchange_->request(); }
  Application& application() const noexcept { return context_->application; }
  const Settings& settings() const noexcept { return context_->settings; }

  // ---- Arguments of the query and of a form in the body. Values are decoded, control characters
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

 protected:
  RequestInput();
  virtual ~RequestInput();

 private:
  friend class RequestHandler;
  struct Arguments;

  Arguments& arguments();
  const http::QueryArguments& query_arguments();
  const http::QueryArguments& body_arguments();
  std::vector<std::string> collect(const http::QueryArguments& from, std::string_view name);
  std::optional<std::string> last_of(const http::QueryArguments& from, std::string_view name);
  std::string clean(std::string_view name, std::string_view value);

  const ApplicationContext* context_ = nullptr;
  http::Exchange* exchange_ = nullptr;
  std::unique_ptr<Arguments> arguments_;
};

}  // namespace squall::web
