#pragma once

#include <squall/websocket/codec/close_code.h>
#include <squall/websocket/codec/deflate.h>
#include <squall/websocket/codec/piece_limits.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace squall::websocket {

// Decompresses one message in pieces, with the memory of one piece, within limits.
//
//     inflater.feed(bytes, part);
//     while (inflater.has_more()) { fault = inflater.next(piece); ... }
//
// Thread:    one.
// Lifetime:  borrows the decompressor, and the bytes of feed() while has_more().
// Errors:    a Fault: as MessageDecompressor, and 1009 beyond a limit. std::bad_alloc. The object is of no
//            use afterwards.
class PieceInflater {
 public:
  // The most bytes of a piece.
  static constexpr std::size_t kSpace = 16 * 1024;

  // `before` bytes of the message were decompressed already, by others.
  PieceInflater(MessageDecompressor& decompressor, const PieceLimits& limits, std::uint64_t before) noexcept
      : decompressor_(decompressor), limits_(limits), before_(before) {}
  PieceInflater(const PieceInflater&) = delete;
  PieceInflater& operator=(const PieceInflater&) = delete;

  // The next compressed bytes of the message. Not while has_more().
  void feed(std::string_view bytes, Part part) noexcept;
  // Whether next() may give something of the bytes that were fed.
  bool has_more() const noexcept { return has_more_; }
  // The next piece, valid until the next call; may be empty. With a fault: the bytes in front of it.
  Fault next(std::string_view& piece);
  // The last bytes of the message were fed.
  bool is_last_part() const noexcept { return part_ == Part::last; }
  // All of the message was given.
  bool has_ended() const noexcept { return !has_more_ && part_ == Part::last; }

 private:
  Fault check_ratio() const noexcept;

  MessageDecompressor& decompressor_;
  PieceLimits limits_;
  std::uint64_t before_;
  std::uint64_t received_ = 0;  // compressed bytes that were fed
  std::uint64_t made_ = 0;      // the bytes of all pieces
  std::string_view left_;       // compressed bytes that are not used yet
  Part part_ = Part::more;
  bool has_more_ = false;
  std::array<char, kSpace> space_;
};

}  // namespace squall::websocket
