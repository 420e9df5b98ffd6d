#include <squall/websocket/codec/message_reader.h>

#include <squall/websocket/codec/bounded_append.h>

#include <algorithm>

namespace squall::websocket {
namespace {

constexpr Fault kNotUtf8{close_code::kInvalidPayload, "text is not UTF-8"};
// A peer that only announces more bytes than this gets no memory for them.
constexpr std::size_t kMostTrusted = 64 * 1024;

FrameParser::Options frame_options(const MessageReader::Options& options) {
  FrameParser::Options frames;
  frames.role = options.role;
  frames.has_deflate = options.deflate.has_value();
  frames.accepts_unmasked = options.accepts_unmasked;
  frames.max_message_size = options.max_message_size;
  return frames;
}

}  // namespace

MessageReader::MessageReader(const Options& options)
    : parser_(frame_options(options)),
      max_message_size_(options.max_message_size),
      deflate_(options.deflate) {}

MessageReader::Result MessageReader::read(std::span<char>& bytes) {
  if (fault_) return Result::failed;
  if (delivered_) {
    std::string().swap(message_);  // its memory too
    delivered_ = false;
  }
  if (parser_.take_message(bytes, payload_)) return take_whole();
  for (;;) {
    switch (parser_.parse(bytes, payload_)) {
      case FrameParser::Result::more: return Result::more;
      case FrameParser::Result::failed: return fail(parser_.fault());
      case FrameParser::Result::control: return take_control();
      case FrameParser::Result::data:
        if (const Fault fault = take_data()) return fail(fault);
        if (parser_.ends_message()) return end_message();
    }
  }
}

MessageReader::Result MessageReader::take_whole() noexcept {
  if (parser_.message() != Opcode::text) return Result::binary;
  return utf8_.feed(payload_) && utf8_.is_complete() ? Result::text : fail(kNotUtf8);
}

MessageReader::Result MessageReader::take_control() {
  switch (parser_.control()) {
    case Opcode::ping: return Result::ping;
    case Opcode::pong: return Result::pong;
    default: break;
  }
  const Fault fault = parse_close(payload_, close_status_);
  return fault ? fail(fault) : Result::close;
}

Fault MessageReader::take_data() {
  const bool is_last = parser_.ends_message();
  if (parser_.is_compressed()) return decompress(is_last ? Part::last : Part::more);
  if (const Fault fault = check_text(payload_)) return fault;
  if (is_last && message_.empty()) return {};  // the whole message
  const auto coming = static_cast<std::size_t>(std::min<std::uint64_t>(parser_.frame_left(), kMostTrusted));
  append_bounded(message_, payload_, max_message_size_, coming);
  payload_ = message_;
  return {};
}

Fault MessageReader::decompress(Part part) {
  if (!decompressor_) decompressor_ = std::make_unique<MessageDecompressor>(*deflate_);
  const std::size_t before = message_.size();
  const Fault fault = decompressor_->decompress(payload_, part, max_message_size_, message_);
  payload_ = message_;
  // Of two faults the first in the message is reported, so that the pieces do not matter.
  const Fault text_fault = check_text(payload_.substr(before));
  return text_fault ? text_fault : fault;
}

// Checks the next part of a message if it is text.
Fault MessageReader::check_text(std::string_view part) noexcept {
  if (parser_.message() != Opcode::text) return {};
  if (!utf8_.feed(part)) return kNotUtf8;
  return {};
}

MessageReader::Result MessageReader::end_message() {
  delivered_ = true;
  if (deflate_ && !deflate_->context_takeover) decompressor_.reset();
  if (parser_.message() != Opcode::text) return Result::binary;
  if (!utf8_.is_complete()) return fail(kNotUtf8);
  return Result::text;
}

MessageReader::Result MessageReader::fail(const Fault& fault) noexcept {
  fault_ = fault;
  // The connection may stay for some seconds, until its peer closes.
  payload_ = {};
  std::string().swap(message_);
  decompressor_.reset();
  return Result::failed;
}

}  // namespace squall::websocket
