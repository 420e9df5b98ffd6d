#include <squall/websocket/connection/frame_writer.h>

#include <squall/websocket/codec/mask.h>
#include <squall/websocket/connection/mask_keys.h>

#include <array>
#include <cstddef>
#include <system_error>
#include <utility>

namespace squall::websocket {

[[gnu::hot]] WriteAwaiter FrameWriter::write_message(Opcode opcode, std::string_view payload) {
  FrameHead head;
  head.opcode = opcode;
  return deflate_ ? write_compressed(head, payload) : write_copied(head, payload);
}

WriteAwaiter FrameWriter::write_message(Opcode opcode, std::string&& payload) {
  FrameHead head;
  head.opcode = opcode;
  return deflate_ ? write_compressed(head, payload) : write_owned(head, std::move(payload));
}

WriteAwaiter FrameWriter::write_message(const PreparedMessage& message, SendTime time) {
  if (role_ == Role::client) {
    // Masked, and compressed by the connection's window: a copy.
    WriteAwaiter result = write_message(message.opcode(), message.data());
    if (time == SendTime::now) stream_.flush().await_ready();
    return result;
  }
  if (!deflate_) return write_shared(message.frame(), time);
  const PreparedMessage::Frame& frame =
      message.compressed_frame({deflate_->bits, compression_.level, compression_.memory_level});
  WriteAwaiter result = write_shared(frame, time);
  // The receiver's window has the frame, the compressor's window has not. A new compressor refers to no byte
  // in front of its first one.
  if (frame.is_compressed) compressor_.reset();
  return result;
}

WriteAwaiter FrameWriter::write_message(OutgoingMessage&& message) {
  if (const PreparedMessage* const shared = message.shared()) return write_message(*shared);
  return write_message(message.opcode(), std::move(message.payload()));
}

// ---- Messages in parts.

void FrameWriter::begin_message(Opcode opcode) noexcept {
  parts_ = Parts::begun;
  opcode_ = opcode;
}

WriteAwaiter FrameWriter::write_part(std::string_view bytes, Part part) {
  if (deflate_) return write_compressed_part(bytes, part);
  if (bytes.empty() && part == Part::more) return stream_.flush();
  WriteAwaiter result = write_copied(part_head(part), bytes);
  note_part(part);
  return result;
}

WriteAwaiter FrameWriter::write_part(std::string&& bytes, Part part) {
  if (deflate_ || bytes.empty()) return write_part(std::string_view(bytes), part);
  WriteAwaiter result = write_owned(part_head(part), std::move(bytes));
  note_part(part);
  return result;
}

WriteAwaiter FrameWriter::write_compressed_part(std::string_view bytes, Part part) {
  stream_.check_write(max_frame_size(bytes.size()));
  try {
    std::string compressed;
    if (!compressor_) compressor_ = std::make_unique<MessageCompressor>(*deflate_, compression_);
    compressor_->compress(bytes, part, compressed);
    if (compressed.empty() && part == Part::more) return stream_.flush();
    FrameHead head = part_head(part);
    head.compressed = head.opcode != Opcode::continuation;
    WriteAwaiter result = write_owned(head, std::move(compressed));
    note_part(part);
    if (part == Part::last && !deflate_->context_takeover) compressor_.reset();
    return result;
  } catch (...) {
    // The compressor has bytes of this message that the peer will not get.
    drop_connection();
    throw;
  }
}

FrameHead FrameWriter::part_head(Part part) const noexcept {
  FrameHead head;
  head.opcode = parts_ == Parts::sent ? Opcode::continuation : opcode_;
  head.fin = part == Part::last;
  return head;
}

void FrameWriter::abandon_message() noexcept {
  parts_ = Parts::none;
  compressor_.reset();  // it has bytes of the message
}

// ---- Frames.

WriteAwaiter FrameWriter::write_control(Opcode opcode, std::string_view payload) {
  FrameHead head;
  head.opcode = opcode;
  return write_copied(head, payload);
}

[[gnu::hot]] WriteAwaiter FrameWriter::write_copied(FrameHead head, std::string_view payload) {
  head.size = payload.size();
  if (role_ == Role::client) head.key = next_mask_key();
  if (!head.key && payload.size() >= IOStream::kByReference) {
    const EncodedHead encoded(head);
    const std::array<std::string_view, 2> pieces{encoded.bytes(), payload};
    return stream_.write(pieces);
  }
  const std::size_t size = encoded_size(head) + payload.size();
  char* const to = put_head(stream_.reserve_write(size), head);
  if (head.key) {
    mask_into(to, payload, *head.key);
  } else {
    payload.copy(to, payload.size());
  }
  stream_.commit_write(size);
  return stream_.flush();  // all bytes up to here
}

WriteAwaiter FrameWriter::write_owned(FrameHead head, std::string&& payload) {
  if (payload.size() < IOStream::kByReference) return write_copied(head, payload);
  head.size = payload.size();
  if (role_ == Role::client) head.key = next_mask_key();
  const EncodedHead encoded(head);
  stream_.check_write(encoded.bytes().size() + payload.size());
  stream_.write(encoded.bytes());
  if (head.key) mask(payload, *head.key);
  try {
    return stream_.write(std::move(payload));
  } catch (...) {
    drop_connection();
    throw;
  }
}

// If the message is not sent, a new compressor makes the next one: the peer has nothing to refer to.
WriteAwaiter FrameWriter::write_compressed(FrameHead head, std::string_view payload) {
  stream_.check_write(payload.size());
  try {
    if (!compressor_) compressor_ = std::make_unique<MessageCompressor>(*deflate_, compression_);
    std::string compressed;
    compressor_->compress(payload, Part::last, compressed);
    if (!deflate_->context_takeover) compressor_.reset();  // 256 KiB, made anew in some 10 us
    head.compressed = true;
    return write_owned(head, std::move(compressed));
  } catch (...) {
    compressor_.reset();
    throw;
  }
}

WriteAwaiter FrameWriter::write_shared(const PreparedMessage::Frame& frame, SendTime time) {
  if (time == SendTime::now) return stream_.write_now(frame.bytes);
  // Copies of the pointer cost most when many threads make them.
  if (frame.bytes->size() < IOStream::kByReference) return stream_.write(std::string_view(*frame.bytes));
  return stream_.write(frame.bytes);
}

// As zlib's deflateBound(), for any level.
std::size_t FrameWriter::max_frame_size(std::size_t size) const noexcept {
  return EncodedHead::kMaxSize + size + (deflate_ ? size / 8 + size / 64 + 16 : 0);
}

void FrameWriter::drop_connection() noexcept {
  stream_.close(std::make_error_code(std::errc::not_enough_memory));
}

}  // namespace squall::websocket
