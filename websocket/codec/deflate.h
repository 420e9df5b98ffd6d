#pragma once

#include <squall/websocket/codec/close_code.h>
#include <squall/websocket/codec/deflate_negotiation.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

// The data of permessage-deflate (RFC 7692, 7.2). Pure: bytes in, bytes out.
namespace squall::websocket {

// A part of a message: the last one completes it.
enum class Part : std::uint8_t { more, last };

// Compresses the messages of one direction.
//
// With a window of 8 bits zlib is given 9 bits, because it has no window of 256 bytes for data without a
// header. The result refers to at most 250 bytes nevertheless: zlib keeps a distance of 262 bytes to the
// end of its window.
//
// Thread:    one.
// Errors:    std::bad_alloc; the object is of no use afterwards.
class MessageCompressor {
 public:
  // About 256 KiB of memory with the defaults. `options` must pass check_deflate_options().
  MessageCompressor(const DeflateWindow& window, const DeflateOptions& options);
  ~MessageCompressor();
  MessageCompressor(const MessageCompressor&) = delete;
  MessageCompressor& operator=(const MessageCompressor&) = delete;

  // Appends the payload for a part of a message to `out` (WSK-63). A part that is not the last may add
  // nothing.
  void compress(std::string_view bytes, Part part, std::string& out);

 private:
  struct Stream;

  std::unique_ptr<Stream> stream_;
  bool context_takeover_;
  bool has_input_ = false;  // since the last message
};

// Decompresses the messages of one direction. Every call makes a bounded number of bytes.
//
// Blocks with BFINAL may end in the middle of a message, which goes on at the next byte (RFC 7692, 7.2.3.4).
//
// Thread:    one.
// Errors:    a Fault, or failed(): the data is not deflated, or a message ends within a block.
//            std::bad_alloc. The object is of no use after any of these.
class MessageDecompressor {
 public:
  // About 7 KiB of memory, and the window as soon as it is needed.
  explicit MessageDecompressor(const DeflateWindow& window);
  ~MessageDecompressor();
  MessageDecompressor(const MessageDecompressor&) = delete;
  MessageDecompressor& operator=(const MessageDecompressor&) = delete;

  // Appends a decompressed part of a message to `out`, which has the earlier parts. Stops with 1009 when
  // `out` has `max_size` bytes and would get more (WSK-65), and with 1007 at bad data (WSK-66): `out` then
  // has all bytes in front of the fault.
  Fault decompress(std::string_view bytes, Part part, std::size_t max_size, std::string& out);

  // The same for a message that is never in memory as a whole. Removes the bytes it uses from `bytes`, and
  // returns how many it has written to `space`. Call again with the rest of `bytes` until fewer than
  // space.size() are written: then all of the part is decompressed, or failed(). `space` must not be empty.
  std::size_t decompress_some(std::string_view& bytes, Part part, std::span<char> space);
  bool failed() const noexcept { return failed_; }

 private:
  struct Stream;

  int inflate(std::string_view& from, std::span<char>& space);
  bool is_at_end() const noexcept;
  void end_message() noexcept;

  std::unique_ptr<Stream> stream_;
  bool context_takeover_;
  bool failed_ = false;
  bool at_final_ = false;      // the last block had BFINAL, and no byte has followed it
  std::size_t tail_used_ = 0;  // bytes of kDeflateTail that were given to zlib
};

}  // namespace squall::websocket
