#pragma once

#include <stdexcept>
#include <string>
#include <system_error>

namespace squall {

// Why a stream was closed, where the system has no errno for it.
enum class StreamErrc {
  unsatisfiable_read = 1,  // a delimiter did not come within max_bytes (IOS-11)
  read_buffer_full,        // more unread bytes than max_buffer_size (IOS-12)
  match_limit,             // a regular expression took too many steps
  file_ended,              // a file that was being sent has become shorter
  truncated,  // TLS: the connection ended without the peer's saying that its bytes have (RFC 8446, 6.1)
};

const std::error_category& stream_category() noexcept;
std::error_code make_error_code(StreamErrc error) noexcept;

// The stream is closed, or was while the operation waited (IOS-10).
class StreamClosedError : public std::runtime_error {
 public:
  explicit StreamClosedError(std::error_code error = {});
  // What closed the stream: none if that was its own close() or the peer's end of file.
  const std::error_code& error() const noexcept { return error_; }

 private:
  std::error_code error_;
};

// A delimiter or a match did not come within max_bytes, or took too many steps to look for (IOS-11): the
// stream is closed.
class UnsatisfiableReadError : public StreamClosedError {
 public:
  using StreamClosedError::StreamClosedError;
};

// A buffer's limit would be exceeded (IOS-12).
class StreamBufferFullError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace squall

template <>
struct std::is_error_code_enum<squall::StreamErrc> : std::true_type {};
