#include <squall/websocket/codec/message_reader.h>

#include <squall/websocket/codec/bounded_append.h>

#include <algorithm>
#include <utility>

namespace squall::websocket {
namespace {

constexpr Fault kNotUtf8{close_code::kInvalidPayload, "text is not UTF-8"};
constexpr Fault kTooBigForForm{close_code::kMessageTooBig, "message too big"};
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
      piece_limits_(options.pieces),
      deflate_(options.deflate) {}

// ---- Whole messages.

[[gnu::hot]] MessageReader::Result MessageReader::read(std::span<char>& bytes) {
  if (fault_) return Result::failed;
  if (form_ != Form::whole) [[unlikely]] {
    if (const std::optional<Result> result = begin_whole(bytes)) return *result;
  }
  if (delivered_) [[unlikely]]
    free_delivered();
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

// nullopt once the next message may be collected.
std::optional<MessageReader::Result> MessageReader::begin_whole(std::span<char>& bytes) {
  if (const std::optional<Result> result = drop_rest(bytes)) return result;
  form_ = Form::whole;
  inflater_.reset();  // it has made nothing
  if (!parser_.limit_message(max_message_size_)) return fail(kTooBigForForm);
  return std::nullopt;
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

// ---- Messages in pieces.

MessageReader::Result MessageReader::read_piece(std::span<char>& bytes) {
  if (fault_) return Result::failed;
  if (const std::optional<Result> result = drop_rest(bytes)) return *result;
  if (delivered_) free_delivered();
  if (form_ == Form::whole) {
    if (!begin_pieces()) return fail(kTooBigForForm);
    // The beginning, which read() has collected.
    if (!message_.empty()) {
      payload_ = message_;
      delivered_ = true;
      return give_piece(false);
    }
  }
  return next_piece(bytes);
}

// False if the message that is open is too big already.
bool MessageReader::begin_pieces() {
  form_ = Form::begun;
  if (!parser_.limit_message(piece_limits_.max_size)) return false;
  if (message_.empty() || !parser_.is_compressed()) return true;
  inflater_ = std::make_unique<PieceInflater>(*decompressor_, piece_limits_, message_.size());
  return message_.size() <= piece_limits_.max_size.value_or(message_.size());
}

void MessageReader::leave_message() noexcept {
  if (form_ == Form::last) form_ = Form::begun;
  if (form_ == Form::pieces) form_ = Form::rest;
}

// nullopt unless a message was left whose rest is to be dropped.
std::optional<MessageReader::Result> MessageReader::drop_rest(std::span<char>& bytes) {
  if (form_ != Form::rest) return std::nullopt;
  if (delivered_) free_delivered();
  const bool is_needed = !parser_.is_compressed() || deflate_->context_takeover;
  const Result result = is_needed ? next_piece(bytes) : skip_piece(bytes);
  if (result != Result::text && result != Result::binary) return result;
  leave_message();
  payload_ = {};
  return Result::dropped;
}

// As next_piece(), for a compressed message to whose bytes no later one may refer: does not decompress it.
MessageReader::Result MessageReader::skip_piece(std::span<char>& bytes) {
  const bool has_all = inflater_ && inflater_->is_last_part();
  inflater_.reset();
  decompressor_.reset();
  utf8_.reset();
  if (has_all) return give_piece(true);
  switch (parser_.parse(bytes, payload_)) {
    case FrameParser::Result::more: return Result::more;
    case FrameParser::Result::failed: return fail(parser_.fault());
    case FrameParser::Result::control: return take_control();
    case FrameParser::Result::data: break;
  }
  return give_piece(parser_.ends_message());
}

MessageReader::Result MessageReader::next_piece(std::span<char>& bytes) {
  for (;;) {
    while (inflater_ && inflater_->has_more()) {
      const Fault fault = inflater_->next(payload_);
      // Of two faults the first in the message is reported, so that the pieces do not matter.
      if (const Fault text_fault = check_text(payload_)) return fail(text_fault);
      if (fault) return fail(fault);
      if (inflater_->has_ended() || !payload_.empty()) return give_piece(inflater_->has_ended());
    }
    switch (parser_.parse(bytes, payload_)) {
      case FrameParser::Result::more: return Result::more;
      case FrameParser::Result::failed: return fail(parser_.fault());
      case FrameParser::Result::control: return take_control();
      case FrameParser::Result::data:
        if (parser_.is_compressed()) {
          inflate();
          break;
        }
        if (const Fault fault = check_text(payload_)) return fail(fault);
        return give_piece(parser_.ends_message());
    }
  }
}

void MessageReader::inflate() {
  if (!decompressor_) decompressor_ = std::make_unique<MessageDecompressor>(*deflate_);
  if (!inflater_) inflater_ = std::make_unique<PieceInflater>(*decompressor_, piece_limits_, 0);
  inflater_->feed(payload_, parser_.ends_message() ? Part::last : Part::more);
}

MessageReader::Result MessageReader::give_piece(bool is_last) noexcept {
  form_ = is_last ? Form::last : Form::pieces;
  if (!is_last) return parser_.message() == Opcode::text ? Result::text : Result::binary;
  return end_message();
}

// ---- Both.

MessageReader::Result MessageReader::take_control() {
  switch (parser_.control()) {
    case Opcode::ping: return Result::ping;
    case Opcode::pong: return Result::pong;
    default: break;
  }
  const Fault fault = parse_close(payload_, close_status_);
  return fault ? fail(fault) : Result::close;
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

void MessageReader::free_message() noexcept {
  std::string().swap(message_);  // its memory too
  if (inflater_ && inflater_->has_ended()) inflater_.reset();
}

MessageReader::Result MessageReader::fail(const Fault& fault) noexcept {
  fault_ = fault;
  // The connection may stay for some seconds, until its peer closes.
  payload_ = {};
  free_delivered();
  inflater_.reset();
  decompressor_.reset();
  form_ = Form::whole;  // no piece is to come
  return Result::failed;
}

}  // namespace squall::websocket
