#pragma once

#include <squall/iostream/stream/iostream.h>
#include <squall/iostream/stream/write_awaiter.h>

#include <cstdint>
#include <optional>
#include <string_view>

namespace squall::http {

// Writes the body of a request piece by piece: the argument of HTTPRequest::body_producer.
//
// Thread:    the loop's thread only.
// Lifetime:  valid until the task of the producer has ended. Borrows the stream.
// Errors:    write() throws StreamClosedError once the connection is closed.
class BodyWriter {
 public:
  // With `length` the body is sent without chunks; with std::nullopt it is sent in chunks.
  BodyWriter(IOStream& stream, std::optional<std::uint64_t> length) noexcept
      : stream_(stream), remaining_(length) {}
  BodyWriter(const BodyWriter&) = delete;
  BodyWriter& operator=(const BodyWriter&) = delete;

  // Queues a copy of `piece`. Awaiting the result waits until the kernel has taken the piece: back-pressure.
  // Throws std::length_error if the body becomes longer than the Content-Length header of the request.
  WriteAwaiter write(std::string_view piece);
  // Ends the body; the client calls it after the producer. Throws std::length_error if the body is shorter
  // than the Content-Length header of the request.
  void finish();

 private:
  IOStream& stream_;
  std::optional<std::uint64_t> remaining_;
};

}  // namespace squall::http
