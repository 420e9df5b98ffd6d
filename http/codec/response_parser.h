#pragma once

#include <squall/http/message/headers.h>

#include <llhttp.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace squall::http {

// Reads the response to a request out of a stream of bytes: llhttp, and the checks it leaves to its user.
//
// What is not exactly a response of RFC 9112 fails, with a reason; the bytes behind it mean nothing then. So
// does whatever leaves two ways to tell where a body ends (RFC 9112, 6.3). Where the RFC tells a client to
// put up with something that was once allowed, lines that are folded (5.2), it does.
//
// A head that is the same, byte for byte, as the last one on the connection is not parsed again, as only a
// date may differ from one response to the next: a quarter of a client's work for a small one.
//
// Thread:    one.
// Lifetime:  borrows the headers given to begin().
class ResponseParser {
 public:
  enum class Result {
    more,           // all bytes are used, and the response goes on
    informational,  // a head with a status of 1xx, of which the headers hold until the next call
    head,           // the head is there: go on, even without bytes
    body,           // see piece(): go on
    complete,       // the response is there; bytes that are left are not its
    failed,         // see reason_failed()
  };
  // What was asked, as far as it decides on the framing.
  enum class Asked : std::uint8_t { content, head, tunnel };

  struct Limits {
    std::size_t max_header_size = 64 * 1024;  // status line and headers; trailers as much again
  };
  // Responses with a status of 1xx that may come before the one that counts.
  static constexpr int kMaxInformational = 20;

  ResponseParser();
  ResponseParser(const ResponseParser&) = delete;
  ResponseParser& operator=(const ResponseParser&) = delete;

  // What comes next is the first byte of the response to such a request. `headers` are filled in.
  void begin(Headers& headers, Asked asked, const Limits& limits) noexcept;
  // Takes the bytes it uses off the front of `bytes`.
  Result parse(std::string_view& bytes);
  // The peer's bytes have ended, which completes a response that is framed by that, and fails others.
  Result finish();

  // Any byte of a response has been seen since begin().
  bool begun() const noexcept { return begun_; }
  const char* reason_failed() const noexcept { return failure_; }

  // ---- Of the last head.

  int status() const noexcept { return status_; }
  std::string_view reason() const noexcept { return headers_->text().substr(kReason, reason_size_); }
  // `HTTP/1.1 200 OK`, without its line end.
  std::string_view status_line() const noexcept {
    return headers_->text().substr(0, reason_size_ > 0 ? kReason + reason_size_ : kReason - 1);
  }
  int minor_version() const noexcept { return minor_version_; }
  // How long the body is said to be; none if it comes in chunks or ends with the connection.
  std::optional<std::uint64_t> content_length() const noexcept {
    if (framing_ == Framing::length) return content_length_;
    return std::nullopt;
  }
  // The connection may be used for another request once the response is complete.
  bool keep_alive() const noexcept { return keep_alive_ && framing_ != Framing::end; }

  // ---- Of the body.

  // Upon Result::body: a part of the body, within the bytes that were given.
  std::string_view piece() const noexcept { return piece_; }
  // What came behind the last chunk, kept apart from the headers (RFC 9110, 6.5.1).
  const Headers& trailers() const noexcept { return trailers_; }
  Headers take_trailers() noexcept { return std::exchange(trailers_, {}); }

 private:
  enum class Phase : std::uint8_t { head, body, trailers, complete, failed };
  enum class Framing : std::uint8_t { none, length, chunks, end };

  static constexpr std::size_t kReason = 13;  // behind `HTTP/1.1 200 `

  static const llhttp_settings_t& settings();
  static ResponseParser& self(llhttp_t* parser) noexcept {
    return *static_cast<ResponseParser*>(parser->data);
  }
  static int on_header_field(llhttp_t* parser, const char* at, std::size_t size);
  static int on_header_value(llhttp_t* parser, const char* at, std::size_t size);
  static int on_header_value_complete(llhttp_t* parser);
  static int on_headers_complete(llhttp_t* parser);
  static int on_chunk_header(llhttp_t* parser);
  static int on_body(llhttp_t* parser, const char* at, std::size_t size);
  static int on_message_complete(llhttp_t* parser);

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
  Result fail(const char* reason) noexcept;
  Result fail_as_llhttp_does() noexcept;

  llhttp_t parser_;
  Headers* headers_ = nullptr;
  Headers last_;             // the last head's fields: what was made of it is still here
  bool repeatable_ = false;  // if it is the same again
  Asked last_asked_ = Asked::content;
  Limits limits_;
  const char* data_ = nullptr;  // the bytes being parsed
  std::uint32_t base_ = 0;      // how much of the head came before data_
  std::uint32_t reason_size_ = 0;
  std::uint16_t status_ = 0;
  std::uint8_t minor_version_ = 1;
  Asked asked_ = Asked::content;
  Phase phase_ = Phase::head;
  Framing framing_ = Framing::none;
  bool begun_ = false;
  bool fresh_ = true;  // the next byte is the first of a head
  bool keep_alive_ = false;
  int informational_ = 0;
  std::uint64_t content_length_ = 0;
  std::uint64_t remaining_ = 0;  // of a body with a length
  std::size_t overhead_ = 0;     // bytes since the body's last one, or since its end: chunk sizes, trailers
  std::string_view piece_;
  std::string trailer_name_;
  std::string trailer_value_;
  Headers trailers_;
  const char* failure_ = "";
};

}  // namespace squall::http
