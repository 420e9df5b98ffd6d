#pragma once

#include <squall/iostream/tcp/proxy_protocol.h>

#include <cstddef>
#include <string>

namespace squall {

// Reads a PROXY header from a socket and leaves all bytes behind it in the kernel, for the next reader of the
// socket. So each piece takes two system calls: one with MSG_PEEK, and one to remove the bytes of the header.
class ProxyReader {
 public:
  enum class Result {
    wait,      // call again when the socket is readable
    complete,  // see header()
    ended,     // the connection ended before its first byte, or was reset; not worth a log line
    invalid,   // see reason()
  };

  // Reads the bytes that have arrived. `fd` is non-blocking.
  Result read(int fd);

  // The views are valid until this object is destroyed.
  const ProxyHeader& header() const noexcept { return parse_.header; }
  const char* reason() const noexcept { return parse_.reason; }

 private:
  Result broken(int error) noexcept;

  std::string buffer_;
  std::size_t taken_ = 0;  // bytes of buffer_ that are no longer in the kernel
  ProxyParse parse_{};
};

}  // namespace squall
