#include <squall/websocket/connection/prepared_message.h>

#include <squall/websocket/codec/deflate.h>
#include <squall/websocket/codec/deflate_negotiation.h>

#include <atomic>
#include <mutex>
#include <string>
#include <utility>

namespace squall::websocket {
namespace {

using Compression = PreparedMessage::Compression;
using Frame = PreparedMessage::Frame;

// zlib refers to bytes at most this much less than its window away (MIN_LOOKAHEAD).
constexpr std::size_t kWindowReserve = 262;

// The least memory that compresses `size` bytes as well as `wanted` does. So connections with different
// windows share the frame of a small message.
Compression least_compression(Compression wanted, std::size_t size) noexcept {
  int bits = 9;
  while (bits < wanted.window_bits && (std::size_t{1} << bits) < size + kWindowReserve) ++bits;
  wanted.window_bits = bits;
  // A block has at most 2^(level + 6) symbols.
  int memory_level = 1;
  while (memory_level < wanted.memory_level && (std::size_t{64} << memory_level) <= size) ++memory_level;
  wanted.memory_level = memory_level;
  return wanted;
}

Frame make_frame(Opcode opcode, std::string_view payload, bool is_compressed) {
  FrameHead head;
  head.opcode = opcode;
  head.compressed = is_compressed;
  std::string bytes;
  append_frame(bytes, head, payload);
  return {std::make_shared<const std::string>(std::move(bytes)), is_compressed};
}

std::string compress(std::string_view data, const Compression& compression) {
  DeflateOptions options;
  options.level = compression.level;
  options.memory_level = compression.memory_level;
  std::string compressed;
  MessageCompressor({compression.window_bits}, options).compress(data, Part::last, compressed);
  return compressed;
}

}  // namespace

struct PreparedMessage::Shared {
  // A frame for one kind of receiver, in a list that only grows: readers need no lock.
  struct Kind {
    Compression compression;
    Frame frame;
    std::unique_ptr<const Kind> next;
  };

  Shared(std::string_view data, MessageType message_type)
      : type(message_type),
        opcode(opcode_of(message_type, data)),
        size(data.size()),
        plain(make_frame(opcode, data, false)) {}
  ~Shared() { delete kinds.load(std::memory_order_relaxed); }

  std::string_view data() const noexcept {
    const std::string_view bytes = *plain.bytes;
    return bytes.substr(bytes.size() - size);
  }
  const Frame* find(const Compression& compression) const noexcept {
    for (const Kind* kind = kinds.load(std::memory_order_acquire); kind; kind = kind->next.get())
      if (kind->compression == compression) return &kind->frame;
    return nullptr;
  }
  Frame make(const Compression& compression) const;
  const Frame& add(const Compression& compression);

  const MessageType type;
  const Opcode opcode;
  const std::size_t size;
  const Frame plain;
  std::mutex mutex;  // of the threads that make frames
  std::atomic<const Kind*> kinds = nullptr;
};

Frame PreparedMessage::Shared::make(const Compression& compression) const {
  const std::string compressed = compress(data(), compression);
  return compressed.size() < size ? make_frame(opcode, compressed, true) : plain;
}

const Frame& PreparedMessage::Shared::add(const Compression& compression) {
  const std::lock_guard lock(mutex);
  if (const Frame* const frame = find(compression)) return *frame;
  auto kind = std::make_unique<Kind>(Kind{compression, make(compression), nullptr});
  kind->next.reset(kinds.load(std::memory_order_relaxed));
  const Frame& frame = kind->frame;
  kinds.store(kind.release(), std::memory_order_release);
  return frame;
}

PreparedMessage::PreparedMessage(std::string_view data, MessageType type)
    : shared_(std::make_shared<Shared>(data, type)) {}

std::string_view PreparedMessage::data() const noexcept { return shared_->data(); }
MessageType PreparedMessage::type() const noexcept { return shared_->type; }
Opcode PreparedMessage::opcode() const noexcept { return shared_->opcode; }
const Frame& PreparedMessage::frame() const noexcept { return shared_->plain; }

const Frame& PreparedMessage::compressed_frame(const Compression& compression) const {
  if (shared_->size < kMinCompressed) return shared_->plain;
  const Compression least = least_compression(compression, shared_->size);
  const Frame* const frame = shared_->find(least);
  return frame ? *frame : shared_->add(least);
}

}  // namespace squall::websocket
