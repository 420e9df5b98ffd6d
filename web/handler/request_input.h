#pragma once

#include <squall/http/message/form.h>
#include <squall/http/message/query.h>
#include <squall/http/server/exchange.h>
#include <squall/ioloop/base/frame_pool.h>
#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/loop/task.h>
#include <squall/web/handler/application_context.h>
#include <squall/web/handler/arguments.h>
#include <squall/web/handler/http_error.h>
#include <squall/web/handler/json_input.h>
#include <squall/web/handler/path_args.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::web {

// The input of a handler: a base class of RequestHandler, whose comment has the rules for both.
class RequestInput : public Pooled {
 public:
  RequestInput(const RequestInput&) = delete;
  RequestInput& operator=(const RequestInput&) = delete;

  const http::ServerRequest& request() const noexcept { return exchange_->request(); }
  Application& application() const noexcept { return context_->application; }
  const Settings& settings() const noexcept { return context_->settings; }

  // ---- The groups of the route's pattern, decoded (WEB-17, WEB-33). A verb gets them as parameters; these
  // functions are for the other hooks, from initialize() on.

  // nullopt for a group that took no part in the match. Throws HTTPError 400 for bytes that are not UTF-8.
  std::vector<std::optional<std::string>> path_args();
  // The group with that name, or the group at that index, from 0, as a T: see argument(). Throws HTTPError
  // 404 for a group that is no T or that took no part, unless T is a std::optional. Throws std::out_of_range
  // if the pattern has no such group.
  template <class T = std::string>
  T path_argument(std::string_view name) {
    return path_value<T>(group(name));
  }
  template <class T = std::string>
  T path_argument(std::size_t index) {
    return path_value<T>(group(index));
  }

  // ---- Arguments of the query and of a form in the body. The last value of a name counts, of the body
  // before the query. Control characters become spaces (WEB-30 to WEB-32). Text that is not UTF-8, more
  // arguments than Settings::max_arguments, and a malformed form throw HTTPError 400. The body is parsed at
  // the first call that needs it.

  // The value of an argument as a T: text, a number, bool, or a type with an ArgumentConverter. Throws
  // MissingArgumentError (400) without a value, and InvalidArgumentError (400) for a value that is no T.
  // With a std::optional<T> a missing value is std::nullopt, and so is an empty one unless T is text: a form
  // sends every field, also those that the user leaves empty.
  template <class T = std::string>
  T argument(std::string_view name) {
    return detail::convert_argument<T>(name, find_argument(Source::both, name));
  }
  // As above, but returns `otherwise` if there is no value.
  template <class T = std::string, std::convertible_to<T> Otherwise = T>
  T argument(std::string_view name, Otherwise otherwise) {
    return detail::convert_argument<T>(name, find_argument(Source::both, name), T(std::move(otherwise)));
  }
  // All values of that name, from the query first.
  template <class T = std::string>
  std::vector<T> arguments(std::string_view name) {
    return detail::convert_arguments<T>(name, find_arguments(Source::both, name));
  }
  // The same for one source.
  template <class T = std::string>
  T query_argument(std::string_view name) {
    return detail::convert_argument<T>(name, find_argument(Source::query, name));
  }
  template <class T = std::string, std::convertible_to<T> Otherwise = T>
  T query_argument(std::string_view name, Otherwise otherwise) {
    return detail::convert_argument<T>(name, find_argument(Source::query, name), T(std::move(otherwise)));
  }
  template <class T = std::string>
  std::vector<T> query_arguments(std::string_view name) {
    return detail::convert_arguments<T>(name, find_arguments(Source::query, name));
  }
  template <class T = std::string>
  T body_argument(std::string_view name) {
    return detail::convert_argument<T>(name, find_argument(Source::body, name));
  }
  template <class T = std::string, std::convertible_to<T> Otherwise = T>
  T body_argument(std::string_view name, Otherwise otherwise) {
    return detail::convert_argument<T>(name, find_argument(Source::body, name), T(std::move(otherwise)));
  }
  template <class T = std::string>
  std::vector<T> body_arguments(std::string_view name) {
    return detail::convert_arguments<T>(name, find_arguments(Source::body, name));
  }

  // Decodes the bytes of an argument, or of a path group, which has no name. Throws HTTPError 400 for bytes
  // that are not UTF-8. May be overridden (WEB-32).
  virtual std::string decode_argument(std::string bytes, std::string_view name);

