#include <squall/iostream/tls/tls_transport.h>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <squall/ioloop/base/sigpipe.h>
#include <squall/iostream/address/errors.h>
#include <squall/iostream/socket/socket.h>
#include <squall/iostream/tls/openssl.h>
#include <squall/iostream/tls/tls_context_state.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace squall {
namespace {

constexpr std::size_t kReceive = Block::kLargest;
constexpr std::size_t kRecord = 16 * 1024;  // RFC 8446, 5.1
// How often one receive() asks the kernel while that has more, and there is space.
constexpr int kReceives = 16;
// How often one send() encrypts as much as it has room for: with 48 KiB each the stream, which counts its
// calls, gives the others their turn.
constexpr int kRounds = 4;

std::atomic<int> keeping_buffers = 0;  // the connections that do, of all threads

TLSTransport& transport_of(BIO* bio) { return *static_cast<TLSTransport*>(::BIO_get_data(bio)); }

const BIO_METHOD* bio_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* const made = ::BIO_meth_new(::BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "squall");
    if (!made) throw std::bad_alloc();
    ::BIO_meth_set_read(
        made, [](BIO* bio, char* space, int size) { return transport_of(bio).bio_read(bio, space, size); });
    ::BIO_meth_set_write(made, [](BIO* bio, const char* bytes, int size) {
      return transport_of(bio).bio_write(bio, bytes, size);
    });
    ::BIO_meth_set_ctrl(made,
                        [](BIO*, int command, long, void*) -> long { return command == BIO_CTRL_FLUSH; });
    return made;
  }();
  return method;
}

bool is_address(const std::string& host) {
  unsigned char bytes[16];
  return ::inet_pton(AF_INET, host.c_str(), bytes) == 1 || ::inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

void require(bool ok, const char* what) {
  if (ok) return;
  const unsigned long error = openssl::take_error();
  const char* const reason = error ? ::ERR_reason_error_string(error) : nullptr;
  throw std::runtime_error(reason ? fmt::format("{}: {}", what, reason) : what);
}

// What the certificate must be for, and what to ask for.
void expect_host(SSL* ssl, std::string host, bool check) {
  if (host.ends_with('.')) host.pop_back();
  // To OpenSSL no name at all is good for every certificate, and one with a dot in front for all below it.
  if (host.empty() || host.starts_with('.') || host.find('\0') != host.npos)
    throw std::invalid_argument(fmt::format("server_hostname \"{}\" is none", host));
  const bool address = is_address(host);
  if (!address)
    require(SSL_set_tlsext_host_name(ssl, host.c_str()) == 1, "server_hostname cannot be asked for");
  if (!check) return;
  X509_VERIFY_PARAM* const parameters = ::SSL_get0_param(ssl);
  if (address) return require(::X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) == 1, "No memory");
  ::X509_VERIFY_PARAM_set_hostflags(
      parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  require(::X509_VERIFY_PARAM_set1_host(parameters, host.data(), host.size()) == 1, "No memory");
}

}  // namespace

std::size_t TLSTransport::Outgoing::plain() const noexcept {
  std::size_t sum = 0;
  for (std::size_t i = records_begin; i < records_end; ++i) sum += records[i].plain;
  return sum;
}

void TLSTransport::Outgoing::append(std::string_view bytes) {
  // What is sent makes room, too: the peer may take ever so little at a time.
  if (block.capacity() - end < bytes.size()) move_to(Block(std::max(size() + bytes.size(), size() * 2)));
  end += bytes.copy(block.data() + end, bytes.size());
}

void TLSTransport::Outgoing::move_to(Block other) noexcept {
  if (size() > 0) std::memcpy(other.data(), block.data() + begin, size());
  for (std::size_t i = records_begin; i < records_end; ++i) records[i].end -= begin;
  end -= begin;
  begin = 0;
  block = std::move(other);
}

