#pragma once

#include <squall/http/codec/chunked_decoder.h>
#include <squall/http/message/headers.h>

#include <llhttp.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace squall::http {

// Parses the response to a request: heads with llhttp and the checks that llhttp leaves to its user, bodies
// by itself.
//
// Input that is not a response of RFC 9112 fails, with a reason; the bytes behind it have no meaning. A head
// that allows two ends of the body fails too (RFC 9112, 6.3).
//
// The parser accepts what only a server must refuse: folded lines (RFC 9112, 5.2), several equal lengths
// (6.3), blanks behind a chunk size (RFC 9110, 5.6.3), and empty elements of a list (5.6.1). It accepts
// HTTP/1.2 and above (2.5), chunks in HTTP/1.0 (RFC 9112, 6.1), and any framing fields where there is no body
// (6.3), but closes the connection if they contradict each other or the status. It refuses a lone LF, a blank
// before a colon and a control character in a value, as parsers disagree on them.
//
// A head that repeats, byte for byte, the last head on the connection is not parsed again: two responses
// often differ only in their bodies. This saves a quarter of a client's work for a small response.
//
// state       | waits for           | ended by                                 | next
// head_begin  | the first byte      | a byte                                   | head
//             |                     | a head that repeats the last one         | body
// head        | the empty line      | a head of 1xx, but not 101               | head_begin
//             |                     | any other head                           | body
// body        | the end of the body | its length, the last chunk, or finish()  | complete
// complete    | begin()             |                                          | head_begin
// failed      | begin()             | (any state but complete leads here)      | head_begin
//
// Thread:    one.
// Lifetime:  borrows the headers given to begin().
class ResponseParser {
 public:
  enum class Result {
    more,           // all bytes are used; the response is not at its end
    informational,  // a head with a status of 1xx, but not 101; its headers are valid until the next call
    head,           // the head is complete: call parse() again, even without bytes
    body,           // piece() is a part of the body: call parse() again
    complete,       // the response is complete; the bytes left are not part of it
    failed,         // see reason_failed()
  };
  // The kind of request, which the framing depends on: any other method, HEAD, CONNECT.
  enum class Asked : std::uint8_t { content, head, tunnel };

  struct Limits {
    std::size_t max_header_size = 64 * 1024;  // for status line and headers; the same again for trailers
  };
  // Informational responses that are accepted before the final one.
  static constexpr int kMaxInformational = 20;

  ResponseParser();
  ResponseParser(const ResponseParser&) = delete;
  ResponseParser& operator=(const ResponseParser&) = delete;

  // The next byte is the first byte of a response to a request of this kind. Fills in `headers`.
  void begin(Headers& headers, Asked asked, const Limits& limits) noexcept;
  // Removes the bytes it uses from the front of `bytes`.
  Result parse(std::string_view& bytes);
  // The peer has ended its bytes. Completes a response that ends with the connection, and fails any other.
  Result finish();

  // Whether a byte of a response has arrived since begin().
  bool begun() const noexcept { return begun_; }
  bool is_complete() const noexcept { return state_ == State::complete; }
  // A literal; empty unless parsing failed.
  std::string_view reason_failed() const noexcept { return failure_; }

  // ---- Of the last head.

  int status() const noexcept { return status_; }
  std::string_view reason() const noexcept { return headers_->text().substr(kReason, reason_size_); }
  // `HTTP/1.1 200 OK`, without its line end.
  std::string_view status_line() const noexcept {
    return headers_->text().substr(0, reason_size_ > 0 ? kReason + reason_size_ : kReason - 1);
  }
  int minor_version() const noexcept { return minor_version_; }
  // The length of the body; std::nullopt if it is in chunks or ends with the connection.
  std::optional<std::uint64_t> content_length() const noexcept {
    if (framing_ == Framing::length) return content_length_;
    return std::nullopt;
  }
  // Whether the connection may carry another request once the response is complete.
  bool keep_alive() const noexcept { return keep_alive_ && framing_ != Framing::end; }

  // ---- Of the body.

  // After Result::body: a part of the body, a view into the bytes given to parse().
  std::string_view piece() const noexcept { return piece_; }
  // The trailer fields, kept apart from the headers (RFC 9110, 6.5.1).
  const Headers& trailers() const noexcept { return trailers_; }
  Headers take_trailers() noexcept { return std::exchange(trailers_, {}); }

 private:
  enum class State : std::uint8_t { head_begin, head, body, complete, failed };
  enum class Framing : std::uint8_t { none, length, chunks, end };

  static constexpr std::size_t kReason = 13;  // offset of the reason: behind `HTTP/1.1 200 `

  static const llhttp_settings_t& settings();
  static int on_header_field(llhttp_t* parser, const char* at, std::size_t size);
  static int on_header_field_complete(llhttp_t* parser);
  static int on_headers_complete(llhttp_t* parser);

  void begin_head();
  bool repeats(std::string_view bytes) const noexcept;
  Result repeat(std::string_view& bytes);
  void note_repeatable();
  Result parse_head(std::string_view& bytes);
  Result parse_length(std::string_view& bytes) noexcept;
  Result parse_chunks(std::string_view& bytes);
  llhttp_errno_t execute(std::string_view feed, std::size_t& used);
  bool check_status_line(std::string_view line) noexcept;
  bool take_fields(std::size_t begin);
  Result end_head();
  bool choose_framing();
  bool take_content_length() noexcept;
  Result complete() noexcept;
  Result fail(std::string_view reason) noexcept;
  Result fail_as_llhttp_does() noexcept;

  llhttp_t parser_;
  Headers* headers_ = nullptr;
  Headers last_;             // the fields of the last head
  bool repeatable_ = false;  // the next head may be a repetition of last_
  Asked last_asked_ = Asked::content;
  Limits limits_;
  const char* data_ = nullptr;  // the bytes being parsed
  std::uint32_t base_ = 0;      // size of the part of the head that arrived before data_
  std::uint32_t reason_size_ = 0;
  std::uint16_t status_ = 0;
  std::uint8_t minor_version_ = 1;
  Asked asked_ = Asked::content;
  State state_ = State::head_begin;
  Framing framing_ = Framing::none;
  bool begun_ = false;
  bool keep_alive_ = false;
  int informational_ = 0;
  std::uint64_t content_length_ = 0;
  std::uint64_t remaining_ = 0;  // bytes left of a body with a length
  ChunkedDecoder chunks_;
  std::string_view piece_;
  Headers trailers_;
  std::string_view failure_;
};

}  // namespace squall::http
