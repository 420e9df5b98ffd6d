#include <squall/iostream/tls/tls_sender.h>

#include <squall/iostream/socket/socket.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

namespace squall::detail {
namespace {

// One send() encrypts at most this many times, 48 KiB each. The stream counts its calls, and then lets the
// loop serve other descriptors.
constexpr int kRounds = 4;

}  // namespace

[[gnu::hot]] ssize_t TLSSender::send(int fd, std::span<const std::string_view> pieces) noexcept {
  std::size_t total = 0;
  for (const std::string_view piece : pieces) total += piece.size();
  Scope scope(*this);
  bool is_pushed = push(scope, fd);
  try {
    // Encrypts further bytes while the kernel takes all ciphertext.
    for (int round = 0; round < kRounds && is_pushed && credit_ < total; ++round) {
      if (encrypt(scope, pieces, credit_) == 0) break;
      is_pushed = push(scope, fd);
    }
  } catch (const std::bad_alloc&) {
    connection_.fail_with_errno(ENOMEM);
  }
  if (const std::size_t sent = std::min(credit_, total); sent > 0) {
    credit_ -= sent;
    return static_cast<ssize_t>(sent);
  }
  if (connection_.can_send() && is_pushed) return 0;
  errno = connection_.can_send() ? EAGAIN : EPROTO;
  return -1;
}

// Encrypts the bytes behind the first `skip` ones in as few records as possible, until the scope has
// TLSRecords::kMost. Returns their count.
[[gnu::hot]] std::size_t TLSSender::encrypt(Scope& scope, std::span<const std::string_view> pieces,
                                            std::size_t skip) {
  constexpr std::size_t kRecord = TLSRecords::kRecord;
  Block gathered;  // to gather a record from several pieces
  std::size_t filled = 0;
  std::size_t sum = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    std::string_view piece = pieces[i];
    const std::size_t skipped = std::min(skip, piece.size());
    skip -= skipped;
    piece.remove_prefix(skipped);
    while (!piece.empty()) {
      if (scope.fresh_.is_full()) return sum;
      // Without a copy, if the piece fills a record or is the last one.
      if (filled == 0 && (piece.size() >= kRecord || i + 1 == pieces.size())) {
        const std::string_view record = piece.substr(0, kRecord);
        if (!encrypt_record(scope, record)) return 0;
        piece.remove_prefix(record.size());
        sum += record.size();
        continue;
      }
      if (!gathered) gathered = Block(kRecord);
      const std::size_t count = piece.copy(gathered.data() + filled, kRecord - filled);
      piece.remove_prefix(count);
      filled += count;
      sum += count;
      if (filled < kRecord) continue;
      if (!encrypt_record(scope, {gathered.data(), kRecord})) return 0;
      filled = 0;
    }
  }
  if (filled > 0 && !encrypt_record(scope, {gathered.data(), filled})) return 0;
  return sum;
}

[[gnu::hot]] bool TLSSender::encrypt_record(Scope& scope, std::string_view bytes) {
  if (bytes.size() == TLSRecords::kRecord) scope.fresh_.reserve_all();  // more full records may follow
  openssl::forget_errors();
  std::size_t count = 0;
  SSL* const ssl = connection_.ssl();
  if (::SSL_write_ex(ssl, bytes.data(), bytes.size(), &count) != 1 || count != bytes.size()) {
    connection_.fail_with_openssl(::SSL_get_error(ssl, 0));
    return false;
  }
  scope.fresh_.end_record(count);
  return true;
}

[[gnu::hot]] bool TLSSender::push(Scope& scope, int fd) noexcept {
  TLSRecords& fresh = scope.fresh_;
  if (unsent_ && !fresh.empty()) {
    // These are not bytes of a send(): send() encrypts only when no ciphertext is unsent.
    try {
      unsent_->append(fresh.bytes());
    } catch (const std::bad_alloc&) {
      connection_.fail_with_errno(ENOMEM);
    }
    fresh.clear();
  }
  TLSRecords& out = unsent_ ? *unsent_ : fresh;
  if (!out.empty()) {
    const std::string_view bytes = out.bytes();
    const ssize_t sent = is_socket_ ? send_to(fd, bytes) : write_to(fd, {&bytes, 1});
    if (sent < 0 && errno != EAGAIN) {
      connection_.fail_to_send(errno);
      return false;
    }
    credit_ += out.consume(static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
  }
  if (!out.empty()) return unsent_ ? false : keep(fresh);
  out.clear();
  unsent_.reset();
  return true;
}

// Keeps the records for the next call. Returns false: not all bytes are sent.
bool TLSSender::keep(TLSRecords& fresh) noexcept {
  try {
    // A few bytes may wait for a long time, so they do not keep a large block.
    fresh.shrink();
    unsent_ = std::make_unique<TLSRecords>(std::move(fresh));
    fresh = TLSRecords();
  } catch (const std::bad_alloc&) {
    connection_.fail_with_errno(ENOMEM);
  }
  return false;
}

[[gnu::hot]] int TLSSender::write(BIO* bio, const char* bytes, int size) noexcept {
  BIO_clear_retry_flags(bio);
  const std::string_view written(bytes, static_cast<std::size_t>(size));
  const std::size_t waiting = unsent_ ? unsent_->size() : 0;
  if (!scope_ || waiting + scope_->fresh_.size() + written.size() > kMaxUnsent) {
    connection_.fail_with_errno(ENOBUFS);
    return -1;
  }
  try {
    scope_->fresh_.append(written);
    return size;
  } catch (const std::bad_alloc&) {
    connection_.fail_with_errno(ENOMEM);
    return -1;
  }
}

}  // namespace squall::detail
