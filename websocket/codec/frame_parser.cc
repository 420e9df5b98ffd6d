#include <squall/websocket/codec/frame_parser.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <tuple>

namespace squall::websocket {
namespace {

constexpr std::uint16_t kProtocol = close_code::kProtocolError;
constexpr Fault kNoFault;
constexpr Fault kReservedBits{kProtocol, "reserved bits without an extension"};
constexpr Fault kUnknownOpcode{kProtocol, "unknown opcode"};
constexpr Fault kControlFragment{kProtocol, "control frame in fragments"};
constexpr Fault kControlSize{kProtocol, "control frame of more than 125 bytes"};
constexpr Fault kNotMasked{kProtocol, "client frame without a mask"};
constexpr Fault kMasked{kProtocol, "server frame with a mask"};
constexpr Fault kNoMessage{kProtocol, "continuation without a message"};
constexpr Fault kNestedMessage{kProtocol, "message inside of another message"};
constexpr Fault kLongSize{kProtocol, "frame size is not in its shortest form"};
constexpr Fault kHugeSize{kProtocol, "frame size of 2^63 or more"};
constexpr Fault kTooBig{close_code::kMessageTooBig, "message too big"};

constexpr unsigned kFin = 0x80;
constexpr unsigned kOpcodeBits = 0x0f;
constexpr unsigned kRsv1 = 0x40;
constexpr unsigned kRsv2And3 = 0x30;
constexpr unsigned kMaskBit = 0x80;
constexpr unsigned kSizeBits = 0x7f;

constexpr Opcode opcode_of(unsigned first) noexcept { return static_cast<Opcode>(first & kOpcodeBits); }

constexpr bool is_opcode(unsigned first) noexcept {
  const unsigned opcode = first & 0x07;  // 0 to 2 are data frames, 8 to 10 control frames
  return opcode <= 2;
}

}  // namespace

FrameParser::FrameParser(const Options& options) noexcept
    : fault_(&kNoFault),
      max_message_size_(options.max_message_size.value_or(std::numeric_limits<std::uint64_t>::max())),
      max_frame_size_(options.max_frame_size.value_or(std::numeric_limits<std::uint64_t>::max())),
      role_(options.role),
      has_deflate_(options.has_deflate),
      accepts_unmasked_(options.accepts_unmasked) {}

bool FrameParser::limit_message(std::optional<std::uint64_t> max_size) noexcept {
  max_message_size_ = max_size.value_or(std::numeric_limits<std::uint64_t>::max());
  return !is_message_open() || message_size_ <= max_message_size_;
}

FrameParser::Result FrameParser::parse(std::span<char>& bytes, std::string_view& payload) {
  for (;;) {
    switch (state_) {
      case State::head:
        if (take_head(bytes)) break;
        return state_ == State::failed ? Result::failed : Result::more;
      case State::data:
        if (left_ == 0 && !fin_) {
          state_ = State::head;
          break;
        }
        return take_data(bytes, payload);
      case State::control: return take_control(bytes, payload);
      case State::closed: bytes = {}; return Result::more;
      case State::failed: return Result::failed;
    }
  }
}

[[gnu::hot]] bool FrameParser::take_message(std::span<char>& bytes, std::string_view& payload) noexcept {
  if (state_ != State::head || cut_ || is_message_open() || bytes.size() < 2) return false;
  const auto byte = [&](std::size_t i) { return unsigned{static_cast<unsigned char>(bytes[i])}; };
  const Opcode opcode = opcode_of(byte(0));
  if ((byte(0) & ~kOpcodeBits) != kFin || (opcode != Opcode::text && opcode != Opcode::binary)) return false;
  const bool is_masked = role_ == Role::server;
  if (((byte(1) & kMaskBit) != 0) != is_masked) return false;
  std::size_t size = byte(1) & kSizeBits;
  std::size_t begin = 2;
  if (size >= 126) {
    if (size != 126 || bytes.size() < 4) return false;
    size = byte(2) << 8 | byte(3);
    if (size < 126) return false;
    begin = 4;
  }
  const std::size_t key_size = is_masked ? std::tuple_size_v<MaskKey> : 0;
  if (bytes.size() - begin < key_size + size || size > max_frame_size_ || size > max_message_size_)
    return false;
  const std::span<char> whole = bytes.subspan(begin + key_size, size);
  if (is_masked) {
    MaskKey key;
    std::memcpy(key.data(), bytes.data() + begin, key.size());
    mask(whole, key);
  }
  bytes = bytes.subspan(begin + key_size + size);
  payload = {whole.data(), whole.size()};
  message_ = opcode;
  compressed_ = false;
  ended_ = true;
  return true;
}

// False if the head is cut, and then all bytes are used, or has a fault.
bool FrameParser::take_head(std::span<char>& bytes) {
  if (cut_ && cut_->size == 0) cut_.reset();  // the last control frame
  if (!cut_) {
    if (const std::size_t size = read_head({bytes.data(), bytes.size()}); size != 0) {
      bytes = bytes.subspan(size);
      return true;
    }
    if (bytes.empty() || state_ == State::failed) return false;
    cut_ = std::make_unique_for_overwrite<Cut>();
    cut_->size = 0;
  }
  const std::size_t before = cut_->size;
  const std::size_t added = std::min(bytes.size(), EncodedHead::kMaxSize - before);
  std::copy_n(bytes.data(), added, cut_->bytes.data() + before);
  cut_->size += added;
  const std::size_t size = read_head({cut_->bytes.data(), cut_->size});
  bytes = bytes.subspan(size == 0 ? added : size - before);
  if (size != 0) cut_.reset();
  return size != 0;
}

// Begins the frame whose head is in front of `bytes`. The size of the head, or 0 if it is cut or has a fault.
std::size_t FrameParser::read_head(std::string_view bytes) noexcept {
  if (bytes.size() < 2) return 0;
  const auto byte = [&](std::size_t i) { return unsigned{static_cast<unsigned char>(bytes[i])}; };
  if (!check_start(byte(0), byte(1))) return 0;
  std::uint64_t size = byte(1) & kSizeBits;
  std::size_t at = 2;
  if (size >= 126) {
    const std::size_t end = size == 126 ? 4 : 10;
    if (bytes.size() < end) return 0;
    for (size = 0; at < end; ++at) size = size << 8 | byte(at);
    if (size < (end == 4 ? 126u : 0x10000u)) return fail(kLongSize), 0;
  }
  if (!check_size(opcode_of(byte(0)), size)) return 0;
  is_masked_ = (byte(1) & kMaskBit) != 0;
  if (is_masked_) {
    if (bytes.size() < at + key_.size()) return 0;
    std::memcpy(key_.data(), bytes.data() + at, key_.size());
    at += key_.size();
  }
  begin_frame(byte(0), size);
  return at;
}

// Checks the first two bytes of a head. May be repeated for a head that is cut.
bool FrameParser::check_start(unsigned first, unsigned second) noexcept {
  const Opcode opcode = opcode_of(first);
  // RSV1 belongs to the first frame of a message (WSK-64a).
  const bool begins_message = opcode == Opcode::text || opcode == Opcode::binary;
  if ((first & kRsv2And3) != 0) return fail(kReservedBits);
  if ((first & kRsv1) != 0 && !(has_deflate_ && begins_message)) return fail(kReservedBits);
  if (!is_opcode(first)) return fail(kUnknownOpcode);
  if (is_control(opcode)) {
    if ((first & kFin) == 0) return fail(kControlFragment);
    if ((second & kSizeBits) > kMaxControlPayload) return fail(kControlSize);
  } else if (begins_message == is_message_open()) {
    return fail(begins_message ? kNestedMessage : kNoMessage);
  }
  if ((second & kMaskBit) != 0) return role_ == Role::server || fail(kMasked);
  return role_ == Role::client || accepts_unmasked_ || fail(kNotMasked);
}

bool FrameParser::check_size(Opcode opcode, std::uint64_t size) noexcept {
  if (size >> 63 != 0) return fail(kHugeSize);
  if (is_control(opcode)) return true;
  const std::uint64_t before = opcode == Opcode::continuation ? message_size_ : 0;
  if (size > max_frame_size_ || size > max_message_size_ - before) return fail(kTooBig);
  return true;
}

void FrameParser::begin_frame(unsigned first, std::uint64_t size) noexcept {
  const Opcode opcode = opcode_of(first);
  left_ = size;
  if (is_control(opcode)) {
    control_ = opcode;
    state_ = State::control;
    return;
  }
  if (opcode != Opcode::continuation) {
    message_ = opcode;
    message_size_ = 0;
    compressed_ = (first & kRsv1) != 0;
  }
  message_size_ += size;
  fin_ = (first & kFin) != 0;
  ended_ = false;
  state_ = State::data;
}

FrameParser::Result FrameParser::take_data(std::span<char>& bytes, std::string_view& payload) noexcept {
  if (bytes.empty() && left_ != 0) return Result::more;
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
  const std::span<char> piece = bytes.first(size);
  bytes = bytes.subspan(size);
  unmask(piece);
  payload = {piece.data(), piece.size()};
  left_ -= size;
  if (left_ == 0) {
    ended_ = fin_;
    state_ = State::head;
  }
  return Result::data;
}

FrameParser::Result FrameParser::take_control(std::span<char>& bytes, std::string_view& payload) {
  std::span<char> whole;
  if (!cut_ && bytes.size() >= left_) {
    whole = bytes.first(static_cast<std::size_t>(left_));
    bytes = bytes.subspan(whole.size());
  } else {
    if (bytes.empty()) return Result::more;
    if (!cut_) {
      cut_ = std::make_unique_for_overwrite<Cut>();
      cut_->size = 0;
    }
    const std::size_t added = std::min(static_cast<std::size_t>(left_), bytes.size());
    std::copy_n(bytes.data(), added, cut_->bytes.data() + cut_->size);
    bytes = bytes.subspan(added);
    cut_->size += added;
    left_ -= added;
    if (left_ != 0) return Result::more;
    whole = {cut_->bytes.data(), cut_->size};
    cut_->size = 0;
  }
  left_ = 0;
  unmask(whole);
  payload = {whole.data(), whole.size()};
  state_ = control_ == Opcode::close ? State::closed : State::head;
  return Result::control;
}

void FrameParser::unmask(std::span<char> bytes) noexcept {
  if (!is_masked_) return;
  mask(bytes, key_);
  key_ = rotated(key_, bytes.size());
}

bool FrameParser::fail(const Fault& fault) noexcept {
  fault_ = &fault;
  state_ = State::failed;
  return false;
}

}  // namespace squall::websocket
