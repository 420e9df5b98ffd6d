#include "support/http_fixture.h"

#include <fmt/format.h>

namespace squall::testing {
namespace {

// The length of the response at the beginning of `text`, 0 if it is not complete. Handles only responses of
// Squall's server.
std::size_t response_length(std::string_view text) {
  const std::size_t head = text.find("\r\n\r\n");
  if (head == text.npos) return 0;
  const std::string_view headers = text.substr(0, head + 2);
  if (text.starts_with("HTTP/1.1 1") || text.starts_with("HTTP/1.1 204") || text.starts_with("HTTP/1.1 304"))
    return head + 4;
  if (headers.find("\r\nTransfer-Encoding: chunked\r\n") != headers.npos) {
    const std::size_t end = text.find("0\r\n\r\n", head + 4);
    return end == text.npos ? 0 : end + 5;
  }
  const std::size_t length = headers.find("\r\nContent-Length: ");
  if (length == headers.npos) return 0;
  const std::size_t size = head + 4 + std::stoul(std::string(headers.substr(length + 18)));
  return text.size() >= size ? size : 0;
}

}  // namespace

void describe(http::Exchange& exchange, Task<>&) {
  const http::ServerRequest& request = exchange.request();
  exchange.finish(fmt::format("{} {} {}\n", request.method_name(), request.target(), request.body().size()));
}

HTTPFixture::HTTPFixture(FunctionDelegate::Function function, Options options)
    : delegate(std::move(function)), server(delegate, options, loop) {
  ListenOptions listen;
  listen.address = "127.0.0.1";
  server.listen(0, listen);
  log::access().set_level(log::Level::none);
}

HTTPFixture::~HTTPFixture() {
  log::access().inherit_level();
  if (access_level_) log::access().set_level(*access_level_);
}

std::string HTTPFixture::talk(std::string_view bytes) {
  RawPeer peer = connect();
  peer.send(bytes);
  return read_to_end(peer);
}

std::string HTTPFixture::talk_slowly(std::string_view bytes) {
  RawPeer peer = connect();
  std::string all;
  for (const char& byte : bytes) {
    if (peer.drain(all)) return all;
    if (peer.send_some({&byte, 1}) == 0) break;  // the server has refused the request and closed
    loop.run_turn();
    loop.run_turn();
  }
  return all + read_to_end(peer);
}

std::string HTTPFixture::read_responses(RawPeer& peer, int count) {
  std::string all;
  loop.run_until([&] {
    peer.drain(all);
    std::string_view rest = all;
    for (int i = 0; i < count; ++i) {
      const std::size_t length = response_length(rest);
      if (length == 0) return false;
      rest.remove_prefix(length);
    }
    return true;
  });
  return all;
}

std::string HTTPFixture::read_to_end(RawPeer& peer) {
  std::string all;
  loop.run_until([&] { return peer.drain(all); });
  return all;
}

std::string without_date(std::string response) {
  for (;;) {
    const std::size_t begin = response.find("\r\nDate: ");
    if (begin == response.npos) return response;
    response.erase(begin, response.find("\r\n", begin + 2) - begin);
  }
}

}  // namespace squall::testing
