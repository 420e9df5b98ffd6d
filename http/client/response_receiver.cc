#include <squall/http/client/response_receiver.h>

#include <squall/http/message/status.h>

#include <fmt/format.h>

#include <algorithm>

namespace squall::http {

void ResponseReceiver::begin(Fetch& fetch, std::size_t max_header_size) {
  fetch_ = &fetch;
  ResponseParser::Limits limits;
  limits.max_header_size = max_header_size;
  const auto asked = fetch.method() == "HEAD" ? ResponseParser::Asked::head : ResponseParser::Asked::content;
  parser_.begin(fetch.response().data_->headers, asked, limits);
  received_ = 0;
  sink_ = Sink::body;
  has_head_ = false;
  decoder_.reset();
  has_coded_ = false;
}

ResponseReceiver::Result ResponseReceiver::receive(std::string_view& bytes) {
  if (has_coded_) return decode();
  switch (parser_.parse(bytes)) {
    case ResponseParser::Result::more: return Result::more;
    case ResponseParser::Result::informational:
      // Others than 100 tell us nothing that we need to know.
      return parser_.status() == 100 ? Result::may_send : receive(bytes);
    case ResponseParser::Result::head: take_head(); return Result::go_on;
    case ResponseParser::Result::body: return take_piece(parser_.piece());
    case ResponseParser::Result::complete: return end();
    case ResponseParser::Result::failed: break;
  }
  HTTPClientError::Failure failure;
  failure.phase = has_head_ ? FetchPhase::body : FetchPhase::head;
  failure.peer = peer();
  throw HTTPProtocolError(std::string(parser_.reason_failed()), std::move(failure));
}

ResponseReceiver::Result ResponseReceiver::receive_end(std::error_code error) {
  // A body that ends with the connection is only whole if that ended in good order.
  const bool is_complete = parser_.finish() == ResponseParser::Result::complete;
  if (is_complete && (!error || parser_.content_length())) return end();
  HTTPClientError::Failure failure;
  failure.phase = has_head_ ? FetchPhase::body : FetchPhase::head;
  failure.peer = peer();
  failure.error = error;
  throw HTTPStreamClosedError(error ? error.message() : std::string(parser_.reason_failed()), std::move(failure));
}

void ResponseReceiver::take_head() {
  HTTPResponse::Data& data = *fetch_->response().data_;
  has_head_ = true;
  fetch_->enter(FetchPhase::body);
  data.code = parser_.status();
  data.reason = parser_.reason().empty() ? reason_phrase(data.code) : parser_.reason();
  if (data.code == 101) {
    HTTPClientError::Failure failure;
    failure.phase = FetchPhase::head;
    failure.peer = peer();
    throw HTTPProtocolError("Switched protocols, which nobody has asked for", std::move(failure));
  }
  const bool follows = fetch_->will_follow(data.code, data.headers);
  const HTTPRequest& request = fetch_->request();
  if (follows) {
    sink_ = Sink::nothing;
  } else {
    sink_ = request.streaming_callback ? Sink::callback : Sink::body;
    if (request.header_callback) show_head();
    const std::uint64_t length = parser_.content_length().value_or(0);
    if (length > fetch_->max_body_size()) too_large();
    if (fetch_->decompresses()) begin_decoding();
    if (sink_ == Sink::body && length > 0)
      data.body.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(length, 1024 * 1024)));
  }
}

void ResponseReceiver::show_head() const {
  const Headers& headers = fetch_->response().headers();
  const auto& show = fetch_->request().header_callback;
  show(fmt::format("{}\r\n", parser_.status_line()));
  for (const Headers::Field field : headers) show(fmt::format("{}: {}\r\n", field.name, field.value));
  show("\r\n");
}

ResponseReceiver::Result ResponseReceiver::take_piece(std::string_view piece) {
  received_ += piece.size();
  if (sink_ == Sink::nothing) return received_ > kMaxDiscarded ? Result::abandoned : Result::go_on;
  if (received_ > fetch_->max_body_size()) too_large();
  if (decoder_) {
    coded_ = piece;
    has_coded_ = true;
    return decode();
  }
  if (sink_ == Sink::callback) {
    piece_ = piece;
    return Result::piece;
  }
  fetch_->response().data_->body.append(piece);
  return Result::go_on;
}

void ResponseReceiver::begin_decoding() {
  Headers& headers = fetch_->response().data_->headers;
  const auto found = headers.find("Content-Encoding");
  if (!found) return;
  const std::string coding(*found);
  std::unique_ptr<ContentDecoder> decoder = make_content_decoder(coding);
  if (!decoder) return;
  BoundedDecoder::Limits limits;
  limits.max_size = fetch_->max_body_size();
  decoder_.emplace(std::move(decoder), limits);
  headers.remove("Content-Encoding");
  headers.add("X-Consumed-Content-Encoding", coding);
}

// Some of what came: as much as fits into one piece.
ResponseReceiver::Result ResponseReceiver::decode() {
  if (decoded_.empty()) decoded_.resize(kDecodedPiece);
  const std::size_t size = decoder_->decode(coded_, decoded_);
  if (decoder_->refusal()) refuse_coding();
  has_coded_ = size == decoded_.size();
  const std::string_view made = std::string_view(decoded_).substr(0, size);
  if (sink_ == Sink::body) fetch_->response().data_->body.append(made);
  if (sink_ != Sink::callback || made.empty()) return Result::go_on;
  piece_ = made;
  return Result::piece;
}

void ResponseReceiver::refuse_coding() const {
  if (decoder_->refusal().status == 413) too_large();
  HTTPClientError::Failure failure;
  failure.phase = FetchPhase::body;
  failure.peer = peer();
  throw HTTPProtocolError(fmt::format("The response's body does not decode: {}", decoder_->refusal().reason),
                          std::move(failure));
}

ResponseReceiver::Result ResponseReceiver::end() {
  if (decoder_ && received_ > 0 && !decoder_->finish()) refuse_coding();
  decoder_.reset();
  decoded_ = std::string();
  if (!parser_.trailers().empty()) fetch_->response().data_->trailers = parser_.take_trailers();
  return Result::complete;
}

void ResponseReceiver::too_large() const {
  HTTPClientError::Failure failure;
  failure.phase = FetchPhase::body;
  failure.peer = peer();
  throw HTTPBodyTooLargeError(
      fmt::format("The response's body is larger than {} bytes", fetch_->max_body_size()),
      std::move(failure));
}

}  // namespace squall::http
