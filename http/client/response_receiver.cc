#include <squall/http/client/response_receiver.h>

#include <squall/http/message/status.h>

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace squall::http {

void ResponseReceiver::begin(Fetch& fetch, std::size_t max_header_size) {
  fetch_ = &fetch;
  ResponseParser::Limits limits;
  limits.max_header_size = max_header_size;
  const auto asked = fetch.method() == "HEAD" ? ResponseParser::Asked::head : ResponseParser::Asked::content;
  parser_.begin(fetch.data().headers, asked, limits);
  received_ = 0;
  sink_ = Sink::unknown;
  decoder_.reset();
  is_decoding_ = false;
}

ResponseReceiver::Result ResponseReceiver::receive(std::string_view& bytes) {
  if (is_decoding_) return decode();
  switch (parser_.parse(bytes)) {
    case ResponseParser::Result::more: return Result::more;
    case ResponseParser::Result::informational:
      // Other informational responses need no action.
      return parser_.status() == 100 ? Result::may_send : Result::go_on;
    case ResponseParser::Result::head: return take_head();
    case ResponseParser::Result::body: return take_piece(parser_.piece());
    case ResponseParser::Result::complete: return end();
    case ResponseParser::Result::failed: break;
  }
  fail(std::string(parser_.reason_failed()));
}

void ResponseReceiver::receive_end(std::error_code error) {
  // A body that ends with the connection is complete only if the connection ended without an error.
  const bool is_complete = parser_.finish() == ResponseParser::Result::complete;
  if (is_complete && (!error || parser_.content_length())) {
    end();
    return;
  }
  HTTPClientError::Failure failure = fetch_->failure(phase());
  failure.code = error;
  throw HTTPStreamClosedError(error ? error.message() : std::string(parser_.reason_failed()),
                              std::move(failure));
}

ResponseReceiver::Result ResponseReceiver::take_head() {
  HTTPResponse::Data& data = fetch_->data();
  data.status = parser_.status();
  data.reason = parser_.reason().empty() ? reason_phrase(data.status) : parser_.reason();
  if (data.status == 101) return take_switch();
  fetch_->enter(FetchPhase::body);
  const HTTPRequest& request = fetch_->request();
  if (fetch_->will_follow(data.status, data.headers)) {
    sink_ = Sink::nothing;
    return Result::go_on;
  }
  sink_ = request.streaming_callback ? Sink::callback : Sink::body;
  if (request.header_callback) show_head();
  const std::uint64_t length = parser_.content_length().value_or(0);
  if (length > fetch_->max_body_size()) fail_too_large();
  // The body of a 206 is a part of the compressed data (RFC 9110, 15.3.7).
  if (fetch_->decompresses() && data.status != 206) begin_decoding();
  if (sink_ == Sink::body && length > 0)
    data.body.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(length, 1024 * 1024)));
  return Result::go_on;
}

ResponseReceiver::Result ResponseReceiver::take_switch() {
  if (!fetch_->expects_upgrade()) fail("The server switched protocols, but the request did not ask for it");
  if (!fetch_->data().headers.contains("Upgrade"))
    fail("The server switched protocols without an Upgrade header that names the protocol");
  if (!fetch_->accepts_upgrade(fetch_->data().headers))
    fail("The server switched to a protocol that the request did not name");
  if (fetch_->request().header_callback) show_head();
  return Result::upgraded;
}

void ResponseReceiver::show_head() const {
  const auto& show = fetch_->request().header_callback;
  show(fmt::format("{}\r\n", parser_.status_line()));
  for (const Headers::Field field : fetch_->data().headers)
    show(fmt::format("{}: {}\r\n", field.name, field.value));
  show("\r\n");
}

ResponseReceiver::Result ResponseReceiver::take_piece(std::string_view piece) {
  received_ += piece.size();
  if (sink_ == Sink::nothing) return received_ > kMaxDiscarded ? Result::abandoned : Result::go_on;
  if (received_ > fetch_->max_body_size()) fail_too_large();
  if (decoder_) {
    coded_ = piece;
    is_decoding_ = true;
    return decode();
  }
  if (sink_ == Sink::callback) {
    piece_ = piece;
    return Result::piece;
  }
  fetch_->data().body.append(piece);
  return Result::go_on;
}

void ResponseReceiver::begin_decoding() {
  Headers& headers = fetch_->data().headers;
  if (!headers.contains("Content-Encoding")) return;
  // Two fields are a list of codings, which is not decoded either.
  const std::string coding = headers.get("Content-Encoding");
  std::unique_ptr<ContentDecoder> decoder = make_content_decoder(coding, TrailingZeros::ignored);
  if (!decoder) return;
  BoundedDecoder::Limits limits;
  limits.max_size = fetch_->max_body_size();
  decoder_.emplace(std::move(decoder), limits);
  headers.remove("Content-Encoding");
  headers.add("X-Consumed-Content-Encoding", coding);
}

// Decodes one piece. The decoder may have more output for the same input if it filled the piece.
ResponseReceiver::Result ResponseReceiver::decode() {
  if (decoded_.empty()) decoded_.resize(kDecodedPiece);
  const std::size_t size = decoder_->decode(coded_, decoded_);
  if (decoder_->refusal()) fail_to_decode();
  is_decoding_ = size == decoded_.size();
  const std::string_view made = std::string_view(decoded_).substr(0, size);
  if (sink_ == Sink::body) fetch_->data().body.append(made);
  if (sink_ != Sink::callback || made.empty()) return Result::go_on;
  piece_ = made;
  return Result::piece;
}

ResponseReceiver::Result ResponseReceiver::end() {
  if (decoder_ && received_ > 0 && !decoder_->finish()) fail_to_decode();
  decoder_.reset();
  decoded_ = std::string();
  if (!parser_.trailers().empty()) fetch_->data().trailers = parser_.take_trailers();
  return Result::complete;
}

void ResponseReceiver::fail(std::string message) const {
  throw HTTPProtocolError(std::move(message), fetch_->failure(phase()));
}

void ResponseReceiver::fail_to_decode() const {
  if (decoder_->refusal().status == 413) fail_too_large();
  fail(fmt::format("Cannot decode the body of the response: {}", decoder_->refusal().reason));
}

void ResponseReceiver::fail_too_large() const {
  throw HTTPBodyTooLargeError(
      fmt::format("The body of the response is larger than {} bytes", fetch_->max_body_size()),
      fetch_->failure(FetchPhase::body));
}

}  // namespace squall::http
