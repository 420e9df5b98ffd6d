#include <squall/iostream/iostream.h>

#include <squall/ioloop/errors.h>
#include <squall/ioloop/log.h>
#include <squall/iostream/socket.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <stdexcept>
#include <utility>

namespace squall {
namespace {

// What a read that need not wait costs of its dispatch's budget: one from the buffer, and one that had to ask
// the kernel. So a busy peer gets 16 system calls a dispatch, and then the others have their turn.
constexpr int kBufferedReadCost = 1;
constexpr int kReceiveCost = IOLoop::kBudget / 16;

// From this size on data is offered to the kernel before it is copied.
constexpr std::size_t kSendDirectly = 16 * 1024;

// A peer that goes away is not news (IOS-55).
bool is_reset(int error) {
  return error == ECONNRESET || error == ECONNABORTED || error == EPIPE || error == ETIMEDOUT;
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

// One call of handle_events(). What is resumed from it may move or destroy the stream.
class IOStream::Dispatch {
 public:
  explicit Dispatch(IOStream& stream) noexcept : stream_(&stream) { stream.enter(*this); }
  ~Dispatch() {
    if (stream_) stream_->dispatch_ = nullptr;
  }
  // Null once the stream is destroyed.
  IOStream* stream() const noexcept { return stream_; }
  void moved_to(IOStream* stream) noexcept { stream_ = stream; }

 private:
  IOStream* stream_;
};

IOStream::IOStream(IOLoop& loop, OwnedFd fd, Options options)
    : IOStream(loop, std::move(fd), std::move(options), Known::nonblocking) {
  channel_ = open_channel(fd_.get());
  // So that a write to the wrong end fails where one that is too long does, at no cost to the others.
  if (channel_ == Channel::read_end) max_write_buffer_size_ = 0;
}

IOStream::IOStream(IOLoop& loop, OwnedFd fd, Options options, Known known) noexcept
    : loop_(&loop),
      fd_(std::move(fd)),
      max_buffer_size_(std::max<std::size_t>(options.max_buffer_size, 1)),
      max_write_buffer_size_(options.max_write_buffer_size) {
  if (known != Known::registered) return;
  registered_ = true;
  interest_ = Events::read;
  loop_->set_handler(fd_.get(), handler());
}

IOStream::IOStream(IOStream&& other) noexcept
    : loop_(other.loop_),
      fd_(std::move(other.fd_)),
      registered_(std::exchange(other.registered_, false)),
      drained_(other.drained_),
      eof_(other.eof_),
      blocked_(other.blocked_),
      ending_(other.ending_),
      channel_(other.channel_),
      interest_(other.interest_),
      in_(std::move(other.in_)),
      out_(std::move(other.out_)),
      flushed_(other.flushed_),
      dispatch_(std::exchange(other.dispatch_, nullptr)),
      close_callback_(std::move(other.close_callback_)),
      error_(other.error_),
      max_buffer_size_(other.max_buffer_size_),
      max_write_buffer_size_(other.max_write_buffer_size_) {
  assert(!other.reader_ && !other.writers_ && "an IOStream was moved while something waited on it");
  if (registered_) loop_->set_handler(fd_.get(), handler());
  if (other.turn_end_.linked()) {
    other.turn_end_.unlink();
    flush_later();
  }
  if (dispatch_) dispatch_->moved_to(this);
}

IOStream::~IOStream() {
  clear_close_callback();
  close();
  if (dispatch_) dispatch_->moved_to(nullptr);
  // Those that waited are in the ready queue by now, and will throw without looking at us.
  if (reader_) reader_->stream_ = nullptr;
  for (WriteAwaiter* writer = writers_; writer; writer = writer->next_) writer->stream_ = nullptr;
}

// ---- Reading.

ReadAwaiter IOStream::read_some(std::size_t max) { return start_read(ReadAwaiter::Kind::some, max); }
ReadAwaiter IOStream::read_some(const std::nothrow_t&) {
  return start_read(ReadAwaiter::Kind::some_nothrow, kNoLimit);
}
ReadAwaiter IOStream::read_bytes(std::size_t count) { return start_read(ReadAwaiter::Kind::bytes, count); }
ReadAwaiter IOStream::read_until(std::string_view delimiter, UntilOptions options) {
  return read_until(delimiter, options.max_bytes);
}
ReadAwaiter IOStream::read_until(std::string_view delimiter, std::size_t max_bytes) {
  if (delimiter.empty()) throw std::invalid_argument("read_until() needs a delimiter");
  return start_read(ReadAwaiter::Kind::until, max_bytes, delimiter);
}

ReadAwaiter IOStream::start_read(ReadAwaiter::Kind kind, std::size_t amount, std::string_view delimiter) {
  if (reader_) throw std::logic_error("Already reading");
  if (channel_ == Channel::write_end) throw std::logic_error("This end of a pipe can only be written to");
  return ReadAwaiter(*this, kind, amount, delimiter);
}

// Whether the read can end, with what is buffered or with an error.
bool IOStream::satisfy(ReadAwaiter& read) {
  using Kind = ReadAwaiter::Kind;
  const std::string_view bytes = in_.view();
  const auto give = [&read](std::size_t count) {
    read.amount_ = count;
    read.outcome_ = ReadAwaiter::Outcome::bytes;
    return true;
  };
  switch (read.kind_) {
    case Kind::some:
    case Kind::some_nothrow:
      if (!bytes.empty() || read.amount_ == 0) return give(std::min(bytes.size(), read.amount_));
      if (eof_ || (read.kind_ == Kind::some_nothrow && closed())) return give(0);
      break;
    case Kind::bytes:
      if (bytes.size() >= read.amount_) return give(read.amount_);
      if (read.amount_ > max_buffer_size_) {
        fail_read(read, StreamErrc::read_buffer_full);
        return true;
      }
      break;
    case Kind::until: {
      const std::size_t found = bytes.find(read.delimiter_, read.scanned_);
      const std::size_t end = found == bytes.npos ? bytes.size() + 1 : found + read.delimiter_.size();
      if (end > read.amount_) {
        log::general().info(
            "Unsatisfiable read, closing connection: delimiter \"{}\" not found within {} bytes",
            escaped(read.delimiter_), read.amount_);
        fail_read(read, StreamErrc::unsatisfiable_read);
        return true;
      }
      if (found != bytes.npos) return give(end);
      // The delimiter may straddle what is here and what comes next (IOS-37).
      read.scanned_ = bytes.size() - std::min(bytes.size(), read.delimiter_.size() - 1);
      break;
    }
  }
  if (closed() || eof_) {
    read.outcome_ = ReadAwaiter::Outcome::failed;
    return true;
  }
  if (bytes.size() >= max_buffer_size_) {
    fail_read(read, StreamErrc::read_buffer_full);
    return true;
  }
  return false;
}

// The read no longer is the one that waits.
void IOStream::leave_reader(ReadAwaiter& read) noexcept {
  reader_ = nullptr;
  read.waiting_ = false;
}

// The read cannot be satisfied any more: closes the stream.
void IOStream::fail_read(ReadAwaiter& read, std::error_code error) {
  if (error == StreamErrc::read_buffer_full)
    log::general().error("Reached maximum read buffer size of {} bytes, closing connection",
                         max_buffer_size_);
  read.outcome_ = ReadAwaiter::Outcome::failed;
  if (reader_ == &read) leave_reader(read);
  close(error);
}

// One system call. Sets eof_, closes the stream on an error: also without memory, as bytes may be lost then.
void IOStream::receive(std::size_t wanted, Lend lend) noexcept {
  try {
    receive_once(wanted, lend);
  } catch (const std::bad_alloc&) {
    close_with_errno(ENOMEM, "Read error");
  }
}

void IOStream::receive_once(std::size_t wanted, Lend lend) {
  const std::size_t limit = max_buffer_size_ - std::min(max_buffer_size_, in_.size());
  std::span<char> space = in_.prepare(std::min(wanted, limit));
  space = space.first(std::min(space.size(), std::max<std::size_t>(limit, 1)));
  const auto got = channel_ == Channel::socket ? receive_from(fd_.get(), space) : read_from(fd_.get(), space);
  if (got > 0) {
    if (lend == Lend::yes) {
      in_.commit_shared(static_cast<std::size_t>(got));
    } else {
      in_.commit(static_cast<std::size_t>(got));
    }
    drained_ = static_cast<std::size_t>(got) < space.size();
  } else if (got == 0) {
    eof_ = true;
    notify_closed();
  } else if (errno == EAGAIN) {
    drained_ = true;
  } else {
    close_with_errno(errno, "Read error");
  }
}

ReadAwaiter::~ReadAwaiter() {
  if (waiting_ && stream_) stream_->leave_reader(*this);
}

bool ReadAwaiter::await_ready() {
  IOLoop& loop = stream_->loop();
  if (stream_->satisfy(*this)) return loop.spend(kBufferedReadCost);
  while (!stream_->drained_) {
    const std::size_t wanted = kind_ == Kind::bytes ? amount_ - stream_->in_.size() : 0;
    stream_->receive(wanted, IOStream::Lend::no);
    const bool may_go_on = loop.spend(kReceiveCost);
    if (stream_->satisfy(*this)) return may_go_on;
    if (!may_go_on) return false;
  }
  return false;
}

void ReadAwaiter::await_suspend(std::coroutine_handle<> reader) {
  resume_.set(reader);
  stream_->reader_ = this;
  waiting_ = true;
  if (outcome_ != Outcome::pending) {
    // Done, but the budget is spent: others first.
    stream_->loop().call_soon(resume_);
  } else {
    stream_->in_.settle();
    stream_->want(stream_->interest_ | Events::read);  // which sends us on our way if it closes the stream
  }
}

ReadView ReadAwaiter::await_resume() {
  if (!stream_) throw StreamClosedError();
  if (waiting_) stream_->leave_reader(*this);
  if (outcome_ == Outcome::bytes) return stream_->in_.consume(amount_);
  if (stream_->error_ == StreamErrc::read_buffer_full)
    throw StreamBufferFullError("Reached maximum read buffer size");
  throw StreamClosedError(stream_->error_);
}

// ---- Writing.

void IOStream::check_write(std::size_t count) const {
  if (closed()) throw StreamClosedError(error_);
  const std::size_t pending = pending_write_bytes();
  if (pending <= max_write_buffer_size_ && count <= max_write_buffer_size_ - pending) return;
  if (channel_ == Channel::read_end) throw std::logic_error("This end of a pipe can only be read from");
  throw StreamBufferFullError("Reached maximum write buffer size");
}

inline ssize_t IOStream::send(std::string_view first, std::string_view second) const noexcept {
  return channel_ == Channel::socket ? send_to(fd_.get(), first, second) : write_to(fd_.get(), first, second);
}

WriteBuffer& IOStream::out() {
  if (!out_) out_ = WriteBuffer::take();
  return *out_;
}

WriteAwaiter IOStream::write(std::string_view data) {
  check_write(data.size());
  const std::uint64_t target = flushed_ + pending_write_bytes() + data.size();
  bool is_begun = false;
  if (data.size() >= kSendDirectly && !blocked_) {
    const std::string_view queued = out_ ? out_->view() : std::string_view();
    const auto sent = send(queued, data);
    if (sent > 0) {
      const auto count = static_cast<std::size_t>(sent);
      flushed_ += count;
      blocked_ = count < queued.size() + data.size();
      if (count >= queued.size()) {
        out_.reset();
        data.remove_prefix(count - queued.size());
        is_begun = count > queued.size();
      } else {
        out_->consume(count);
      }
    } else {
      blocked_ = errno == EAGAIN;  // any other error shows again when it is flushed
    }
  }
  if (!data.empty()) queue(data, is_begun);
  return WriteAwaiter(*this, target);
}

// What the kernel has not taken of a write; `is_begun` if that was a part of it.
void IOStream::queue(std::string_view data, bool is_begun) {
  const auto send_in_time = [this] { blocked_ ? want(interest_ | Events::write) : flush_later(); };
  try {
    out().append(data);
  } catch (const std::bad_alloc&) {
    // The peer could not make sense of what came behind half a write.
    if (is_begun) close_with_errno(ENOMEM, "Write error");
    if (!closed()) send_in_time();
    throw;
  }
  send_in_time();
}

WriteAwaiter IOStream::flush() { return WriteAwaiter(*this, flushed_ + pending_write_bytes()); }

char* IOStream::reserve_write(std::size_t count) {
  check_write(count);
  return out().reserve(count);
}

void IOStream::commit_write(std::size_t count) {
  out_->commit(count);
  flush_later();
}

void IOStream::flush_later() noexcept {
  // The end of a dispatch flushes, and so does the poller once a blocked stream can be written to.
  if (dispatch_ || blocked_ || turn_end_.linked()) return;
  turn_end_.set(
      [](void* self) {
        auto* stream = static_cast<IOStream*>(self);
        if (!stream->blocked_) stream->flush_now();
        stream->wake_writers();
      },
      this);
  loop_->at_turn_end(turn_end_);
}

void IOStream::flush_now() noexcept {
  while (out_ && fd_) {
    if (!out_->empty()) {
      const auto sent = send(out_->view());
      if (sent < 0) {
        if (errno != EAGAIN) return close_with_errno(errno, "Write error");
        blocked_ = true;
        return want(interest_ | Events::write);
      }
      flushed_ += static_cast<std::uint64_t>(sent);
      out_->consume(static_cast<std::size_t>(sent));
      if (!out_->empty()) {
        // The kernel's buffer is full: asking again now would be in vain.
        blocked_ = true;
        return want(interest_ | Events::write);
      }
    }
    WriteBuffer::give_back(std::move(out_));
    if (std::exchange(ending_, false)) end_sending();
  }
}

// Those whose bytes are sent, or will never be, go on in a later turn.
void IOStream::wake_writers() noexcept {
  for (WriteAwaiter* writer = writers_; writer; writer = writer->next_) {
    if (!writer->resume_.linked() && (writer->target_ <= flushed_ || closed()))
      loop_->call_soon(writer->resume_);
  }
}

void IOStream::leave_writers(WriteAwaiter& writer) noexcept {
  WriteAwaiter** link = &writers_;
  while (*link != &writer) link = &(*link)->next_;
  *link = writer.next_;
  writer.waiting_ = false;
}

WriteAwaiter::~WriteAwaiter() {
  if (waiting_ && stream_) stream_->leave_writers(*this);
}

bool WriteAwaiter::await_ready() {
  if (stream_->flushed_ >= target_) return true;
  if (!stream_->closed() && !stream_->blocked_) {
    stream_->flush_now();
    stream_->wake_writers();
  }
  return stream_->closed() || stream_->flushed_ >= target_;
}

void WriteAwaiter::await_suspend(std::coroutine_handle<> writer) {
  resume_.set(writer);
  WriteAwaiter** link = &stream_->writers_;
  while (*link) link = &(*link)->next_;
  *link = this;
  waiting_ = true;
}

void WriteAwaiter::await_resume() {
  if (!stream_) throw StreamClosedError();
  if (waiting_) stream_->leave_writers(*this);
  if (stream_->flushed_ < target_) throw StreamClosedError(stream_->error_);
}

void IOStream::shutdown_write() noexcept {
  if (closed()) return;
  if (pending_write_bytes() > 0) {
    ending_ = true;
  } else {
    end_sending();
  }
}

void IOStream::end_sending() noexcept {
  if (channel_ == Channel::write_end) {
    close();
  } else {
    shut_down_sending(fd_.get());
  }
}

// ---- Events.

EventHandler IOStream::handler() noexcept {
  return {[](void* self, Events events) { static_cast<IOStream*>(self)->handle_events(events); }, this};
}

// A stream that the poller does not take is closed, so that nobody waits in vain.
void IOStream::want(Events events) noexcept {
  if (closed()) return;
  events = events & (Events::read | Events::write);
  // Who wants to know when the peer goes hears of a reset even while nothing is read. A pipe knows none: its
  // hang-up is the end, which comes behind the bytes (IOS-53).
  if (events == Events::none && close_callback_ && !close_callback_->called && channel_ == Channel::socket)
    events = Events::hangup;
  if (interest_ == events) return;
  try {
    if (registered_) {
      loop_->update_handler(fd_.get(), events);
    } else {
      loop_->add_handler(fd_.get(), events, handler());
      registered_ = true;
    }
    interest_ = events;
  } catch (const std::system_error& error) {
    close_with_errno(error.code().value(), "Cannot wait");
  } catch (const std::bad_alloc&) {
    close_with_errno(ENOMEM, "Cannot wait");
  } catch (const std::exception& error) {
    // The descriptor is somebody else's as well.
    log::general().error("Cannot wait on {}: {}", fd_.get(), error.what());
    close(std::make_error_code(std::errc::invalid_argument));
  }
}

// GCC 12 takes the pointer to a local for one that outlives it. Dispatch's destructor takes it back.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Wdangling-pointer"
void IOStream::enter(Dispatch& dispatch) noexcept { dispatch_ = &dispatch; }
#pragma GCC diagnostic pop

void IOStream::handle_events(Events events) {
  Dispatch dispatch(*this);
  if (has(events, Events::write)) on_writable(dispatch);
  if (IOStream* stream = dispatch.stream(); stream && has(events, Events::read)) stream->on_readable();
  if (events == Events::hangup) on_hangup();
  IOStream* stream = dispatch.stream();
  if (!stream) return;
  stream->in_.keep();
  if (!stream->out_ || stream->blocked_) return;
  stream->flush_now();
  stream->wake_writers();
}

void IOStream::on_readable() {
  if (closed()) return;
  if (!reader_ || reader_->resume_.linked()) return watch_for_close();
  ReadAwaiter& read = *reader_;
  receive(read.kind_ == ReadAwaiter::Kind::bytes ? read.amount_ - in_.size() : 0,
          read.kind_ == ReadAwaiter::Kind::some_nothrow ? Lend::yes : Lend::no);
  // A failed receive has closed the stream, and so sent the reader on its way.
  if (read.resume_.linked() || !satisfy(read)) return;
  if (reader_) leave_reader(read);
  loop_->call(read.resume_);
}

void IOStream::on_writable(Dispatch& dispatch) {
  blocked_ = false;
  flush_now();
  if (!blocked_) want(interest_ & ~Events::write);
  // Resumed from here, as nothing stands between them and the poller, so that a steady writer goes on at
  // once.
  for (;;) {
    IOStream* stream = dispatch.stream();
    WriteAwaiter* writer = stream ? stream->writers_ : nullptr;
    if (!writer || writer->resume_.linked() || writer->target_ > stream->flushed_) return;
    stream->leave_writers(*writer);
    stream->loop_->call(writer->resume_);
  }
}

// Readable, and nobody reads: either somebody wants to know when the peer goes, or it has to wait.
void IOStream::watch_for_close() noexcept {
  if (close_callback_ && !close_callback_->called && !eof_) {
    const auto peeked = channel_ == Channel::socket ? peek_at(fd_.get()) : look_at(fd_.get());
    if (peeked < 0 && errno == EAGAIN) return;
    if (peeked < 0) return close_with_errno(errno, "Read error");
    if (peeked == 0) {
      eof_ = true;
      notify_closed();
    }
  }
  drained_ = false;
  want(interest_ & ~Events::read);
}

// Nobody reads or writes. Bytes may wait, and stand before what a read would learn.
void IOStream::on_hangup() {
  if (const int error = pending_error(fd_.get())) return close_with_errno(error, "Read error");
  // Both sides have ended their bytes.
  notify_closed();
  want(Events::none);
}

// ---- Closing.

void IOStream::set_close_callback(Callback callback) {
  auto fresh = callback ? std::make_unique<CloseCallback>(std::move(callback)) : nullptr;
  clear_close_callback();
  close_callback_ = std::move(fresh);
  if (!close_callback_) return;
  if (closed() || eof_) {
    notify_closed();
  } else {
    want(interest_ | (in_.empty() ? Events::read : Events::hangup));
  }
}

void IOStream::clear_close_callback() noexcept {
  // Its closure's destructor may look at the stream.
  const auto cleared = std::exchange(close_callback_, nullptr);
}

void IOStream::notify_closed() noexcept {
  if (!close_callback_ || close_callback_->called) return;
  close_callback_->called = true;
  close_callback_->call.set(
      [](void* self) {
        // It may destroy the stream, and so this.
        Callback callback = std::move(static_cast<CloseCallback*>(self)->callback);
        callback();
      },
      close_callback_.get());
  loop_->call_soon(close_callback_->call);
}

void IOStream::close(std::error_code error) noexcept {
  if (closed()) return;
  error_ = error;
  if (registered_) loop_->remove_handler(fd_.get());
  registered_ = false;
  interest_ = Events::none;
  fd_.reset();
  turn_end_.unlink();
  out_.reset();
  blocked_ = false;
  if (reader_ && !reader_->resume_.linked()) {
    // It waits because the buffer has too little; only a read_some() finds that enough.
    reader_->outcome_ = reader_->kind_ == ReadAwaiter::Kind::some_nothrow ? ReadAwaiter::Outcome::bytes
                                                                          : ReadAwaiter::Outcome::failed;
    reader_->amount_ = 0;
    loop_->call_soon(reader_->resume_);
  }
  wake_writers();
  notify_closed();
}

OwnedFd IOStream::release() noexcept {
  if (closed() || !registered_ || interest_ != Events::read || eof_ || out_ || !in_.empty() ||
      turn_end_.linked())
    return OwnedFd();
  registered_ = false;
  interest_ = Events::none;
  loop_->set_handler(fd_.get(), {[](void*, Events) {}, nullptr});
  return std::move(fd_);
}

void IOStream::close_with_errno(int error, const char* what) noexcept {
  if (!is_reset(error)) log::general().warning("{} on {}: {}", what, fd_.get(), log::Errno{error});
  close(std::error_code(error, std::generic_category()));
}

}  // namespace squall
