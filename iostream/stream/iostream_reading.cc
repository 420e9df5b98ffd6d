#include <squall/ioloop/base/log.h>
#include <squall/iostream/stream/iostream.h>
#include <squall/iostream/socket/socket.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <utility>

// How an IOStream reads.
namespace squall {
namespace {

// What a read that need not wait costs of its dispatch's budget: one from the buffer, and one that had to ask
// the kernel. So a busy peer gets 16 system calls a dispatch, and then the others have their turn.
constexpr int kBufferedReadCost = 1;
constexpr int kReceiveCost = IOLoop::kBudget / 16;

// From this size on bytes are received in the memory of who reads into his own.
constexpr std::size_t kReceiveDirectly = 16 * 1024;

// A delimiter of one byte, as lines have, needs no comparison behind the search: a tenth of the cost of
// reading a line of 20 bytes.
std::size_t find(std::string_view bytes, std::string_view delimiter, std::size_t from) {
  return delimiter.size() == 1 ? bytes.find(delimiter.front(), from) : bytes.find(delimiter, from);
}

// Line ends as one writes them in source code.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\r') {
      result += "\\r";
    } else if (c == '\n') {
      result += "\\n";
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace

ReadAwaiter IOStream::read_some(std::size_t max) { return start_read(ReadAwaiter::Kind::some, max); }
[[gnu::hot]] ReadAwaiter IOStream::read_some(const std::nothrow_t&) {
  return start_read(ReadAwaiter::Kind::some_nothrow, kNoLimit);
}
ReadAwaiter IOStream::read_bytes(std::size_t count) { return start_read(ReadAwaiter::Kind::bytes, count); }
ReadIntoAwaiter IOStream::read_into(std::span<char> space) {
  check_read();
  return ReadIntoAwaiter(*this, space, space.size());
}
ReadIntoAwaiter IOStream::read_into_some(std::span<char> space) {
  check_read();
  return ReadIntoAwaiter(*this, space, std::min<std::size_t>(space.size(), 1));
}
ReadAwaiter IOStream::read_until(std::string_view delimiter, UntilOptions options) {
  return read_until(delimiter, options.max_bytes);
}
void IOStream::refuse_delimiter() { throw std::invalid_argument("read_until() needs a delimiter"); }
ReadAwaiter IOStream::read_until_regex(const Regex& regex, UntilOptions options) {
  return read_until_regex(regex, options.max_bytes);
}
ReadAwaiter IOStream::read_until_regex(const Regex& regex, std::size_t max_bytes) {
  check_read();
  return ReadAwaiter(*this, regex, max_bytes);
}
ReadAwaiter IOStream::read_until_close(std::size_t max_bytes) {
  return start_read(ReadAwaiter::Kind::until_close, max_bytes);
}

void IOStream::refuse_read() const {
  if (reader_) throw std::logic_error("Already reading");
  throw std::logic_error("This end of a pipe can only be written to");
}

void IOStream::refuse_unread() { throw std::logic_error("More bytes are unread than the last read gave"); }

ReadAwaiter IOStream::start_read(ReadAwaiter::Kind kind, std::size_t amount, std::string_view delimiter) {
  check_read();
  return ReadAwaiter(*this, kind, amount, delimiter);
}

// ---- Whether a read can end, with what is buffered or with an error.

void IOStream::fail_until(ReadAwaiter& read) {
  log::general().info(
      "Unsatisfiable read, closing connection: delimiter \"{}\" not found within {} bytes from {}",
      escaped(read.delimiter_), read.amount_, peer_address());
  fail_read(read, StreamErrc::unsatisfiable_read);
}

inline bool IOStream::satisfy_until(ReadAwaiter& read) {
  const std::string_view bytes = in_.view();
  const std::size_t found = find(bytes, read.delimiter_, read.scanned_);
  const std::size_t end = found == bytes.npos ? bytes.size() + 1 : found + read.delimiter_.size();
  if (end > read.amount_) {
    fail_until(read);
    return true;
  }
  if (found != bytes.npos) return read.succeed(end);
  // The delimiter may straddle what is here and what comes next (IOS-37).
  read.scanned_ = bytes.size() - std::min(bytes.size(), read.delimiter_.size() - 1);
  return false;
}

[[gnu::hot]] bool IOStream::satisfy(ReadAwaiter& read) {
  using Kind = ReadAwaiter::Kind;
  if (rest_) [[unlikely]]
    take_rest();
  const std::size_t size = in_.size();
  switch (read.kind_) {
    case Kind::some:
    case Kind::some_nothrow:
      if (size > 0 || read.amount_ == 0) return read.succeed(std::min(size, read.amount_));
      if (eof_ || (read.kind_ == Kind::some_nothrow && closed())) return read.succeed(0);
      break;
    case Kind::bytes:
      if (size >= read.amount_) return read.succeed(read.amount_);
      if (read.amount_ > max_buffer_size_) {
        fail_read(read, StreamErrc::read_buffer_full);
        return true;
      }
      break;
    case Kind::until:
      if (satisfy_until(read)) return true;
      break;
    case Kind::until_regex:
      if (satisfy_until_regex(read)) return true;
      break;
    case Kind::until_close: return satisfy_until_close(read);
    case Kind::into:
      if (satisfy_into(static_cast<ReadIntoAwaiter&>(read))) return true;
      break;
  }
  if (closed() || eof_) [[unlikely]] {
    read.outcome_ = ReadAwaiter::Outcome::failed;
    return true;
  }
  if (in_.size() >= max_buffer_size_) [[unlikely]] {
    fail_read(read, StreamErrc::read_buffer_full);
    return true;
  }
  return false;
}

// Looks at one byte more than the match may have, which decides all: so that where it ends, and whether there
// is one, does not depend on how the bytes come.
bool IOStream::satisfy_until_regex(ReadAwaiter& read) {
  const std::string_view bytes = in_.view().substr(0, read.amount_ == kNoLimit ? kNoLimit : read.amount_ + 1);
  const bool is_too_many = bytes.size() > read.amount_;
  const bool at_end = is_too_many || eof_ || closed();
  const Regex::Found found = read.regex_->search(bytes, read.scanned_, at_end);
  if (found.outcome == Regex::Outcome::too_complex) {
    log::general().info("Unsatisfiable read, closing connection: too many steps for {} bytes from {}",
                        bytes.size(), peer_address());
    fail_read(read, StreamErrc::match_limit);
    return true;
  }
  const bool is_match = found.outcome == Regex::Outcome::match;
  if (is_match && found.position <= read.amount_) return read.succeed(found.position);
  if (is_match || is_too_many) {
    log::general().info("Unsatisfiable read, closing connection: no match within {} bytes from {}",
                        read.amount_, peer_address());
    fail_read(read, StreamErrc::unsatisfiable_read);
    return true;
  }
  if (found.outcome == Regex::Outcome::more) read.scanned_ = found.position;
  return false;
}

bool IOStream::satisfy_until_close(ReadAwaiter& read) {
  if (in_.size() > std::min(read.amount_, max_buffer_size_)) {
    fail_read(read, StreamErrc::read_buffer_full);
    return true;
  }
  if (eof_ || (closed() && !error_)) return read.succeed(in_.size());
  if (!closed()) return false;
  read.outcome_ = ReadAwaiter::Outcome::failed;
  return true;
}

// Takes bytes out of the buffer when they are enough, or when the rest will be received behind them.
bool IOStream::satisfy_into(ReadIntoAwaiter& read) {
  const std::size_t rest = read.rest().size();
  const bool is_enough = read.filled_ + in_.size() >= read.amount_;
  if (!in_.empty() && (is_enough || rest >= kReceiveDirectly || in_.size() >= max_buffer_size_)) {
    const std::string_view taken = in_.consume(rest);
    read.filled_ += taken.copy(read.rest().data(), taken.size());
  }
  return read.filled_ >= read.amount_ && read.succeed(read.filled_);
}

// The read no longer is the one that waits.
void IOStream::leave_reader(ReadAwaiter& read) noexcept {
  reader_ = nullptr;
  read.waiting_ = false;
}

// The read cannot be satisfied any more: closes the stream.
void IOStream::fail_read(ReadAwaiter& read, std::error_code error) {
  if (error == StreamErrc::read_buffer_full)
    log::general().error("Reached maximum read buffer size of {} bytes, closing connection to {}",
                         read.kind_ == ReadAwaiter::Kind::until_close
                             ? std::min(read.amount_, max_buffer_size_)
                             : max_buffer_size_,
                         peer_address());
  read.outcome_ = ReadAwaiter::Outcome::failed;
  if (reader_ == &read) leave_reader(read);
  close(error);
}

// ---- Receiving.

[[gnu::hot]] void IOStream::receive_for(ReadAwaiter& read, Lend lend) noexcept {
  using Kind = ReadAwaiter::Kind;
  std::size_t wanted = 0;
  if (read.kind_ == Kind::bytes) {
    wanted = read.amount_ - in_.size();
  } else if (read.kind_ == Kind::until_close) {
    wanted = read.amount_;
  } else if (read.kind_ == Kind::into) {
    auto& into = static_cast<ReadIntoAwaiter&>(read);
    const std::span<char> rest = into.rest();
    if (in_.empty() && rest.size() >= kReceiveDirectly) {
      into.filled_ += receive_in(rest);
      return answer();
    }
    wanted = rest.size() - in_.size();
  }
  receive(wanted, lend);
}

// Closes the stream on an error: also without memory, as bytes may be lost then.
[[gnu::hot]] void IOStream::receive(std::size_t wanted, Lend lend) noexcept {
  try {
    receive_once(wanted, lend);
  } catch (const std::bad_alloc&) {
    close_with_errno(ENOMEM, "Read error");
  }
  answer();
}

// A transport may have to answer what it received. Its bytes are in the buffer by now: this may close.
void IOStream::answer() noexcept {
  if (transport_ && !blocked_ && !closed()) send_own();
}

[[gnu::hot]] void IOStream::receive_once(std::size_t wanted, Lend lend) {
  const std::size_t limit = max_buffer_size_ - std::min(max_buffer_size_, in_.size());
  std::span<char> space = in_.prepare(std::min(wanted, limit));
  space = space.first(std::min(space.size(), std::max<std::size_t>(limit, 1)));
  const std::size_t got = receive_in(space);
  if (got == 0) [[unlikely]]
    return;
  if (lend == Lend::yes) {
    in_.commit_shared(got);
  } else {
    in_.commit(got);
  }
}

// One system call: the count of bytes. If there are none sets eof_ or closes the stream, or there is nothing.
[[gnu::hot]] std::size_t IOStream::receive_in(std::span<char> space) noexcept {
  ssize_t got;
  if (channel_ == Channel::socket) [[likely]] {
    got = receive_from(fd_.get(), space);
  } else if (channel_ == Channel::transport) {
    got = transport_->receive(fd_.get(), space);
  } else {
    got = read_from(fd_.get(), space);
  }
  if (got > 0) [[likely]] {
    drained_ = static_cast<std::size_t>(got) < space.size() && !has_received();
  } else if (got == 0) {
    eof_ = true;
    notify_closed();
  } else if (errno == EAGAIN) {
    drained_ = true;
  } else {
    close_with_last_error("Read error");
  }
  return static_cast<std::size_t>(std::max<ssize_t>(got, 0));
}

// What the kernel has left of a connection that was reset. It is kept aside, as somebody may still be reading
// what the last read gave, which the buffer holds; who waits for a read does not.
void IOStream::receive_rest() noexcept {
  constexpr std::size_t kPiece = 64 * 1024;
  if (channel_ != Channel::socket && channel_ != Channel::transport) return;
  try {
    std::string rest;
    for (ssize_t got = 1; got > 0 && rest.size() + in_.size() < max_buffer_size_;) {
      const std::size_t before = rest.size();
      rest.resize(before + std::min(kPiece, max_buffer_size_ - in_.size() - before));
      const std::span<char> space(rest.data() + before, rest.size() - before);
      got = transport_ ? transport_->receive(fd_.get(), space) : receive_from(fd_.get(), space);
      rest.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    }
    if (!rest.empty()) rest_ = std::make_unique<std::string>(std::move(rest));
  } catch (const std::bad_alloc&) {
    // It is lost, as it would be without the attempt.
  }
  if (rest_ && reader_ && !reader_->resume_.linked()) take_rest();
}

void IOStream::take_rest() noexcept {
  const std::unique_ptr<std::string> rest = std::move(rest_);
  try {
    rest->insert(0, in_.view());
    in_.consume(in_.size());
    in_.prepend(*rest);
  } catch (const std::bad_alloc&) {
    // So the read finds the connection closed.
  }
}

// ---- Events.

[[gnu::hot]] void IOStream::on_readable() {
  if (closed()) [[unlikely]]
    return;
  if (!reader_ || reader_->resume_.linked()) [[unlikely]]
    return watch_for_close();
  ReadAwaiter& read = *reader_;
  do {
    receive_for(read, read.kind_ == ReadAwaiter::Kind::some_nothrow ? Lend::yes : Lend::no);
    // A failed receive has closed the stream, and so sent the reader on its way.
    if (read.resume_.linked()) [[unlikely]]
      return;
    if (satisfy(read)) [[likely]] {
      if (reader_) leave_reader(read);
      return loop_->call(read.resume_);
    }
    if (has_received() && !loop_->spend(kReceiveCost)) return receive_later();
  } while (has_received());
}

// The others first. The poller would not say that there is more of what was received already.
void IOStream::receive_later() noexcept {
  if (receive_.linked()) return;
  receive_.set([](void* self) { static_cast<IOStream*>(self)->handle_events(Events::read); }, this);
  loop_->call_soon(receive_);
}

// Leaves what there is where it is, as somebody may hold a view of the buffer. False if there is nothing, or
// the stream has closed.
bool IOStream::look_for_end() noexcept {
  ssize_t found;
  if (channel_ == Channel::socket) {
    found = peek_at(fd_.get());
  } else if (channel_ == Channel::transport) {
    found = transport_->look(fd_.get());
  } else {
    found = look_at(fd_.get());
  }
  if (found < 0 && errno != EAGAIN) {
    close_with_last_error("Read error");
    return false;
  }
  if (found == 0) {
    eof_ = true;
    notify_closed();
  }
  const bool is_there = found >= 0;
  // It may have to answer what it received.
  if (transport_ && !blocked_) send_own();
  return is_there && !closed();
}

// Readable, and nobody reads: either somebody wants to know when the peer goes, or it has to wait.
void IOStream::watch_for_close() noexcept {
  const bool is_watched = close_callback_ && !close_callback_->called && !eof_;
  if (is_watched && !look_for_end()) return;
  drained_ = false;
  want(interest_ & ~Events::read);
}

// What stood before the end is read now, maybe without having waited for it: the end is to be told again.
void IOStream::watch_on() noexcept {
  if (close_callback_->called || closed() || eof_ || !in_.empty()) return;
  // The poller does not know of what was received already.
  if (has_received()) look_for_end();
  if (!closed() && !eof_) want(interest_ | Events::read);
}

// ---- Awaiters.

void ReadAwaiter::withdraw() noexcept {
  if (stream_) stream_->leave_reader(*this);
}

[[gnu::hot]] bool ReadAwaiter::await_ready() {
  IOLoop& loop = stream_->loop();
  // What a quick reader was lent, and gave back as unread, goes with the dispatch: a view that may be held
  // for longer is of a block of the stream's own.
  if (kind_ != Kind::some_nothrow) stream_->in_.keep();
  if (stream_->satisfy(*this)) return loop.spend(kBufferedReadCost);
  while (!stream_->drained_) {
    stream_->receive_for(*this, IOStream::Lend::no);
    const bool may_go_on = loop.spend(kReceiveCost);
    if (stream_->satisfy(*this)) return may_go_on;
    if (!may_go_on) return false;
  }
  return false;
}

[[gnu::hot]] void ReadAwaiter::await_suspend(std::coroutine_handle<> reader) {
  resume_.set(reader);
  stream_->reader_ = this;
  waiting_ = true;
  if (outcome_ != Outcome::pending) [[unlikely]] {
    // Done, but the budget is spent: others first.
    stream_->loop().call_soon(resume_);
  } else {
    stream_->in_.settle();
    if (stream_->interest_ != Events::read)
      stream_->want(stream_->interest_ | Events::read);  // which sends us on our way if it closes the stream
    if (!stream_->drained_ && stream_->has_received()) stream_->receive_later();
  }
}

void ReadAwaiter::take_slowly() {
  if (!stream_) throw StreamClosedError();
  if (waiting_) stream_->leave_reader(*this);
  if (outcome_ == Outcome::bytes) return;
  const std::error_code& error = stream_->error_;
  if (error == StreamErrc::read_buffer_full) throw StreamBufferFullError("Reached maximum read buffer size");
  if (error == StreamErrc::unsatisfiable_read || error == StreamErrc::match_limit)
    throw UnsatisfiableReadError(error);
  throw StreamClosedError(error);
}

std::size_t ReadIntoAwaiter::await_resume() {
  take_outcome();
  if (stream_->close_callback_) stream_->watch_on();
  return std::exchange(filled_, 0);
}

// The read was dropped, or failed: what it had gathered is the next one's.
ReadIntoAwaiter::~ReadIntoAwaiter() {
  if (filled_ > 0 && stream_) stream_->put_back({space_.data(), filled_});
}

void IOStream::put_back(std::string_view bytes) noexcept {
  try {
    in_.prepend(bytes);
  } catch (const std::bad_alloc&) {
    close_with_errno(ENOMEM, "Read error");
  }
}

}  // namespace squall