  // Tornado's names, for text. `blanks` are those at both ends of a value.
  enum class Blanks : std::uint8_t { removed, kept };
  std::string get_argument(std::string_view name, Blanks blanks = Blanks::removed);
  std::string get_argument(std::string_view name, std::string_view otherwise,
                           Blanks blanks = Blanks::removed);
  std::vector<std::string> get_arguments(std::string_view name, Blanks blanks = Blanks::removed);
  std::string get_query_argument(std::string_view name, Blanks blanks = Blanks::removed);
  std::string get_query_argument(std::string_view name, std::string_view otherwise,
                                 Blanks blanks = Blanks::removed);
  std::vector<std::string> get_query_arguments(std::string_view name, Blanks blanks = Blanks::removed);
  std::string get_body_argument(std::string_view name, Blanks blanks = Blanks::removed);
  std::string get_body_argument(std::string_view name, std::string_view otherwise,
                                Blanks blanks = Blanks::removed);
  std::vector<std::string> get_body_arguments(std::string_view name, Blanks blanks = Blanks::removed);

  // ---- Cookies of the request, as the client sent them (WEB-34, HUT-38).

  // As ServerRequest::cookies(). Valid as long as the handler.
  const http::QueryArguments& cookies();
  std::optional<std::string> get_cookie(std::string_view name);
  std::string get_cookie(std::string_view name, std::string_view otherwise);

  // ---- Files of a multipart form. A file's body is a view into the request's body. Errors as for arguments;
  // for large files see MultipartReader. The client chooses the file name: never use it as a path.

  // All files, in their order. Valid as long as the handler.
  const std::vector<http::HTTPFile>& files() { return parsed_form().files; }
  // The files of one field.
  std::vector<http::HTTPFile> files(std::string_view name);
  // The last file of a field. Throws MissingArgumentError (400) without one.
  const http::HTTPFile& file(std::string_view name);

  // ---- JSON. The body must have the Content-Type application/json, or another that ends in +json; a page of
  // another site can then not send it without CORS. Throws HTTPError 415 for other types, 413 beyond
  // Settings::max_json_size, and 400 for other mistakes; the message names the line and column.

  // The body as a T: nlohmann::json, or another type that JsonInput describes.
  template <class T>
  T json_body() {
    const JsonInput in = detail::json_input(request(), settings());
    return detail::convert_json(in, [&] { return detail::parse_json<T>(in); });
  }
  // The body as a T that is made from a Json, as with json_body<Order, nlohmann::json>(). Exceptions of the
  // conversion mean a 400.
  template <class T, class Json>
  T json_body() {
    const JsonInput in = detail::json_input(request(), settings());
    return detail::convert_json(in, [&] { return detail::parse_json<Json>(in).template get<T>(); });
  }

  // ---- The body as it arrives.

  // The next piece of the request's body; empty at the end. With stream_request_body the pieces come as they
  // arrive, and the client is slowed down to the handler's pace. Otherwise the whole body is one piece.
  // Throws http::HTTPInputError for a malformed body, which is answered with its status, and
  // StreamClosedError.
  Task<std::string_view> read_body() { return exchange_->read(); }
  // Writes the rest of the body to a new file, as it arrives, and returns the size of the file in bytes: for
  // bodies of any size. Runs on threads of the loop's executor. The file has the permissions that the umask
  // allows, and is deleted if the body or the task ends early. `path` must not contain text of the client.
  // Throws std::system_error if the file exists or cannot be written, and as read_body(). For a form see
  // MultipartReader.
  Task<std::uint64_t> save_body_to(std::string path);
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
  enum class Source : std::uint8_t { both, query, body };
  struct Parsed;

  const PathGroups::Text& group(std::string_view name) const;
  const PathGroups::Text& group(std::size_t index) const;
  template <class T>
  T path_value(const PathGroups::Text& group) {
    return detail::required_group<T>(
        group, [this](std::string bytes) { return decode_argument(std::move(bytes), {}); });
  }
  Parsed& parsed();
  const http::QueryArguments& parsed_query();
  const http::Form& parsed_form();
  std::optional<std::string> find_argument(Source source, std::string_view name,
                                           Blanks blanks = Blanks::removed);
  std::vector<std::string> find_arguments(Source source, std::string_view name,
                                          Blanks blanks = Blanks::removed);
  std::string clean(std::string_view name, const std::string& value, Blanks blanks);

  const ApplicationContext* context_ = nullptr;
  http::Exchange* exchange_ = nullptr;
  const PathGroups* groups_ = nullptr;
  std::unique_ptr<Parsed> parsed_;  // null until the first use
};

}  // namespace squall::web
