#include <squall/iostream/stream/stream_writer.h>

#include <squall/ioloop/base/log.h>
#include <squall/iostream/address/address.h>
#include <squall/iostream/address/errors.h>
#include <squall/iostream/socket/file.h>
#include <squall/iostream/socket/io_vectors.h>
#include <squall/iostream/socket/socket.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <new>
#include <stdexcept>
#include <utility>

namespace squall::detail {
namespace {

// From this size on data is offered to the kernel before it is queued.
constexpr std::size_t kSendDirectly = 16 * 1024;
// Bytes that cost one unit of the budget of a dispatch, which so allows 64 KiB. With 256 KiB a good request
// waited 1.7 s beside 1,000 large responses, without a limit 3.7 s.
constexpr std::uint64_t kBytesPerUnit = 64;
// If the peer takes all bytes at once, the loop serves other descriptors after this many system calls.
constexpr int kMaxSends = 16;
// The size of a file's pieces: within the kernel, and through this process's memory.
constexpr std::uint64_t kFileSent = 1024 * 1024;
constexpr std::size_t kFileLoaded = 64 * 1024;

std::size_t total_size(std::span<const std::string_view> pieces) noexcept {
  std::size_t total = 0;
  for (const std::string_view piece : pieces) total += piece.size();
  return total;
}

}  // namespace

StreamWriter::StreamWriter(StreamLink& link, StreamWriter&& other) noexcept
    : link_(&link),
      queue_(std::move(other.queue_)),
      counted_(other.counted_),
      flushed_(other.flushed_),
      max_buffer_size_(other.max_buffer_size_),
      is_blocked_(other.is_blocked_),
      is_end_due_(other.is_end_due_) {
  assert(other.writers_.empty() && "an IOStream was moved while a write waited on it");
  if (!other.turn_end_.linked()) return;
  other.turn_end_.unlink();
  flush_later();
}

StreamWriter::~StreamWriter() {
  // The writes are in the ready queue by now, and will throw without using the stream.
  for (WriteAwaiter& writer : writers_) writer.writer_ = nullptr;
}

// ---- The queue. Large data is offered to the kernel first.

void StreamWriter::check(std::size_t count) const {
  if (link_->is_closed()) throw StreamClosedError(link_->error());
  const std::uint64_t pending = queue_ ? queue_->size_in_memory() : 0;
  if (pending <= max_buffer_size_ && count <= max_buffer_size_ - pending) [[likely]]
    return;
  if (link_->channel() == Channel::read_end)
    throw std::logic_error("This end of a pipe can only be read from");
  throw StreamBufferFullError("Reached maximum write buffer size");
}

[[gnu::hot]] char* StreamWriter::reserve(std::size_t count) {
  check(count);
  return queue().reserve(count);
}

[[gnu::hot]] void StreamWriter::commit(std::size_t count) noexcept {
  queue_->commit(count);
  flush_later();
}

inline WriteBuffer& StreamWriter::queue() {
  if (!queue_) queue_ = WriteBuffer::take();
  return *queue_;
}

// Lets `append` queue the bytes of a write that the kernel has not taken. `is_begun`: the kernel has taken
// a part.
template <class Append>
void StreamWriter::enqueue(bool is_begun, Append&& append) {
  const auto send_in_time = [this] {
    is_blocked_ ? link_->want(link_->interest() | Events::write) : flush_later();
  };
  try {
    append(queue());
  } catch (const std::bad_alloc&) {
    // The peer cannot interpret bytes that follow half a write. A transport may have begun the write, too.
    if (is_begun || link_->transport()) link_->fail_with_errno(ENOMEM, "Write error");
    if (!link_->is_closed()) send_in_time();
    throw;
  }
  send_in_time();
}

WriteAwaiter StreamWriter::write(std::string_view data) {
  check(data.size());
  const std::uint64_t target = flushed_ + pending_bytes() + data.size();
  const std::size_t sent = data.size() >= kSendDirectly ? send_ahead({&data, 1}) : 0;
  data.remove_prefix(sent);
  if (!data.empty()) enqueue(sent > 0, [data](WriteBuffer& out) { out.append(data); });
  return {*this, target};
}

// Queues `owned`, whose bytes are `view`, without a copy.
template <class Owned>
WriteAwaiter StreamWriter::write_owned(std::string_view view, Owned&& owned) {
  if (view.size() < kByReference) return write(view);
  check(view.size());
  const std::uint64_t target = flushed_ + pending_bytes() + view.size();
  const std::size_t sent = view.size() >= kSendDirectly ? send_ahead({&view, 1}) : 0;
  if (sent < view.size())
    enqueue(sent > 0, [&owned, sent](WriteBuffer& out) { out.append(std::move(owned), sent); });
  return {*this, target};
}

WriteAwaiter StreamWriter::write(std::string&& data) { return write_owned(data, std::move(data)); }
WriteAwaiter StreamWriter::write(SharedBytes data) { return write_owned(*data, std::move(data)); }

[[gnu::hot]] WriteAwaiter StreamWriter::write_now(const SharedBytes& data) {
  const std::string_view view = *data;
  check(view.size());
  const std::uint64_t target = flushed_ + pending_bytes() + view.size();
  const std::size_t sent = send_ahead({&view, 1});
  const std::string_view rest = view.substr(sent);
  if (rest.empty()) return {*this, target};
  enqueue(sent > 0, [&](WriteBuffer& out) {
    rest.size() < kByReference ? out.append(rest) : out.append(SharedBytes(data), sent);
  });
  return {*this, target};
}

WriteAwaiter StreamWriter::write(std::span<const std::string_view> pieces) {
  const std::size_t size = total_size(pieces);
  check(size);
  const std::uint64_t target = flushed_ + pending_bytes() + size;
  const std::size_t sent = size >= kSendDirectly ? send_ahead(pieces) : 0;
  if (sent == size) return {*this, target};
  enqueue(sent > 0, [pieces, sent, size](WriteBuffer& out) {
    char* to = out.reserve(size - sent);
    std::size_t skipped = sent;
    for (const std::string_view piece : pieces) {
      const std::string_view rest = piece.substr(std::min(skipped, piece.size()));
      skipped -= piece.size() - rest.size();
      to += rest.copy(to, rest.size());
    }
    out.commit(size - sent);
  });
  return {*this, target};
}

WriteAwaiter StreamWriter::write_file(FileSlice file) {
  if (link_->channel() == Channel::read_end)
    throw std::logic_error("This end of a pipe can only be read from");
  check(0);
  file.check();
  const std::uint64_t target = flushed_ + pending_bytes() + file.length;
  if (file.length > 0) enqueue(false, [&file](WriteBuffer& out) { out.append(std::move(file)); });
  return {*this, target};
}

// ---- Sending.

// Offers the kernel bytes in front of which nothing is queued. Returns how many it took.
[[gnu::hot]] std::size_t StreamWriter::send_first(std::string_view bytes) noexcept {
  const ssize_t result = link_->send(bytes, Followed::by_nothing);
  if (result < 0) {
    is_blocked_ = errno == EAGAIN;  // the next flush reports any other error
    return 0;
  }
  const auto sent = static_cast<std::size_t>(result);
  flushed_ += sent;
  is_blocked_ = sent < bytes.size() && !link_->transport();
  return sent;
}

// Offers the kernel the queue and, right behind it, the pieces. Returns how many bytes of the pieces the
// kernel took.
std::size_t StreamWriter::send_ahead(std::span<const std::string_view> pieces) noexcept {
  if (is_blocked_) return 0;
  if (!queue_ && pieces.size() == 1) [[likely]]
    return send_first(pieces.front());
  std::array<std::string_view, IoVectors::kMax> offered;
  std::size_t count = queue_ ? queue_->gather(offered) : 0;
  const std::size_t queued = total_size({offered.data(), count});
  // A file is in the queue, or there are too many pieces for one system call.
  if (queue_ && (queued < queue_->size() || count + pieces.size() > offered.size())) return 0;
  std::copy_n(pieces.begin(), std::min(pieces.size(), offered.size() - count), offered.begin() + count);
  count = std::min(count + pieces.size(), offered.size());
  const std::size_t total = total_size({offered.data(), count});
  const auto result = link_->send({offered.data(), count}, Followed::by_nothing);
  if (result < 0) {
    is_blocked_ = errno == EAGAIN;  // the next flush reports any other error
    return 0;
  }
  const auto sent = static_cast<std::size_t>(result);
  flushed_ += sent;
  is_blocked_ = sent < total && !link_->transport();
  if (sent < queued) {
    queue_->consume(sent);
    return 0;
  }
  queue_.reset();
  return sent - queued;
}

// One system call for the queue. False if the rest has to wait, or the stream is closed.
[[gnu::hot]] bool StreamWriter::send_queued(Followed followed) noexcept {
  std::uint64_t offered;
  ssize_t sent;
  if (queue_->file()) [[unlikely]] {
    offered = std::min(kFileSent, queue_->file()->length);
    sent = send_file_queued(offered);
    if (sent == 0) return !link_->is_closed();
  } else if (const std::string_view only = queue_->only_piece(); !only.empty()) [[likely]] {
    offered = only.size();
    sent = link_->send(only, followed);
  } else {
    std::array<std::string_view, IoVectors::kMax> pieces;
    const std::size_t count = queue_->gather(pieces);
    offered = total_size({pieces.data(), count});
    sent = link_->send({pieces.data(), count}, followed);
  }
  if (sent < 0) [[unlikely]] {
    if (errno == EAGAIN) {
      wait_writable();
    } else {
      link_->fail_to_send();
    }
    return false;
  }
  flushed_ += static_cast<std::uint64_t>(sent);
  queue_->consume(static_cast<std::uint64_t>(sent));
  // A transport may take any part of the bytes. A descriptor takes a part only when the kernel's buffer is
  // full, so another try now would fail.
  if (static_cast<std::uint64_t>(sent) == offered || link_->transport()) [[likely]]
    return true;
  wait_writable();
  return false;
}

// As StreamLink::send(), for a file. 0 if the next bytes of the file are in memory now, or the stream is
// closed.
ssize_t StreamWriter::send_file_queued(std::uint64_t count) noexcept {
  const FileSlice& file = *queue_->file();
  if (link_->takes_files()) {
    const ssize_t sent = send_file(link_->fd(), file.fd.get(), file.offset, static_cast<std::size_t>(count));
    if (sent > 0) return sent;
    if (sent < 0 && errno != EINVAL && errno != ENOSYS) return sent;
  }
  try {
    const ssize_t loaded = queue_->load_file(kFileLoaded);
    if (loaded > 0) return 0;
    if (loaded < 0) {
      link_->fail_with_errno(errno, "Cannot read the file to send");
    } else {
      log::general().error("The file being sent to {} has become shorter, closing connection",
                           Address::peer_of(link_->fd()));
      link_->close(StreamErrc::file_ended);
    }
  } catch (const std::bad_alloc&) {
    link_->fail_with_errno(ENOMEM, "Write error");
  }
  return 0;
}

// Sends the transport's own bytes. False if they have to wait, or the stream is closed.
bool StreamWriter::send_own() noexcept {
  Transport* const transport = link_->transport();
  if (!transport->wants_write()) return true;
  if (transport->send(link_->fd(), {}) < 0 && errno != EAGAIN) {
    link_->fail_to_send();
    return false;
  }
  if (!transport->wants_write()) return true;
  wait_writable();
  return false;
}

void StreamWriter::wait_writable() noexcept {
  is_blocked_ = true;
  link_->want(link_->interest() | Events::write);
}

inline void StreamWriter::flush_later() noexcept {
  // The end of the dispatch will flush, or the poller's event if the descriptor is blocked.
  if (link_->is_dispatching() || is_blocked_ || turn_end_.linked()) [[likely]]
    return;
  turn_end_.set(
      [](void* self) {
        auto* writer = static_cast<StreamWriter*>(self);
        if (!writer->is_blocked_) writer->flush_now();
        writer->counted_ = writer->flushed_;
        writer->wake_writers();
      },
      this);
  link_->loop().at_turn_end(turn_end_);
}

[[gnu::hot]] void StreamWriter::flush_now(Followed followed) noexcept {
  if (is_end_due_) [[unlikely]]
    followed = Followed::by_end;
  if (link_->transport() && !send_own()) return;
  for (int sends = 0; queue_ && !link_->is_closed(); ++sends) {
    if (queue_->empty()) {
      WriteBuffer::give_back(std::move(queue_));
    } else if (sends == kMaxSends) [[unlikely]] {
      return wait_writable();
    } else if (!send_queued(followed)) {
      return;
    }
  }
  if (is_end_due_ && !link_->is_closed()) [[unlikely]]
    end_sending();
}

[[gnu::hot]] void StreamWriter::end_dispatch() noexcept {
  flush_now();
  counted_ = flushed_;
  if (has_writers()) wake_writers();
}

void StreamWriter::on_writable() noexcept {
  is_blocked_ = false;
  flush_now();
  counted_ = flushed_;
  if (!is_blocked_) link_->want(link_->interest() & ~Events::write);
}

void StreamWriter::on_handshake_done() noexcept {
  is_blocked_ = false;
  link_->want(Events::read);
  flush_now();
  wake_writers();
}

// ---- The end of our bytes.

void StreamWriter::shutdown() noexcept {
  if (link_->is_closed()) return;
  if (queue_ || link_->is_handshaking()) {
    is_end_due_ = true;
  } else {
    end_sending();
  }
}

// Ends the sending side here and not by close(): if received bytes are unread, close() resets the
// connection, and the kernel drops the bytes that it has not sent.
void StreamWriter::flush_last() noexcept {
  const bool is_queued = queue_ != nullptr;
  flush_now(Followed::by_end);
  if (is_queued && !queue_ && !link_->is_closed() && link_->channel() == Channel::socket)
    shut_down_sending(link_->fd());
}

void StreamWriter::end_sending() noexcept {
  is_end_due_ = false;
  if (link_->channel() == Channel::write_end) return link_->close();
  if (Transport* const transport = link_->transport()) {
    transport->end_sending(link_->fd());
    if (transport->wants_write()) {
      is_end_due_ = true;
      return wait_writable();
    }
  }
  shut_down_sending(link_->fd());
}

void StreamWriter::on_closed() noexcept {
  turn_end_.unlink();
  queue_.reset();
  is_blocked_ = false;
}

// ---- Writes that wait.

// Resumes, in a later turn, the writes whose bytes are sent or will never be sent.
[[gnu::hot]] void StreamWriter::wake_writers() noexcept {
  for (WriteAwaiter& writer : writers_) {
    if (!writer.resume_.linked() && (writer.target_ <= flushed_ || link_->is_closed()))
      link_->loop().call_soon(writer.resume_);
  }
}

bool StreamWriter::resume_next() {
  if (writers_.empty()) return false;
  WriteAwaiter& writer = writers_.front();
  if (writer.target_ > flushed_) return false;
  if (writer.resume_.linked()) {
    // It is resumed in a later turn, and those behind it too, so that writes end in order.
    wake_writers();
    return false;
  }
  writer.unlink();
  link_->loop().call(writer.resume_);
  return true;
}

// False also if the bytes are sent, but the budget of the dispatch is spent: begin_wait() then resumes the
// writer in a later one. Otherwise many writers that the kernel does not stop would hold the loop.
bool StreamWriter::try_write(std::uint64_t target) noexcept {
  if (flushed_ < target && !link_->is_closed() && !is_blocked_) {
    flush_now();
    wake_writers();
  }
  // Behind a writer that still waits, so that writes end in order.
  return link_->is_closed() || (flushed_ >= target && writers_.empty() && spend_sent());
}

bool StreamWriter::spend_sent() noexcept {
  const std::uint64_t units = (flushed_ - counted_) / kBytesPerUnit;
  if (units == 0) return true;
  counted_ = flushed_;
  return link_->loop().spend(static_cast<int>(std::min<std::uint64_t>(units, IOLoop::kBudget)));
}

// Keeps the list ordered by target, which resume_next() relies on: writes are not always awaited in the order
// in which they were written.
void StreamWriter::begin_wait(WriteAwaiter& writer) noexcept {
  auto place = writers_.end();
  for (auto before = place; before != writers_.begin() && (--before)->target_ > writer.target_;)
    place = before;
  writers_.insert_before(place, writer);
  if (writer.target_ <= flushed_) wake_writers();
}

}  // namespace squall::detail
