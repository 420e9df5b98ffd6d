#pragma once

#include <squall/iostream/stream/iostream.h>
#include <squall/iostream/stream/write_awaiter.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string_view>

namespace squall::http {

// The body of a request while it is made: what HTTPRequest::body_producer is given.
//
// Thread:    the loop's thread only.
// Lifetime:  valid until the producer has ended.
// Errors:    once the server is gone write() throws StreamClosedError.
class BodyWriter {
 public:
  // In chunks, if there is no length.
  BodyWriter(IOStream& stream, std::optional<std::uint64_t> length) noexcept
      : stream_(stream), remaining_(length) {}
  BodyWriter(const BodyWriter&) = delete;
  BodyWriter& operator=(const BodyWriter&) = delete;

  // Queues a copy of `piece`. Awaited, it waits until the kernel has taken it: the server sets the pace.
  // Throws std::length_error beyond the Content-Length that the request's headers promise.
  WriteAwaiter write(std::string_view piece);
  // For the client, when the producer has ended. Throws std::length_error if less was written than promised.
  void finish();

 private:
  IOStream& stream_;
  std::optional<std::uint64_t> remaining_;
};

}  // namespace squall::http
