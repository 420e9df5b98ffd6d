#pragma once

#include <stdexcept>
#include <string>
#include <system_error>

namespace squall {

// Reasons without an errno why a stream was closed.
enum class StreamErrc {
  unsatisfiable_read = 1,  // no delimiter within max_bytes (IOS-11)
  read_buffer_full,        // more unread bytes than max_buffer_size (IOS-12)
  match_limit,             // a regular expression took too many steps
  file_ended,              // a file became shorter while it was sent
  truncated,               // TLS: the connection ended without a close_notify alert (RFC 8446, 6.1)
};

const std::error_category& stream_category() noexcept;
std::error_code make_error_code(StreamErrc error) noexcept;

// The stream was closed before the operation, or while it waited (IOS-10).
class StreamClosedError : public std::runtime_error {
 public:
  explicit StreamClosedError(std::error_code code = {});
  // The reason; empty if close() closed the stream, or the peer ended it in order.
  const std::error_code& code() const noexcept { return code_; }

 private:
  std::error_code code_;
};

// No delimiter or match came within max_bytes, or the search took too many steps (IOS-11). The stream is
// closed.
class UnsatisfiableReadError : public StreamClosedError {
 public:
  using StreamClosedError::StreamClosedError;
};

// An operation would exceed a buffer's limit (IOS-12).
class StreamBufferFullError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace squall

template <>
struct std::is_error_code_enum<squall::StreamErrc> : std::true_type {};
