#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/iostream/socket/file.h>
#include <squall/iostream/socket/io_vectors.h>
#include <squall/iostream/stream/iostream.h>
#include <squall/iostream/socket/socket.h>

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <utility>

// How an IOStream writes.
namespace squall {
namespace {

// From this size on data is offered to the kernel before it is queued.
constexpr std::size_t kSendDirectly = 16 * 1024;
// A stream whose peer takes everything at once lets the others have their turn after so many system calls.
constexpr int kMaxSends = 16;
// Of a file, at a time: to the socket, and through our memory.
constexpr std::uint64_t kFileSent = 1024 * 1024;
constexpr std::size_t kFileLoaded = 64 * 1024;

std::size_t total_size(std::span<const std::string_view> pieces) noexcept {
  std::size_t total = 0;
  for (const std::string_view piece : pieces) total += piece.size();
  return total;
}

}  // namespace

// ---- What is written is queued; much of it goes to the kernel first.

void IOStream::check_write(std::size_t count) const {
  if (closed()) throw StreamClosedError(error_);
  const std::uint64_t pending = out_ ? out_->size_in_memory() : 0;
  if (pending <= max_write_buffer_size_ && count <= max_write_buffer_size_ - pending) [[likely]]
    return;
  if (channel_ == Channel::read_end) throw std::logic_error("This end of a pipe can only be read from");
  throw StreamBufferFullError("Reached maximum write buffer size");
}

[[gnu::hot]] WriteBuffer& IOStream::out() {
  if (!out_) out_ = WriteBuffer::take();
  return *out_;
}

// Has `append` put into the buffer what the kernel has not taken of a write; `is_begun` if it took a part.
template <class Append>
void IOStream::queue(bool is_begun, Append&& append) {
  const auto send_in_time = [this] { blocked_ ? want(interest_ | Events::write) : flush_later(); };
  try {
    append(out());
  } catch (const std::bad_alloc&) {
    // The peer could not make sense of what came behind half a write. A transport may have begun it, too.
    if (is_begun || transport_) close_with_errno(ENOMEM, "Write error");
    if (!closed()) send_in_time();
    throw;
  }
  send_in_time();
}

WriteAwaiter IOStream::write(std::string_view data) {
  check_write(data.size());
  const std::uint64_t target = flushed_ + pending_write_bytes() + data.size();
  const std::size_t sent = data.size() >= kSendDirectly ? send_ahead({&data, 1}) : 0;
  data.remove_prefix(sent);
  if (!data.empty()) queue(sent > 0, [data](WriteBuffer& out) { out.append(data); });
  return WriteAwaiter(*this, target);
}

WriteAwaiter IOStream::write(std::string&& data) {
  const std::string_view view = data;
  if (view.size() < kByReference) return write(view);
  check_write(view.size());
  const std::uint64_t target = flushed_ + pending_write_bytes() + view.size();
  const std::size_t sent = view.size() >= kSendDirectly ? send_ahead({&view, 1}) : 0;
  if (sent < view.size())
    queue(sent > 0, [&data, sent](WriteBuffer& out) { out.append(std::move(data), sent); });
  return WriteAwaiter(*this, target);
}

WriteAwaiter IOStream::write(SharedBytes data) {
  const std::string_view view = *data;
  if (view.size() < kByReference) return write(view);
  check_write(view.size());
  const std::uint64_t target = flushed_ + pending_write_bytes() + view.size();
  const std::size_t sent = view.size() >= kSendDirectly ? send_ahead({&view, 1}) : 0;
  if (sent < view.size())
    queue(sent > 0, [&data, sent](WriteBuffer& out) { out.append(std::move(data), sent); });
  return WriteAwaiter(*this, target);
}

WriteAwaiter IOStream::write(std::span<const std::string_view> pieces) {
  const std::size_t size = total_size(pieces);
  check_write(size);
  const std::uint64_t target = flushed_ + pending_write_bytes() + size;
  std::size_t sent = size >= kSendDirectly ? send_ahead(pieces) : 0;
  if (sent == size) return WriteAwaiter(*this, target);
  queue(sent > 0, [pieces, sent, size](WriteBuffer& out) {
    char* const begin = out.reserve(size - sent);
    char* to = begin;
    std::size_t skipped = sent;
    for (const std::string_view piece : pieces) {
      const std::string_view rest = piece.substr(std::min(skipped, piece.size()));
      skipped -= piece.size() - rest.size();
      to += rest.copy(to, rest.size());
    }
    out.commit(size - sent);
  });
  return WriteAwaiter(*this, target);
}

WriteAwaiter IOStream::write_file(FileSlice file) {
  if (channel_ == Channel::read_end) throw std::logic_error("This end of a pipe can only be read from");
  check_write(0);
  struct stat status{};
  if (::fstat(file.fd.get(), &status) != 0) throw_errno("write_file: fstat");
  if (!S_ISREG(status.st_mode)) throw std::invalid_argument("write_file() needs a regular file");
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (file.offset > size || file.length > size - file.offset)
    throw std::invalid_argument("write_file() was told to send more than the file has");
  const std::uint64_t target = flushed_ + pending_write_bytes() + file.length;
  if (file.length > 0) queue(false, [&file](WriteBuffer& out) { out.append(std::move(file)); });
  return WriteAwaiter(*this, target);
}

WriteAwaiter IOStream::flush() { return WriteAwaiter(*this, flushed_ + pending_write_bytes()); }

[[gnu::hot]] char* IOStream::reserve_write(std::size_t count) {
  check_write(count);
  return out().reserve(count);
}

[[gnu::hot]] void IOStream::commit_write(std::size_t count) {
  out_->commit(count);
  flush_later();
}

// ---- Sending.

ssize_t IOStream::send(std::span<const std::string_view> pieces, Followed followed) noexcept {
  switch (channel_) {
    case Channel::socket: return send_to(fd_.get(), pieces, followed);
    case Channel::transport: return transport_->send(fd_.get(), pieces);
    default: return write_to(fd_.get(), pieces);
  }
}

// Offers the kernel what is queued and, right behind it, the pieces: how many bytes of these it took.
std::size_t IOStream::send_ahead(std::span<const std::string_view> pieces) noexcept {
  if (blocked_) return 0;
  std::array<std::string_view, IoVectors::kMax> offered;
  std::size_t count = out_ ? out_->gather(offered) : 0;
  const std::size_t queued = total_size({offered.data(), count});
  // A file stands between, or too much.
  if (out_ && (queued < out_->size() || count + pieces.size() > offered.size())) return 0;
  std::copy_n(pieces.begin(), std::min(pieces.size(), offered.size() - count), offered.begin() + count);
  count = std::min(count + pieces.size(), offered.size());
  const std::size_t total = total_size({offered.data(), count});
  const auto result = send({offered.data(), count}, Followed::by_nothing);
  if (result < 0) {
    blocked_ = errno == EAGAIN;  // any other error shows again when it is flushed
    return 0;
  }
  const auto sent = static_cast<std::size_t>(result);
  flushed_ += sent;
  blocked_ = sent < total && !transport_;
  if (sent < queued) {
    out_->consume(sent);
    return 0;
  }
  out_.reset();
  return sent - queued;
}

// One system call for what is queued. False if the rest has to wait, or the stream is closed.
[[gnu::hot]] bool IOStream::send_queued(Followed followed) noexcept {
  std::uint64_t offered;
  ssize_t sent;
  if (out_->file()) [[unlikely]] {
    offered = std::min(kFileSent, out_->file()->length);
    sent = send_file_queued(offered);
    if (sent == 0) return !closed();
  } else if (const std::string_view only = out_->only_piece(); !only.empty()) [[likely]] {
    offered = only.size();
    sent = channel_ == Channel::socket ? send_to(fd_.get(), only, followed) : send({&only, 1}, followed);
  } else {
    std::array<std::string_view, IoVectors::kMax> pieces;
    const std::size_t count = out_->gather(pieces);
    offered = total_size({pieces.data(), count});
    sent = send({pieces.data(), count}, followed);
  }
  if (sent < 0) [[unlikely]] {
    if (errno == EAGAIN) {
      wait_writable();
    } else {
      fail_to_send();
    }
    return false;
  }
  flushed_ += static_cast<std::uint64_t>(sent);
  out_->consume(static_cast<std::uint64_t>(sent));
  // A transport takes as much as it likes at a time. Anybody else takes less only when the kernel's buffer is
  // full: asking again now would be in vain.
  if (static_cast<std::uint64_t>(sent) == offered || transport_) [[likely]]
    return true;
  wait_writable();
  return false;
}

// As send(), for a file. 0 if its next bytes are in memory now, or the stream is closed.
ssize_t IOStream::send_file_queued(std::uint64_t count) noexcept {
  const FileSlice& file = *out_->file();
  const bool is_direct = channel_ == Channel::socket || (transport_ && transport_->is_in_kernel());
  if (is_direct) {
    const ssize_t sent = send_file(fd_.get(), file.fd.get(), file.offset, static_cast<std::size_t>(count));
    if (sent > 0) return sent;
    if (sent < 0 && errno != EINVAL && errno != ENOSYS) return sent;
  }
  try {
    const ssize_t loaded = out_->load_file(kFileLoaded);
    if (loaded > 0) return 0;
    if (loaded < 0) {
      close_with_errno(errno, "Cannot read the file to send");
    } else {
      log::general().error("The file being sent to {} has become shorter, closing connection",
                           peer_address());
      close(StreamErrc::file_ended);
    }
  } catch (const std::bad_alloc&) {
    close_with_errno(ENOMEM, "Write error");
  }
  return 0;
}

// What the transport has to send of its own. False if that has to wait, or the stream is closed.
bool IOStream::send_own() noexcept {
  if (!transport_->wants_write()) return true;
  if (transport_->send(fd_.get(), {}) < 0 && errno != EAGAIN) {
    fail_to_send();
    return false;
  }
  if (!transport_->wants_write()) return true;
  wait_writable();
  return false;
}

void IOStream::wait_writable() noexcept {
  blocked_ = true;
  want(interest_ | Events::write);
}

void IOStream::flush_later() noexcept {
  // The end of a dispatch flushes, and so does the poller once a blocked stream can be written to.
  if (dispatch_ || blocked_ || turn_end_.linked()) [[likely]]
    return;
  turn_end_.set(
      [](void* self) {
        auto* stream = static_cast<IOStream*>(self);
        if (!stream->blocked_) stream->flush_now();
        stream->wake_writers();
      },
      this);
  loop_->at_turn_end(turn_end_);
}

[[gnu::hot]] void IOStream::flush_now(Followed followed) noexcept {
  if (ending_) [[unlikely]]
    followed = Followed::by_end;
  if (transport_ && !send_own()) return;
  for (int sends = 0; out_ && fd_; ++sends) {
    if (out_->empty()) {
      WriteBuffer::give_back(std::move(out_));
    } else if (sends == kMaxSends) [[unlikely]] {
      return wait_writable();
    } else if (!send_queued(followed)) {
      return;
    }
  }
  if (ending_ && fd_) [[unlikely]]
    end_sending();
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

// ---- The end of our bytes.

void IOStream::shutdown_write() noexcept {
  if (closed()) return;
  if (out_ || handshaking_) {
    ending_ = true;
  } else {
    end_sending();
  }
}

// What is queued, with the end of our bytes. The end is not left to close(): with bytes received that nobody
// has read it resets the connection, and the kernel forgets what waits to leave with the end.
void IOStream::flush_last() noexcept {
  const bool is_queued = out_ != nullptr;
  flush_now(Followed::by_end);
  if (is_queued && !out_ && fd_ && channel_ == Channel::socket) shut_down_sending(fd_.get());
}

bool IOStream::send_and_close() noexcept {
  if (!closed() && !blocked_) flush_last();
  if (pending_write_bytes() > 0) return false;
  close();
  return true;
}

void IOStream::end_sending() noexcept {
  ending_ = false;
  if (channel_ == Channel::write_end) return close();
  if (transport_) {
    transport_->end_sending(fd_.get());
    if (transport_->wants_write()) {
      ending_ = true;
      return wait_writable();
    }
  }
  shut_down_sending(fd_.get());
}

// ---- Writers.

// Those whose bytes are sent, or will never be, go on in a later turn.
[[gnu::hot]] void IOStream::wake_writers() noexcept {
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
  // In the order in which they will be done, which on_writable() relies on: not all are awaited as they were
  // written.
  WriteAwaiter** link = &stream_->writers_;
  while (*link && (*link)->target_ <= target_) link = &(*link)->next_;
  next_ = *link;
  *link = this;
  waiting_ = true;
}

void WriteAwaiter::await_resume() {
  if (!stream_) throw StreamClosedError();
  if (waiting_) stream_->leave_writers(*this);
  if (stream_->flushed_ < target_) throw StreamClosedError(stream_->error_);
}

}  // namespace squall
