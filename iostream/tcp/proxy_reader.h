#pragma once

#include <squall/iostream/tcp/proxy_protocol.h>

#include <cstddef>
#include <string>

namespace squall {

// Takes a PROXY header off a socket, and not one byte more: what follows stays in the kernel, for whoever
// gets the socket next. That takes two system calls a piece, one to look and one to take.
class ProxyReader {
 public:
  enum class Result {
    wait,      // for the socket to be readable
    complete,  // there is a header()
    ended,     // the connection ended before its first byte, or was reset: not news
    invalid,   // see reason()
  };

  // Takes what there is. `fd` is non-blocking.
  Result read(int fd);

  // Its views last as long as this object.
  const ProxyHeader& header() const noexcept { return parse_.header; }
  const char* reason() const noexcept { return parse_.reason; }

 private:
  Result broken(int error) noexcept;

  std::string buffer_;
  std::size_t taken_ = 0;  // bytes in front of it that are no longer in the kernel
  ProxyParse parse_{};
};

}  // namespace squall
