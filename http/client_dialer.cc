#include <squall/http/client_dialer.h>

#include <squall/http/base64.h>
#include <squall/ioloop/errors.h>
#include <squall/ioloop/owned_fd.h>
#include <squall/iostream/socket.h>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <utility>

namespace squall::http {

Task<std::unique_ptr<ClientConnection>> ClientDialer::dial() {
  IOStream stream = co_await connect();
  co_return std::make_unique<ClientConnection>(std::move(stream), Via::direct, std::string());
}

Task<IOStream> ClientDialer::connect() {
  peer_ = fetch_.url().authority;
  phase_ = FetchPhase::connect;
  OwnedFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(fetch_.url().port);
  ::inet_pton(AF_INET, fetch_.url().host.c_str(), &address.sin_addr);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    HTTPClientError::Failure failure;
    failure.phase = phase_;
    failure.peer = peer_;
    failure.error = std::error_code(errno, std::generic_category());
    throw HTTPClientError(failure.error.message(), failure);
  }
  set_nodelay(fd.get());
  co_return IOStream(IOLoop::current(), std::move(fd));
}

}  // namespace squall::http
