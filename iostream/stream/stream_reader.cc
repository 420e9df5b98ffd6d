#include <squall/iostream/stream/stream_reader.h>

#include <squall/ioloop/base/log.h>
#include <squall/iostream/address/address.h>
#include <squall/iostream/address/errors.h>
#include <squall/iostream/socket/socket.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <new>
#include <stdexcept>
#include <utility>

namespace squall::detail {
namespace {

// The cost of a read that does not wait, in the budget of the dispatch: from the buffer, and with a system
// call. So a busy peer gets 16 system calls a dispatch. Then the loop serves other descriptors.
constexpr int kBufferedReadCost = 1;
constexpr int kReceiveCost = IOLoop::kBudget / 16;

// From this size on read_into() receives in the caller's memory.
constexpr std::size_t kReceiveDirectly = 16 * 1024;

// A delimiter of one byte, such as the line end, needs no comparison after the search. That saves a tenth
// of the cost of reading a line of 20 bytes.
std::size_t find(std::string_view bytes, std::string_view delimiter, std::size_t from) {
  return delimiter.size() == 1 ? bytes.find(delimiter.front(), from) : bytes.find(delimiter, from);
}

}  // namespace

StreamReader::StreamReader(StreamLink& link, StreamReader&& other) noexcept
    : link_(&link),
      buffer_(std::move(other.buffer_)),
      rest_(std::move(other.rest_)),
      max_buffer_size_(other.max_buffer_size_),
      input_(other.input_),
      receives_before_reset_(other.receives_before_reset_) {
  assert(!other.read_ && "an IOStream was moved while a read waited on it");
  other.later_.unlink();  // for a read that is gone
}

StreamReader::~StreamReader() {
  // The read is in the ready queue by now, and will throw without using the stream.
  if (read_) read_->reader_ = nullptr;
}

void StreamReader::refuse_read() const {
  if (read_) throw std::logic_error("Already reading");
  throw std::logic_error("This end of a pipe can only be written to");
}

void StreamReader::refuse_unread() {
  throw std::logic_error("More bytes are unread than the last read gave");
}

// ---- Whether a read can end, with bytes of the buffer or with an error. True if so.

[[gnu::hot]] bool StreamReader::satisfy(ReadAwaiter& read) {
  using Kind = ReadAwaiter::Kind;
  if (rest_) [[unlikely]]
    take_rest();
  const std::size_t size = buffer_.size();
  switch (read.kind_) {
    case Kind::some:
    case Kind::some_nothrow:
      if (size > 0 || read.amount_ == 0) return read.succeed(std::min(size, read.amount_));
      if (at_end() || (read.kind_ == Kind::some_nothrow && link_->is_closed())) return read.succeed(0);
      break;
    case Kind::bytes:
      if (size >= read.amount_) return read.succeed(read.amount_);
      if (read.amount_ > max_buffer_size_) return fail_full(read, max_buffer_size_);
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
  if (link_->is_closed() || at_end()) [[unlikely]]
    return read.fail();
  if (buffer_.size() >= max_buffer_size_) [[unlikely]]
    return fail_full(read, max_buffer_size_);
  return false;
}

inline bool StreamReader::satisfy_until(ReadAwaiter& read) {
  const std::string_view bytes = buffer_.view();
  const std::size_t found = find(bytes, read.delimiter_, read.scanned_);
  const std::size_t end = found == bytes.npos ? bytes.size() + 1 : found + read.delimiter_.size();
  if (end > read.amount_) return fail_search(read, ReadAwaiter::Search::too_long);
  if (found != bytes.npos) return read.succeed(end);
  // A delimiter may begin in these bytes and end in the next ones (IOS-37).
  read.scanned_ = bytes.size() - std::min(bytes.size(), read.delimiter_.size() - 1);
  return false;
}

bool StreamReader::satisfy_until_regex(ReadAwaiter& read) {
  using Search = ReadAwaiter::Search;
  using Ended = ReadAwaiter::Ended;
  const Ended ended = at_end() || link_->is_closed() ? Ended::yes : Ended::no;
  const Search search = read.search_regex(buffer_.view(), ended);
  if (search == Search::too_long || search == Search::too_complex) return fail_search(read, search);
  return search == Search::found;
}

bool StreamReader::satisfy_until_close(ReadAwaiter& read) {
  const std::size_t limit = std::min(read.amount_, max_buffer_size_);
  if (buffer_.size() > limit) return fail_full(read, limit);
  const bool is_closed = link_->is_closed();
  if (at_end() || (is_closed && !link_->error())) return read.succeed(buffer_.size());
  return is_closed && read.fail();
}

// Takes bytes out of the buffer if they are enough, or if the missing bytes will be received directly
// behind them.
bool StreamReader::satisfy_into(ReadIntoAwaiter& read) {
  const std::size_t rest = read.rest().size();
  const bool is_enough = read.filled_ + buffer_.size() >= read.amount_;
  if (!buffer_.empty() && (is_enough || rest >= kReceiveDirectly || buffer_.size() >= max_buffer_size_)) {
    const std::string_view taken = buffer_.consume(rest);
    read.filled_ += taken.copy(read.rest().data(), taken.size());
  }
  return read.filled_ >= read.amount_ && read.succeed(read.filled_);
}

bool StreamReader::fail_search(ReadAwaiter& read, ReadAwaiter::Search search) {
  const bool is_too_complex = search == ReadAwaiter::Search::too_complex;
  // The expression is the program's, and needs another one; what the peer sends is not the program's fault.
  log::general().log(is_too_complex ? log::Level::error : log::Level::info,
                     "Unsatisfiable read, closing connection: {} from {}",
                     read.describe(search, buffer_.size()), Address::peer_of(link_->fd()));
  return fail_read(read, is_too_complex ? StreamErrc::match_limit : StreamErrc::unsatisfiable_read);
}

bool StreamReader::fail_full(ReadAwaiter& read, std::size_t limit) {
  log::general().error("Reached maximum read buffer size of {} bytes, closing connection to {}", limit,
                       Address::peer_of(link_->fd()));
  return fail_read(read, StreamErrc::read_buffer_full);
}

// The read cannot succeed any more: closes the stream.
bool StreamReader::fail_read(ReadAwaiter& read, std::error_code error) {
  read.fail();
  if (read_ == &read) leave(read);
  link_->close(error);
  return true;
}

// ---- Receiving.

[[gnu::hot]] void StreamReader::receive_for(ReadAwaiter& read, Lend lend) noexcept {
  using Kind = ReadAwaiter::Kind;
  std::size_t wanted = 0;
  if (read.kind_ == Kind::bytes) {
    wanted = read.amount_ - buffer_.size();
  } else if (read.kind_ == Kind::until_close) {
    wanted = read.amount_;
  } else if (read.kind_ == Kind::into) {
    auto& into = static_cast<ReadIntoAwaiter&>(read);
    const std::span<char> rest = into.rest();
    if (buffer_.empty() && rest.size() >= kReceiveDirectly) {
      into.filled_ += receive_in(rest);
      return link_->answer();
    }
    wanted = rest.size() - buffer_.size();
  }
  receive(wanted, lend);
}

// Closes the stream on an error, also if memory is exhausted, because bytes may be lost then.
[[gnu::hot]] void StreamReader::receive(std::size_t wanted, Lend lend) noexcept {
  try {
    receive_once(wanted, lend);
  } catch (const std::bad_alloc&) {
    link_->fail_with_errno(ENOMEM, "Read error");
  }
  // Must follow commit(): the answer may close the stream, and the bytes must be in the buffer then.
  link_->answer();
}

[[gnu::hot]] void StreamReader::receive_once(std::size_t wanted, Lend lend) {
  const std::size_t limit = max_buffer_size_ - std::min(max_buffer_size_, buffer_.size());
  std::span<char> space = buffer_.prepare(std::min(wanted, limit));
  space = space.first(std::min(space.size(), std::max<std::size_t>(limit, 1)));
  const std::size_t got = receive_in(space);
  if (got == 0) [[unlikely]]
    return;
  if (lend == Lend::yes) {
    buffer_.commit_shared(got);
  } else {
    buffer_.commit(got);
  }
}

// Makes one system call and returns the count of bytes. 0 means: the input has ended, the stream was
// closed, or no bytes have arrived.
[[gnu::hot]] std::size_t StreamReader::receive_in(std::span<char> space) noexcept {
  const ssize_t got = link_->receive(space);
  if (got > 0) [[likely]] {
    const bool is_all = static_cast<std::size_t>(got) < space.size() && !link_->has_received();
    input_ = is_all ? Input::drained : Input::may_have_more;
    return static_cast<std::size_t>(got);
  }
  if (got == 0) {
    end_input();
  } else if (errno == EAGAIN) {
    input_ = Input::drained;
  } else {
    link_->fail("Read error");
  }
  return 0;
}

void StreamReader::end_input() noexcept {
  input_ = Input::ended;
  link_->notify_ended();
}

// Kept apart from `buffer_`, because a caller may still hold the view of the last read. If a read waits, no
// caller holds a view.
void StreamReader::receive_rest() noexcept {
  constexpr std::size_t kPiece = 64 * 1024;
  if (link_->channel() != Channel::socket && link_->channel() != Channel::transport) return;
  try {
    std::string rest;
    for (ssize_t got = 1; got > 0 && rest.size() + buffer_.size() < max_buffer_size_;) {
      const std::size_t before = rest.size();
      rest.resize(before + std::min(kPiece, max_buffer_size_ - buffer_.size() - before));
      got = link_->receive({rest.data() + before, rest.size() - before});
      rest.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    }
    if (!rest.empty()) rest_ = std::make_unique<std::string>(std::move(rest));
  } catch (const std::bad_alloc&) {
    // The bytes are lost, as they would be without receive_before_reset.
  }
  if (rest_ && read_ && !read_->resume_.linked()) take_rest();
}

void StreamReader::take_rest() noexcept {
  const std::unique_ptr<std::string> rest = std::move(rest_);
  try {
    rest->insert(0, buffer_.view());
    buffer_.consume(buffer_.size());
    buffer_.prepend(*rest);
  } catch (const std::bad_alloc&) {
    // No memory: the read finds the stream closed, without these bytes.
  }
}

void StreamReader::put_back(std::string_view bytes) noexcept {
  try {
    buffer_.prepend(bytes);
  } catch (const std::bad_alloc&) {
    link_->fail_with_errno(ENOMEM, "Read error");
  }
}

// ---- Events.

[[gnu::hot]] void StreamReader::on_readable() {
  if (link_->is_closed()) [[unlikely]]
    return;
  if (!read_ || read_->resume_.linked()) [[unlikely]]
    return watch_for_end();
  ReadAwaiter& read = *read_;
  do {
    receive_for(read, read.kind_ == ReadAwaiter::Kind::some_nothrow ? Lend::yes : Lend::no);
    // A failed receive has closed the stream, and so queued the reader.
    if (read.resume_.linked()) [[unlikely]]
      return;
    if (satisfy(read)) [[likely]] {
      if (read_) leave(read);
      return link_->loop().call(read.resume_);
    }
    if (link_->has_received() && !link_->loop().spend(kReceiveCost)) return receive_later();
  } while (link_->has_received());
}

// Lets the loop serve other descriptors first. The poller does not report bytes that the transport holds.
void StreamReader::receive_later() noexcept {
  if (later_.linked()) return;
  later_.set([](void* self) { static_cast<StreamReader*>(self)->link_->dispatch_readable(); }, this);
  link_->loop().call_soon(later_);
}

void StreamReader::on_hangup() noexcept {
  // Unread bytes may precede the error, so a read would not find the error.
  if (const int error = pending_error(link_->fd())) return link_->fail_with_errno(error, "Read error");
  // Both sides have ended their bytes.
  link_->notify_closed();
  link_->want(Events::none);
}

void StreamReader::on_closed() noexcept {
  later_.unlink();
  if (!read_ || read_->resume_.linked()) return;
  // The buffer has too few bytes for the read. It still succeeds as read_some(std::nothrow), as
  // read_until_close() without an error, and as read_some() if the buffer has bytes.
  using Kind = ReadAwaiter::Kind;
  ReadAwaiter& read = *read_;
  const bool is_enough = read.kind_ == Kind::some_nothrow ||
                         (read.kind_ == Kind::until_close && !link_->error()) ||
                         (read.kind_ == Kind::some && !buffer_.empty());
  if (is_enough) {
    read.succeed(std::min(buffer_.size(), read.amount_));
  } else {
    read.fail();
  }
  link_->loop().call_soon(read.resume_);
}

// ---- The close callback, while nothing is read.

// Consumes nothing, because a caller may hold a view of the buffer. False if no bytes have arrived, or the
// stream has closed.
bool StreamReader::look_for_end() noexcept {
  const ssize_t found = link_->peek();
  if (found < 0 && errno != EAGAIN) {
    link_->fail("Read error");
    return false;
  }
  if (found == 0) end_input();
  link_->answer();
  return found >= 0 && !link_->is_closed();
}

// The descriptor is readable, and no read waits. Calls the close callback at the end of the stream, unless
// unread bytes precede the end (IOS-53); otherwise the bytes wait until they are read.
void StreamReader::watch_for_end() noexcept {
  const bool is_watched = link_->is_watched() && !at_end() && buffer_.empty();
  if (is_watched && !look_for_end()) return;
  if (!at_end()) input_ = Input::may_have_more;
  link_->want(link_->interest() & ~Events::read);
}

// The bytes before the end have been read, so the end can be seen now.
void StreamReader::watch_for_end_again() noexcept {
  if (!link_->is_watched() || link_->is_closed() || at_end() || !buffer_.empty()) return;
  // The poller does not report bytes that the transport holds.
  if (link_->has_received()) look_for_end();
  if (!link_->is_closed() && !at_end()) link_->want(link_->interest() | Events::read);
}

// ---- For the awaiters.

[[gnu::hot]] bool StreamReader::try_read(ReadAwaiter& read) {
  // Two awaiters were made before either was awaited.
  if (read_) [[unlikely]]
    refuse_read();
  using Kind = ReadAwaiter::Kind;
  const bool is_some = read.kind_ == Kind::some || read.kind_ == Kind::some_nothrow;
  if (is_some && buffer_.empty() && input_ == Input::drained && !rest_ && !link_->is_closed() &&
      read.amount_ > 0)
    return false;
  IOLoop& loop = link_->loop();
  // A view that may be held beyond the dispatch must not refer to the thread's receive buffer. Bytes may be
  // there that read_some(std::nothrow) gave and unread() took back.
  if (read.kind_ != Kind::some_nothrow) buffer_.keep();
  if (satisfy(read)) return loop.spend(kBufferedReadCost);
  while (input_ == Input::may_have_more) {
    receive_for(read, Lend::no);
    const bool may_go_on = loop.spend(kReceiveCost);
    if (satisfy(read)) return may_go_on;
    if (!may_go_on) return false;
  }
  return false;
}

[[gnu::hot]] void StreamReader::begin_wait(ReadAwaiter& read) {
  read_ = &read;
  read.waiting_ = true;
  if (read.outcome_ != ReadAwaiter::Outcome::pending) [[unlikely]] {
    // The read is over, but the budget is spent: the loop serves other descriptors first.
    link_->loop().call_soon(read.resume_);
    return;
  }
  buffer_.settle();
  // Queues the reader if it closes the stream.
  if (link_->interest() != Events::read) link_->want(link_->interest() | Events::read);
  if (input_ == Input::may_have_more && link_->has_received()) receive_later();
}

void StreamReader::leave(ReadAwaiter& read) noexcept {
  read_ = nullptr;
  read.waiting_ = false;
}

}  // namespace squall::detail