// One call from the stream: has the blocks that the connection does without between calls.
class TLSTransport::Call {
 public:
  explicit Call(TLSTransport& transport) noexcept : transport_(transport) { enter(this); }
  ~Call() {
    enter(nullptr);
    transport_.incoming_ = keep(transport_.incoming_);
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // Where to receive, when all that was received before is taken.
  std::span<char> space() {
    if (!received_) received_ = Block(kReceive);
    return {received_.data(), kReceive};
  }
  Outgoing& outgoing() noexcept { return outgoing_; }
  bool drained = false;  // the kernel has no more

 private:
  void enter(Call* call) noexcept { transport_.call_ = call; }
  std::string_view keep(std::string_view rest) noexcept {
    Block& kept = transport_.leftover_;
    if (rest.empty()) {
      kept.reset();
    } else if (received_ && rest.size() > received_.capacity() / 4) {
      kept = std::move(received_);
    } else if (received_) {
      try {
        Block small(rest.size());
        std::memcpy(small.data(), rest.data(), rest.size());
        kept = std::move(small);
        return {kept.data(), rest.size()};
      } catch (const std::bad_alloc&) {
        kept = std::move(received_);
      }
    }
    return rest;
  }

  TLSTransport& transport_;
  Block received_;
  Outgoing outgoing_;
};

TLSTransport::TLSTransport(const TLSContext& context, std::string_view server_hostname, std::uint16_t port,
                           Channel channel)
    : context_(context), setup_(context.setup()), is_socket_(channel == Channel::socket) {
  const TLSContext::State& state = *context_.state_;
  const bool check =
      !state.is_server() && state.client().cert_reqs != CertReqs::none && state.client().check_hostname;
  if (check && server_hostname.empty())
    throw std::invalid_argument("TLS needs a server_hostname to check the certificate against");
  openssl::forget_errors();
  std::unique_ptr<SSL, openssl::Free<::SSL_free>> ssl(::SSL_new(setup_->context()));
  require(ssl != nullptr, "TLS cannot be set up");
  require(SSL_set_app_data(ssl.get(), this) == 1, "No memory");
  BIO* const bio = make_bio();
  require(bio != nullptr, "No memory");
  ::SSL_set_bio(ssl.get(), bio, bio);
  if (state.is_server()) {
    ::SSL_set_accept_state(ssl.get());
  } else {
    ::SSL_set_connect_state(ssl.get());
    if (!server_hostname.empty()) {
      expect_host(ssl.get(), std::string(server_hostname), check);
      server_ = fmt::format("{}:{}", server_hostname, port);
      if (const openssl::Session session = context_.state_->sessions.take(server_))
        ::SSL_set_session(ssl.get(), session.get());
    }
  }
  ssl_ = ssl.release();
}

BIO* TLSTransport::make_bio() noexcept {
  BIO* const bio = ::BIO_new(bio_method());
  if (!bio) return nullptr;
  ::BIO_set_data(bio, this);
  ::BIO_set_init(bio, 1);
  return bio;
}

TLSTransport::~TLSTransport() {
  // A connection that ends without close_notify is not to be blamed on its session.
  if (is_done_ && end_ != End::failed) ::SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  ::SSL_free(ssl_);
  if (keeps_buffers_) keeping_buffers.fetch_sub(1, std::memory_order_relaxed);
}

// ---- What was negotiated.

std::string_view TLSTransport::alpn() const noexcept {
  const unsigned char* protocol = nullptr;
  unsigned int size = 0;
  ::SSL_get0_alpn_selected(ssl_, &protocol, &size);
  return {reinterpret_cast<const char*>(protocol), size};
}

std::string_view TLSTransport::version() const noexcept {
  return is_done_ ? ::SSL_get_version(ssl_) : std::string_view();
}

std::string_view TLSTransport::cipher() const noexcept {
  return is_done_ ? ::SSL_get_cipher_name(ssl_) : std::string_view();
}

std::string_view TLSTransport::server_name() const noexcept {
  const char* const name = ::SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
  return name ? name : std::string_view();
}

bool TLSTransport::session_reused() const noexcept { return is_done_ && ::SSL_session_reused(ssl_) == 1; }

std::optional<TLSPeerCertificate> TLSTransport::peer_certificate() const {
  X509* const certificate = ::SSL_get0_peer_certificate(ssl_);
  if (!certificate) return std::nullopt;
  return describe(certificate);
}

// ---- The handshake.

Transport::Step TLSTransport::handshake(int fd) noexcept {
  if (end_ == End::failed) return Step::failed;
  const bool in_kernel = is_socket_ && context_.state_->common().ktls;
  Call call(*this);
  for (;;) {
    if (end_ == End::none) {
      openssl::forget_errors();
      errno = 0;
      const int result = in_kernel ? step_in_kernel(fd) : ::SSL_do_handshake(ssl_);
      const int error = result == 1 ? SSL_ERROR_NONE : ::SSL_get_error(ssl_, result);
      if (error == SSL_ERROR_NONE) is_done_ = true;
      if (error != SSL_ERROR_NONE && error != SSL_ERROR_WANT_READ && !is_blocked_) fail_with_openssl(error);
    }
    // Also the alert that says why it has failed.
    push(fd);
    if (end_ == End::failed || has_failed_to_send_) {
      peer_ = Address::peer_of(fd);
      if (!server_.empty()) context_.state_->sessions.forget(server_);
      return Step::failed;
    }
    if (is_done_) return Step::done;
    if (in_kernel) return Step::pending;
    if (!receive_more(fd) && end_ == End::none) return Step::pending;
  }
}

// ---- OpenSSL's buffers.

void TLSTransport::keep_buffers() noexcept {
  if (keeping_buffers.load(std::memory_order_relaxed) >= kKeepBuffers) return;
  keeps_buffers_ = true;
  keeping_buffers.fetch_add(1, std::memory_order_relaxed);
  ::SSL_clear_mode(ssl_, SSL_MODE_RELEASE_BUFFERS);
}

void TLSTransport::rest() noexcept {
  if (!keeps_buffers_) return;
  keeps_buffers_ = false;
  keeping_buffers.fetch_sub(1, std::memory_order_relaxed);
  ::SSL_set_mode(ssl_, SSL_MODE_RELEASE_BUFFERS);
  ::SSL_free_buffers(ssl_);
}

// ---- Receiving.

// Asks the kernel once. False if there is nothing new: the kernel has none, or the connection has ended.
[[gnu::hot]] bool TLSTransport::receive_more(int fd) noexcept {
  if (call_->drained) return false;
  try {
    const std::span<char> space = call_->space();
    const ssize_t count = is_socket_ ? receive_from(fd, space) : read_from(fd, space);
    if (count > 0) {
      call_->drained = static_cast<std::size_t>(count) < space.size();
      incoming_ = {space.data(), static_cast<std::size_t>(count)};
      leftover_.reset();
      return true;
    }
    call_->drained = true;
    if (count == 0) {
      // Anybody on the way can have made this end. OpenSSL is not told: it would take the session away.
      fail(StreamErrc::truncated);
    } else if (errno != EAGAIN) {
      fail_with_errno(errno);
    }
  } catch (const std::bad_alloc&) {
    fail_with_errno(ENOMEM);
  }
  return false;
}

[[gnu::hot]] ssize_t TLSTransport::receive(int fd, std::span<char> space) noexcept {
  return decrypt(fd, space, Take::yes);
}

// What it finds stays with OpenSSL, which has a record decrypted then.
ssize_t TLSTransport::look(int fd) noexcept {
  char first;
  return decrypt(fd, {&first, 1}, Take::no);
}

[[gnu::hot]] ssize_t TLSTransport::decrypt(int fd, std::span<char> space, Take take) noexcept {
  const auto read = take == Take::yes ? ::SSL_read_ex : ::SSL_peek_ex;
  std::size_t got = 0;
  if (!keeps_buffers_) keep_buffers();
  {
    Call call(*this);
    int receives = 0;
    while (got < space.size() && end_ == End::none) {
      // To ask OpenSSL before it has anything costs it a buffer, made and taken away, and an error.
      if (!kernel_receives_ && incoming_.empty() && ::SSL_pending(ssl_) == 0) {
        // A peer that sends much without saying anything is left to the poller, for the others' sake.
        if (receives == kReceives || (receives > 0 && got == 0) || !receive_more(fd)) break;
        ++receives;
      }
      std::size_t count = 0;
      openssl::forget_errors();
      errno = 0;
      if (read(ssl_, space.data() + got, space.size() - got, &count) == 1) {
        got += count;
        continue;
      }
      const int error = ::SSL_get_error(ssl_, 0);
      if (error == SSL_ERROR_ZERO_RETURN) {
        end_ = End::clean;
      } else if (error != SSL_ERROR_WANT_READ) {
        fail_with_openssl(error);
      } else if (kernel_receives_) {
        break;
      }
    }
    // What that was answered with.
    push(fd);
  }
  if (got > 0) return static_cast<ssize_t>(got);
  end_is_told_ = end_ != End::none;
  if (end_ == End::clean) return 0;
  errno = end_ == End::none ? EAGAIN : EPROTO;
  return -1;
}

[[gnu::hot]] bool TLSTransport::has_received() const noexcept {
  return !incoming_.empty() || ::SSL_pending(ssl_) > 0 || (end_ != End::none && !end_is_told_);
}

[[gnu::hot]] int TLSTransport::bio_read(BIO* bio, char* space, int size) noexcept {
  BIO_clear_retry_flags(bio);
  if (incoming_.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t count = incoming_.copy(space, static_cast<std::size_t>(size));
  incoming_.remove_prefix(count);
  return static_cast<int>(count);
}

// ---- Sending.

[[gnu::hot]] ssize_t TLSTransport::send(int fd, std::span<const std::string_view> pieces) noexcept {
  if (end_ == End::failed || has_failed_to_send_) {
    errno = EPROTO;
    return -1;
  }
  if (kernel_sends_) {
    const ssize_t sent = pieces.empty() ? 0 : send_to(fd, pieces);
    if (sent < 0 && errno != EAGAIN) fail_to_send(errno);
    return sent;
  }
  std::size_t total = 0;
  for (const std::string_view piece : pieces) total += piece.size();
  Call call(*this);
  bool is_pushed = push(fd);
  try {
    // What is behind the bytes that were encrypted before, as long as the kernel takes all of it.
    for (int round = 0; round < kRounds && is_pushed && credit_ < total; ++round) {
      if (encrypt(pieces, credit_) == 0) break;
      is_pushed = push(fd);
    }
  } catch (const std::bad_alloc&) {
    fail_with_errno(ENOMEM);
  }
  if (const std::size_t sent = std::min(credit_, total); sent > 0) {
    credit_ -= sent;
    return static_cast<ssize_t>(sent);
  }
  if (end_ == End::failed || has_failed_to_send_) {
    errno = EPROTO;
    return -1;
  }
  if (is_pushed) return 0;
  errno = EAGAIN;
  return -1;
}

// Encrypts what comes behind the first `skip` bytes, up to Outgoing::kPlain of it, in as few records as can
// be. Returns how much.
[[gnu::hot]] std::size_t TLSTransport::encrypt(std::span<const std::string_view> pieces, std::size_t skip) {
  Block gathered;  // for a record of several pieces
  std::size_t filled = 0;
  std::size_t sum = 0;
  Outgoing& out = call_->outgoing();
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    std::string_view piece = pieces[i];
    const std::size_t skipped = std::min(skip, piece.size());
    skip -= skipped;
    piece.remove_prefix(skipped);
    while (!piece.empty()) {
      if (out.records_end == Outgoing::kRecords) return sum;
      // As it lies, if it fills a record or has nothing behind it.
      if (filled == 0 && (piece.size() >= kRecord || i + 1 == pieces.size())) {
        const std::string_view record = piece.substr(0, kRecord);
        if (!encrypt_record(record)) return 0;
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
      if (!encrypt_record({gathered.data(), kRecord})) return 0;
      filled = 0;
    }
  }
  if (filled > 0 && !encrypt_record({gathered.data(), filled})) return 0;
  return sum;
}

[[gnu::hot]] bool TLSTransport::encrypt_record(std::string_view bytes) {
  std::size_t count = 0;
  Outgoing& out = call_->outgoing();
  // More full ones are to come.
  if (bytes.size() == kRecord && !out.block) out.block = Block(Block::kLargest);
  openssl::forget_errors();
  if (::SSL_write_ex(ssl_, bytes.data(), bytes.size(), &count) != 1 || count != bytes.size()) {
    fail_with_openssl(::SSL_get_error(ssl_, 0));
    return false;
  }
  out.records[out.records_end++] = {out.end, count};
  return true;
}

// Gives the kernel what is unsent, what this call has made behind it, and keeps the rest. True if there is no
// rest.
[[gnu::hot]] bool TLSTransport::push(int fd) noexcept {
  Outgoing& fresh = call_->outgoing();
  if (unsent_ && fresh.size() > 0) {
    // Without bytes of a send(): those wait until nothing is unsent.
    try {
      unsent_->append({fresh.block.data() + fresh.begin, fresh.size()});
    } catch (const std::bad_alloc&) {
      fail_with_errno(ENOMEM);
    }
    fresh.begin = fresh.end = 0;
  }
  Outgoing& out = unsent_ ? *unsent_ : fresh;
  if (out.size() > 0) {
    const std::string_view bytes(out.block.data() + out.begin, out.size());
    const ssize_t sent = is_socket_ ? send_to(fd, {&bytes, 1}) : write_to(fd, {&bytes, 1});
    if (sent < 0 && errno != EAGAIN) {
      fail_to_send(errno);
      return false;
    }
    out.begin += sent > 0 ? static_cast<std::size_t>(sent) : 0;
  }
  for (; out.records_begin < out.records_end; ++out.records_begin) {
    const Record& record = out.records[out.records_begin];
    if (record.end > out.begin) break;
    credit_ += record.plain;
  }
  if (out.size() == 0) {
    out.begin = out.end = out.records_begin = out.records_end = 0;
    unsent_.reset();
    return true;
  }
  if (unsent_) return false;
  try {
    // A little that may have to wait for long does not keep a large block.
    if (fresh.size() <= fresh.block.capacity() / 4) fresh.move_to(Block(fresh.size()));
    unsent_ = std::make_unique<Outgoing>(std::move(fresh));
    fresh = Outgoing();
  } catch (const std::bad_alloc&) {
    fail_with_errno(ENOMEM);
  }
  return false;
}

[[gnu::hot]] int TLSTransport::bio_write(BIO* bio, const char* bytes, int size) noexcept {
  BIO_clear_retry_flags(bio);
  const std::string_view written(bytes, static_cast<std::size_t>(size));
  const std::size_t waiting = unsent_ ? unsent_->size() : 0;
  if (!call_ || waiting + call_->outgoing().size() + written.size() > kMaxUnsent) {
    fail_with_errno(ENOBUFS);
    return -1;
  }
  try {
    call_->outgoing().append(written);
    return size;
  } catch (const std::bad_alloc&) {
    fail_with_errno(ENOMEM);
    return -1;
  }
}

void TLSTransport::end_sending(int fd) noexcept {
  if (!is_done_ || has_ended_ || has_failed_to_send_ || end_ == End::failed) return;
  has_ended_ = true;
  Call call(*this);
  openssl::forget_errors();
  if (kernel_sends_) {
    without_sigpipe([this] { return ::SSL_shutdown(ssl_); });
  } else {
    ::SSL_shutdown(ssl_);
  }
  openssl::forget_errors();
  push(fd);
}

// ---- Sessions.

void TLSTransport::keep_session(SSL_SESSION* session) noexcept {
  openssl::Session owned(session);
  // One from before a reload() might not be granted after it.
  if (context_.setup() == setup_) context_.state_->sessions.keep(server_, std::move(owned));
}

}  // namespace squall
