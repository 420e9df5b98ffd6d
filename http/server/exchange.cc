#include <squall/http/server/exchange.h>

#include <squall/http/server/proxy_headers.h>
#include <squall/http/server/server_connection.h>
#include <squall/http/server/server_context.h>

#include <optional>
#include <stdexcept>
#include <utility>

namespace squall::http {
namespace {

// A buffer that a large message has enlarged beyond this size is freed with the request.
constexpr std::size_t kKeptGathered = 64 * 1024;
constexpr std::size_t kKeptRequestHead = 4 * 1024;

}  // namespace

Exchange::Exchange() : response_(request_), body_(parser_, request_.head_, response_) {
  request_.body_ = &body_;
}

[[gnu::hot]] void Exchange::begin(ServerConnection& connection, IOStream& stream) {
  ServerContext& context = connection.context();
  stream_ = &stream;
  connection_ = &connection;
  context_ = nullptr;
  new_delegate_ = nullptr;
  runs_to_end_ = task_ends_itself_ = detached_ = false;
  request_.remote_ = connection.peer();
  request_.stream_ = &stream;
  request_.start_ = stream.loop().time();
  request_.id_.clear();
  request_.secure_ = false;
  if (context.needs_slow_path || stream.transport()) [[unlikely]]
    begin_slowly(context);
  const bool closes = !context.options.keep_alive || context.server.draining();
  response_.begin(stream, context.default_headers,
                  closes ? ResponseWriter::After::close : ResponseWriter::After::keep_open, times());
  buffer_.clear();
}

void Exchange::begin_slowly(const ServerContext& context) {
  request_.secure_ = stream_->transport() || context.options.protocol == HTTPServerOptions::Protocol::https;
  request_.id_trusted_ = context.options.trust_request_id;
  is_measured_ = context.options.measure_times;
  request_.times_ = {};
}

void Exchange::apply(const ProxyHeaders& proxy_headers, const Address& peer) {
  const ProxyHeaders::Client client = proxy_headers.client_of(peer, request_.secure_, request_.headers());
  request_.remote_ = client.address;
  request_.secure_ = client.secure;
  request_.id_trusted_ = request_.id_trusted_ && client.trusted;
}

[[gnu::hot]] void Exchange::give_back_memory() noexcept {
  // Assigning an empty string would keep the memory.
  if (buffer_.capacity() > kKeptGathered) [[unlikely]]
    std::string().swap(buffer_);
  body_.reset();
  attachment_.reset();
  // The offsets of a head's fields may take five times as much memory as its text.
  const std::size_t any = request_.head_.headers.text().size() | request_.head_.trailers.text().size();
  if (any > kKeptRequestHead) [[unlikely]]
    parser_.forget();
  response_.give_back_memory();
}

void Exchange::respond(const ServerResponse& response) {
  set_status(response.status, response.reason);
  add_headers(response.headers);
  for (const auto [name, value] : response.trailers) trailers().add(name, value);
  finish(response.body);
}

void Exchange::finish(SharedBytes body) {
  end_request();
  response_.finish(std::move(body));
}

void Exchange::finish_file(FileSlice file) {
  end_request();
  response_.finish_file(std::move(file));
}

Task<> Exchange::finish_with(AsyncGenerator<std::string> pieces) {
  for (;;) {
    const std::optional<std::string> piece = co_await pieces.next();
    if (!piece) break;
    write(*piece);
    if (!response_.sends_body()) break;
    co_await flush();
  }
  finish();
}

IOStream Exchange::detach() {
  if (detached_) throw std::logic_error("detach() called twice");
  IOStream stream = connection_->detach();
  detached_ = true;
  body_.detach();
  response_.detach();
  return stream;
}

std::unique_ptr<Exchange::Successor> Exchange::leave_connection() noexcept {
  stream_ = nullptr;
  connection_ = nullptr;
  request_.stream_ = nullptr;
  std::string().swap(buffer_);
  return std::move(successor_);
}

std::optional<int> Exchange::cancelled_with() const noexcept {
  if (connection_->handler_outcome() == HandlerOutcome::timed_out) return 408;
  return std::nullopt;
}

}  // namespace squall::http
