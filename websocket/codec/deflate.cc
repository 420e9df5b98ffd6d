#include <squall/websocket/codec/deflate.h>

#include <squall/websocket/codec/bounded_append.h>

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

namespace squall::websocket {
namespace {

// The end of a flush, which the sender of a message removes and the receiver adds (RFC 7692, 7.2.1).
constexpr std::string_view kDeflateTail{"\x00\x00\xff\xff", 4};
constexpr std::size_t kMostZlibBytes = std::numeric_limits<uInt>::max();
constexpr std::size_t kDeflateSpace = 16 * 1024;
// z_stream::data_type between two blocks, at a byte boundary.
constexpr int kBetweenBlocks = 128;

constexpr Fault kCorrupt{close_code::kInvalidPayload, "message is not deflated correctly"};
constexpr Fault kTooBigInflated{close_code::kMessageTooBig, "message too big after decompression"};

// Negative for zlib: neither header nor checksum. Some peers, too, use 9 bits where 8 are agreed.
int zlib_window(const DeflateWindow& window) noexcept { return -std::max(window.bits, 9); }

void set_input(z_stream& zlib, std::string_view bytes) noexcept {
  zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  zlib.avail_in = static_cast<uInt>(bytes.size());
}

void set_output(z_stream& zlib, std::span<char> space) noexcept {
  zlib.next_out = reinterpret_cast<Bytef*>(space.data());
  zlib.avail_out = static_cast<uInt>(space.size());
}

}  // namespace

struct MessageCompressor::Stream {
  z_stream zlib{};
};

MessageCompressor::MessageCompressor(const DeflateWindow& window, const DeflateOptions& options)
    : stream_(std::make_unique<Stream>()), context_takeover_(window.context_takeover) {
  if (::deflateInit2(&stream_->zlib, options.level, Z_DEFLATED, zlib_window(window), options.memory_level,
                     Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
}

MessageCompressor::~MessageCompressor() { ::deflateEnd(&stream_->zlib); }

void MessageCompressor::compress(std::string_view bytes, Part part, std::string& out) {
  has_input_ = has_input_ || !bytes.empty();
  if (!has_input_) {
    // zlib flushes only once without input in between. An empty block without its tail is one zero byte
    // (RFC 7692, 7.2.3.6).
    if (part == Part::last) out += '\0';
    return;
  }
  z_stream& zlib = stream_->zlib;
  char space[kDeflateSpace];
  do {
    const std::string_view piece = bytes.substr(0, kMostZlibBytes);
    bytes.remove_prefix(piece.size());
    set_input(zlib, piece);
    const int flush = part == Part::last && bytes.empty() ? Z_SYNC_FLUSH : Z_NO_FLUSH;
    do {
      set_output(zlib, space);
      ::deflate(&zlib, flush);  // fails only without progress: Z_BUF_ERROR
      out.append(space, sizeof space - zlib.avail_out);
    } while (zlib.avail_out == 0);
  } while (!bytes.empty());
  if (part == Part::more) return;
  out.resize(out.size() - kDeflateTail.size());
  has_input_ = false;
  if (!context_takeover_) ::deflateReset(&zlib);
}

struct MessageDecompressor::Stream {
  z_stream zlib{};
};

MessageDecompressor::MessageDecompressor(const DeflateWindow& window)
    : stream_(std::make_unique<Stream>()), context_takeover_(window.context_takeover) {
  if (::inflateInit2(&stream_->zlib, zlib_window(window)) != Z_OK) throw std::bad_alloc();
}

MessageDecompressor::~MessageDecompressor() { ::inflateEnd(&stream_->zlib); }

Fault MessageDecompressor::decompress(std::string_view bytes, Part part, std::size_t max_size,
                                      std::string& out) {
  char space[kDeflateSpace];
  for (;;) {
    // One byte beyond the limit tells that the message is too big.
    const std::size_t left = max_size - std::min(max_size, out.size());
    const std::size_t room = left < sizeof space ? left + 1 : sizeof space;
    const std::size_t made = decompress_some(bytes, part, {space, room});
    append_bounded(out, {space, std::min(made, left)}, max_size);
    // zlib may look at bad data behind the limit in the same call.
    if (made > left) return kTooBigInflated;
    if (failed_) return kCorrupt;
    if (made < room) return {};
  }
}

std::size_t MessageDecompressor::decompress_some(std::string_view& bytes, Part part, std::span<char> space) {
  const std::size_t size = space.size();
  while (!failed_ && !space.empty()) {
    std::string_view tail = kDeflateTail.substr(tail_used_);
    const bool at_tail = bytes.empty() && part == Part::last;
    if (at_tail && is_at_end()) {
      end_message();
      break;
    }
    std::string_view& from = at_tail ? tail : bytes;
    const std::size_t before = from.size() + space.size();
    const int result = inflate(from, space);
    tail_used_ = at_tail ? kDeflateTail.size() - tail.size() : 0;
    if (result == Z_STREAM_END) {
      at_final_ = true;
    } else if (result == Z_MEM_ERROR) {
      throw std::bad_alloc();
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      failed_ = true;
    } else if (from.size() + space.size() == before) {
      failed_ = at_tail || !bytes.empty();
      break;  // zlib has made all it can from this part
    }
  }
  return size - space.size();
}

// Removes the bytes that zlib uses from the front of `from`, and those that it writes from `space`.
int MessageDecompressor::inflate(std::string_view& from, std::span<char>& space) {
  z_stream& zlib = stream_->zlib;
  if (at_final_) {
    // Only what the window has is kept: the next block may refer to it.
    if (from.empty()) return Z_BUF_ERROR;
    at_final_ = false;
    ::inflateResetKeep(&zlib);
  }
  const std::string_view input = from.substr(0, kMostZlibBytes);
  const std::span<char> output = space.first(std::min(space.size(), kMostZlibBytes));
  set_input(zlib, input);
  set_output(zlib, output);
  const int result = ::inflate(&zlib, Z_NO_FLUSH);
  from.remove_prefix(input.size() - zlib.avail_in);
  space = space.subspan(output.size() - zlib.avail_out);
  return result;
}

// Whether the message has ended with the tail. It may also end with a block that has BFINAL, although
// RFC 7692, 7.2.3.4 adds an empty block.
bool MessageDecompressor::is_at_end() const noexcept {
  if (tail_used_ == 0) return at_final_;
  return tail_used_ == kDeflateTail.size() && stream_->zlib.data_type == kBetweenBlocks;
}

void MessageDecompressor::end_message() noexcept {
  tail_used_ = 0;
  if (context_takeover_) return;
  at_final_ = false;
  ::inflateReset(&stream_->zlib);
}

}  // namespace squall::websocket
