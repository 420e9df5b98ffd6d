#include <squall/iostream/tcp/proxy_reader.h>

#include <squall/iostream/socket/socket.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <string_view>

namespace squall {
namespace {

// Large enough for a header with the values that proxies usually add.
constexpr std::size_t kPiece = 512;

}  // namespace

ProxyReader::Result ProxyReader::read(int fd) {
  for (;;) {
    buffer_.resize(std::min(taken_ + kPiece, kMaxProxyHeader));
    const std::span<char> space = std::span<char>(buffer_).subspan(taken_);
    const auto seen = peek_from(fd, space);
    if (seen < 0) return errno == EAGAIN ? Result::wait : broken(errno);
    if (seen == 0) {
      parse_.reason = "the connection ended within the PROXY header";
      return taken_ == 0 ? Result::ended : Result::invalid;
    }
    const std::size_t size = taken_ + static_cast<std::size_t>(seen);
    parse_ = parse_proxy_header(std::string_view(buffer_).substr(0, size));
    if (parse_.status == ProxyParse::Status::invalid) return Result::invalid;
    const bool is_complete = parse_.status == ProxyParse::Status::complete;
    // Removes the bytes from the kernel: receives the same bytes again, into the same memory.
    const auto taken = receive_from(fd, space.first((is_complete ? parse_.size : size) - taken_));
    if (taken < 0) return errno == EAGAIN ? Result::wait : broken(errno);
    taken_ += static_cast<std::size_t>(taken);
    if (is_complete && taken_ == parse_.size) return Result::complete;
  }
}

ProxyReader::Result ProxyReader::broken(int error) noexcept {
  // A proxy that disconnects is not worth a log line.
  if (error == ECONNRESET || error == ECONNABORTED || error == EPIPE || error == ETIMEDOUT)
    return Result::ended;
  parse_.reason = "the PROXY header cannot be read";
  return Result::invalid;
}

}  // namespace squall
