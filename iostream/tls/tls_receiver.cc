#include <squall/iostream/tls/tls_receiver.h>

#include <squall/iostream/address/errors.h>
#include <squall/iostream/socket/socket.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

namespace squall::detail {

// Keeps the rest for the next call, in a smaller block if it leaves most of this block unused.
std::string_view TLSReceiver::Scope::keep(std::string_view rest) noexcept {
  Block& kept = receiver_.leftover_;
  if (rest.empty()) {
    kept.reset();
  } else if (block_ && rest.size() > block_.capacity() / 4) {
    kept = std::move(block_);
  } else if (block_) {
    try {
      Block small(rest.size());
      std::memcpy(small.data(), rest.data(), rest.size());
      kept = std::move(small);
      return {kept.data(), rest.size()};
    } catch (const std::bad_alloc&) {
      kept = std::move(block_);
    }
  }
  return rest;
}

[[gnu::hot]] bool TLSReceiver::fill(Scope& scope, int fd) noexcept {
  if (scope.is_drained_) return false;
  try {
    if (!scope.block_) scope.block_ = Block(Block::kLargest);
    const std::span<char> space(scope.block_.data(), Block::kLargest);
    const ssize_t count = is_socket_ ? receive_from(fd, space) : read_from(fd, space);
    if (count > 0) {
      scope.is_drained_ = static_cast<std::size_t>(count) < space.size();
      incoming_ = {space.data(), static_cast<std::size_t>(count)};
      leftover_.reset();
      return true;
    }
    scope.is_drained_ = true;
    if (count == 0) {
      // Anybody on the path can forge this end, so it is a failure. OpenSSL is not told of it, because it
      // would invalidate the session.
      connection_.fail(StreamErrc::truncated);
    } else if (errno != EAGAIN) {
      connection_.fail_with_errno(errno);
    }
  } catch (const std::bad_alloc&) {
    connection_.fail_with_errno(ENOMEM);
  }
  return false;
}

[[gnu::hot]] int TLSReceiver::read(BIO* bio, char* space, int size) noexcept {
  BIO_clear_retry_flags(bio);
  if (incoming_.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t count = incoming_.copy(space, static_cast<std::size_t>(size));
  incoming_.remove_prefix(count);
  return static_cast<int>(count);
}

}  // namespace squall::detail
