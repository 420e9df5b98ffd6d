#include <squall/websocket/codec/piece_inflater.h>

#include <algorithm>
#include <limits>

namespace squall::websocket {
namespace {

constexpr Fault kCorruptPiece{close_code::kInvalidPayload, "message is not deflated correctly"};
constexpr Fault kTooBigPieces{close_code::kMessageTooBig, "message too big after decompression"};
constexpr Fault kTooHighRatio{close_code::kMessageTooBig, "message expands too much"};

}  // namespace

void PieceInflater::feed(std::string_view bytes, Part part) noexcept {
  left_ = bytes;
  part_ = part;
  received_ += bytes.size();
  has_more_ = true;
}

Fault PieceInflater::next(std::string_view& piece) {
  const std::size_t made = decompressor_.decompress_some(left_, part_, space_);
  const std::uint64_t room =
      limits_.max_size.value_or(std::numeric_limits<std::uint64_t>::max()) - before_ - made_;
  has_more_ = made == space_.size();
  made_ += made;
  piece = {space_.data(), static_cast<std::size_t>(std::min<std::uint64_t>(made, room))};
  // zlib may look at bad data behind the limit in the same call.
  if (made > room) return kTooBigPieces;
  if (decompressor_.failed()) return kCorruptPiece;
  return check_ratio();
}

Fault PieceInflater::check_ratio() const noexcept {
  const std::uint64_t used = received_ - left_.size();
  if (!limits_.max_ratio || made_ <= PieceLimits::kFreeOutput) return {};
  if (*limits_.max_ratio > 0 && made_ / *limits_.max_ratio <= used) return {};
  return kTooHighRatio;
}

}  // namespace squall::websocket
