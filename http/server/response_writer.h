#pragma once

#include <squall/http/message/headers.h>
#include <squall/http/server/request_times.h>
#include <squall/http/server/response_filter.h>
#include <squall/http/server/response_head.h>
#include <squall/iostream/stream/iostream.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace squall::http {

class DefaultHeaders;
class ServerRequest;

// The application broke the framing of its own response (H1C-66).
class HTTPOutputError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

// Writes the response to one request: chooses the framing of the body, and sends head, body and trailers.
//
// Most responses are one finish() with a whole body and plain headers. They take the fast path:
// send_plain() formats the response in one pass into the stream's buffer. Other responses take send_head()
// and send_piece().
//
//   state       | waits for                          | ends it                  | next
//   head        | write() or finish()                | write() sends the head   | the four below
//               |                                    | finish() sends all       | done
//               |                                    | abort(), the client gone | dropped
//   length      | Content-Length bytes of the body   | finish()                 | done
//   chunks      | pieces                             | finish(): the last chunk | done
//   until_close | pieces; the connection then closes | finish()                 | done
//   no_body     | pieces, which are not sent         | finish()                 | done
//   done        | begin()                            | begin()                  | head
//   dropped     | begin(); nothing was sent          | begin()                  | head
//
// Thread:    the server's loop.
// Lifetime:  a part of an Exchange; borrows its request, and the stream and default headers given to begin().
// Errors:    as Exchange documents.
class ResponseWriter {
 public:
  explicit ResponseWriter(const ServerRequest& request) noexcept : request_(request) {}
  ResponseWriter(const ResponseWriter&) = delete;
  ResponseWriter& operator=(const ResponseWriter&) = delete;

  // ---- For the connection.

  // Whether the connection closes after the response even if the client does not ask for it.
  enum class After : bool { keep_open, close };
  // `times` is null unless they are measured.
  void begin(IOStream& stream, DefaultHeaders& defaults, After after, RequestTimes* times);
  // The response is over. Frees the memory of a large response.
  void give_back_memory() noexcept;
  // The client waits for 100 Continue (RFC 9110, 10.1.1).
  void expect_continue() noexcept { continue_due_ = true; }
  // Sends 100 if the client waits for it and no final response has begun.
  void send_continue();
  bool closes() const noexcept { return close_after_; }
  // The handler has taken the stream.
  void detach() noexcept { state_ = State::done; }

  // ---- For the handler; Exchange documents these.

  int status() const noexcept { return head_.status(); }
  void set_status(int status, std::string_view reason) { head_.set_status(status, reason); }
  const std::string& reason() const noexcept { return head_.reason(); }
  Headers& headers() { return head_.headers(); }
  bool has_own_headers() const noexcept { return head_.has_own_headers(); }
  void add_headers(const Headers& added) { head_.add_headers(added); }
  Headers& trailers();
  void add_filter(std::unique_ptr<ResponseFilter> filter);
  void set_head_hook(HeadHook hook) noexcept;
  void reset_head() noexcept;
  bool head_sent() const noexcept { return state_ != State::head && state_ != State::dropped; }
  bool finished() const noexcept { return state_ >= State::done; }
  bool sends_body() const noexcept { return state_ != State::no_body; }
  void write(std::string_view piece);
  void write_shared(SharedBytes piece);
  void finish(std::string_view last);
  void finish(SharedBytes body);
  bool filters_body(std::uint64_t size);
  void finish_file(FileSlice file);
  void inform(int status, const Headers& headers);
  void abort() noexcept;
  void close_after() noexcept { close_after_ = true; }

 private:
  enum class State : std::uint8_t { head, length, chunks, until_close, no_body, done, dropped };
  // The framing of a body, and the header lines that announce it.
  struct Framing {
    State state;
    std::string_view connection;  // a Connection header line, or nothing
  };

  void call_head_hook(std::optional<std::uint64_t> size);
  std::string_view filter(std::string_view piece, std::optional<std::uint64_t> size,
                          ResponseFilters::Last last);
  void send_all(std::string_view last);
  void send_file_filtered(const FileSlice& file);
  void send_file_pieces(const FileSlice& file);
  void give_up_filters() noexcept;
  bool is_plain(std::string_view body) const noexcept;
  bool send_plain(std::string_view body);
  bool begin_whole(std::uint64_t length, std::uint64_t in_memory);
  void end() noexcept;
  void finish_slowly(std::string_view last);
  void send_head(std::optional<std::uint64_t> length, std::string_view body, std::size_t following);
  void begin_pieces(std::size_t following);
  void send_piece(std::string_view piece, std::string_view end);
  void send_chunk(std::string_view piece, std::string_view end);
  void send_last(std::string_view last);
  void send_rest(std::string_view data);

  bool switches_protocols() const noexcept;
  bool body_forbidden() const noexcept;
  std::string_view connection_line() const noexcept;
  std::optional<std::uint64_t> promised_length();
  void check_whole(std::uint64_t promised, std::uint64_t length);
  Framing choose_framing(std::optional<std::uint64_t> length, std::optional<std::uint64_t> promised);
  bool needs_length_field(std::optional<std::uint64_t> length) const noexcept;
  bool has_trailers() const noexcept { return trailers_ && !trailers_->empty(); }
  void announce_trailers();
  [[noreturn]] void fail(const char* format, std::uint64_t bytes = 0);

  const ServerRequest& request_;
  IOStream* stream_ = nullptr;
  RequestTimes* times_ = nullptr;
  ResponseHead head_;
  State state_ = State::head;
  bool close_after_ = false;      // the connection closes after this response
  bool continue_due_ = false;     // the client waits for 100
  bool needs_slow_path_ = false;  // there are trailers, filters or a hook, or times are measured
  std::uint64_t remaining_ = 0;   // State::length: bytes that are still to be written
  std::unique_ptr<Headers> trailers_;
  std::unique_ptr<ResponseFilters> filters_;
  bool filters_failed_ = false;  // until reset_head()
  bool head_hook_due_ = false;   // the head hook is still to be called
  HeadHook head_hook_;
};

inline void ResponseWriter::begin(IOStream& stream, DefaultHeaders& defaults, After after,
                                  RequestTimes* times) {
  stream_ = &stream;
  head_.begin(defaults, stream.loop().time());
  times_ = times;
  state_ = State::head;
  close_after_ = after == After::close;
  continue_due_ = false;
  needs_slow_path_ = times != nullptr;
  filters_failed_ = false;
  reset_head();
}

inline void ResponseWriter::give_back_memory() noexcept {
  head_.give_back_memory();
  if (needs_slow_path_) [[unlikely]] {
    trailers_.reset();
    filters_.reset();
    head_hook_ = {};
    head_hook_due_ = false;
  }
}

}  // namespace squall::http
