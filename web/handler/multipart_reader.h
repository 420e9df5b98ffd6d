#pragma once

#include <squall/http/message/multipart.h>
#include <squall/ioloop/loop/task.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace squall::web {

class RequestInput;

// Reads a multipart/form-data body as it arrives, part by part, in constant memory. For a handler with
// stream_request_body, whose verb is a Task<>:
//
//     web::MultipartReader reader(*this);
//     for (;;) {
//       const http::MultipartPart* part = co_await reader.next_part();
//       if (!part) break;
//       if (part->is_file()) co_await reader.save_to("/srv/uploads/" + new_name());
//     }
//
//   state   | next_part()                      | read(), read_text(), save_to()
//   --------+----------------------------------+-----------------------------------------
//   before  | begins a part, or ends the form  | throw std::logic_error
//   part    | skips the rest of the part       | give the part's bytes, then go to `read`
//   read    | begins a part, or ends the form  | give nothing
//   ended   | null                             | throw std::logic_error
//
// The server limits the size of the whole body: see RequestInput::set_max_body_size().
//
// Lifetime:  borrows the handler, or what `source` uses. One call at a time.
// Errors:    HTTPError 400 for a malformed form and beyond the limits of parts; 413 beyond the limit of a
//            call; errors of RequestInput::read_body(). After an error of the form or of the body all
//            calls fail.
class MultipartReader {
 public:
  // The next bytes of the body, valid until the next call; empty at the end.
  using Source = std::function<Task<std::string_view>()>;

  // With the limits of Settings::multipart.
  explicit MultipartReader(RequestInput& handler);
  MultipartReader(RequestInput& handler, const http::MultipartLimits& limits);
  // For bytes from elsewhere. Throws HTTPError 400 for a Content-Type other than multipart/form-data with a
  // boundary.
  MultipartReader(std::string_view content_type, Source source, const http::MultipartLimits& limits = {});

  // The next part; null at the end of the form. The part is valid until the next call of this function.
  Task<const http::MultipartPart*> next_part();
  // The next piece of the part, valid until the next call of any function; empty at the part's end.
  Task<std::string_view> read();
  // The rest of the part. Throws HTTPError 413 beyond `max_size` bytes.
  Task<std::string> read_text(std::size_t max_size = 64 * 1024);
  // Writes the rest of the part to a new file, on threads of the loop's executor, and returns its size in
  // bytes. The file has the permissions that the umask allows, and is deleted if the part or the task ends
  // early. `path` must not contain text of the client. Throws std::system_error if the file exists or cannot
  // be written, and HTTPError 413 beyond `max_size` bytes.
  Task<std::uint64_t> save_to(std::string path, std::optional<std::uint64_t> max_size = std::nullopt);

 private:
  enum class State : std::uint8_t { before, part, read, ended };
  using Event = http::MultipartParser::Event;

  Task<Event> next_event();
  [[noreturn]] void fail(http::MultipartFault fault);
  [[noreturn]] void refuse_size(std::uint64_t max_size) const;

  Source source_;
  http::MultipartParser parser_;
  State state_ = State::before;
  bool form_ended_ = false;  // the bytes behind the form are ignored
  std::string_view bytes_;   // of the last piece of the body, not yet parsed
};

}  // namespace squall::web
