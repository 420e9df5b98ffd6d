#include <squall/web/handler/multipart_reader.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/web/handler/file_saver.h>
#include <squall/web/handler/http_error.h>
#include <squall/web/handler/request_input.h>

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace squall::web {
namespace {

std::string_view form_type(RequestInput& handler) {
  const http::Headers& headers = handler.request().headers();
  if (const auto coding = headers.find("Content-Encoding"))
    throw HTTPError(400, fmt::format("Invalid body: Unsupported Content-Encoding: {}", *coding));
  return headers.find(http::HeaderId::content_type).value_or("");
}

std::string boundary_of(std::string_view content_type) {
  const std::string_view type = trim(content_type.substr(0, content_type.find(';')));
  auto boundary = http::multipart_boundary(content_type);
  if (boundary && equals_ignoring_case(type, "multipart/form-data")) return std::move(*boundary);
  throw HTTPError(400,
                  fmt::format("Invalid body: not multipart/form-data with a boundary: '{}'", content_type));
}

}  // namespace

MultipartReader::MultipartReader(RequestInput& handler)
    : MultipartReader(handler, handler.settings().multipart) {}

MultipartReader::MultipartReader(RequestInput& handler, const http::MultipartLimits& limits)
    : MultipartReader(form_type(handler), [&handler] { return handler.read_body(); }, limits) {}

MultipartReader::MultipartReader(std::string_view content_type, Source source,
                                 const http::MultipartLimits& limits)
    : source_(std::move(source)), parser_(boundary_of(content_type), limits) {}

void MultipartReader::fail(http::MultipartFault fault) {
  throw HTTPError(400, fmt::format("Invalid body: Invalid multipart/form-data: {}", http::describe(fault)));
}

void MultipartReader::refuse_size(std::uint64_t max_size) const {
  throw HTTPError(413, fmt::format("the part '{}' is larger than {} bytes", parser_.part().name, max_size));
}

// Event::finished comes once, when all of the body has been read.
Task<MultipartReader::Event> MultipartReader::next_event() {
  for (;;) {
    const Event event = parser_.next(bytes_);
    if (event == Event::failed) fail(parser_.fault());
    if (event == Event::finished) form_ended_ = true;
    if (event != Event::more && event != Event::finished) co_return event;
    if (!bytes_.empty()) continue;
    bytes_ = co_await source_();
    if (!bytes_.empty()) continue;
    if (!form_ended_ && !parser_.end()) fail(parser_.fault());
    co_return Event::finished;
  }
}

Task<const http::MultipartPart*> MultipartReader::next_part() {
  if (state_ == State::ended) co_return nullptr;
  for (;;) {
    const Event event = co_await next_event();
    if (event == Event::finished) {
      state_ = State::ended;
      co_return nullptr;
    }
    if (event == Event::part) {
      state_ = State::part;
      co_return &parser_.part();
    }
  }
}

Task<std::string_view> MultipartReader::read() {
  if (state_ == State::before || state_ == State::ended)
    throw std::logic_error("a MultipartReader has no part before next_part(), and none after the last");
  if (state_ == State::read) co_return std::string_view();
  const Event event = co_await next_event();
  if (event == Event::data) co_return parser_.data();
  state_ = State::read;
  co_return std::string_view();
}

Task<std::string> MultipartReader::read_text(std::size_t max_size) {
  std::string text;
  for (;;) {
    const std::string_view piece = co_await read();
    if (piece.empty()) co_return text;
    if (piece.size() > max_size - text.size()) refuse_size(max_size);
    text += piece;
  }
}

Task<std::uint64_t> MultipartReader::save_to(std::string path, std::optional<std::uint64_t> max_size) {
  FileSaver file;
  co_await file.open(std::move(path));
  std::uint64_t size = 0;
  for (;;) {
    const std::string_view piece = co_await read();
    if (piece.empty()) break;
    size += piece.size();
    if (max_size && size > *max_size) refuse_size(*max_size);
    co_await file.append(piece);
  }
  co_return co_await file.keep();
}

}  // namespace squall::web
