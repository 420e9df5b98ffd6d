#include "support/web_fixture.h"

#include <fmt/format.h>

namespace squall::testing {
namespace {

ListenOptions loopback() {
  ListenOptions options;
  options.address = "127.0.0.1";
  return options;
}

}  // namespace

bool is_whole_500(std::string_view response) {
  constexpr std::string_view kPage =
      "<html><title>500: Internal Server Error</title><body>500: Internal Server Error</body></html>";
  const std::size_t head = response.find("\r\n\r\n");
  return response.starts_with("HTTP/1.1 500 Internal Server Error\r\n") && head != response.npos &&
         response.substr(head + 4) == kPage &&
         response.find(fmt::format("\r\nContent-Length: {}\r\n", kPage.size())) < head;
}

WebFixture::WebFixture(std::vector<web::Rule> rules, web::Settings settings, Options options)
    : app(std::move(rules), std::move(settings)), server(app.listen(0, loopback(), options)) {}

std::string WebFixture::read_to_end(RawPeer& peer) {
  std::string all;
  loop.run_until([&] { return peer.drain(all); });
  return all;
}

std::string WebFixture::fetch(std::string_view method, std::string_view target, std::string_view headers,
                              std::string_view body) {
  RawPeer peer = connect();
  std::string request =
      fmt::format("{} {} HTTP/1.1\r\nHost: h.example\r\nConnection: close\r\n{}", method, target, headers);
  if (!body.empty()) request += fmt::format("Content-Length: {}\r\n", body.size());
  peer.send(request + "\r\n" + std::string(body));
  return without_date(read_to_end(peer));
}

std::string WebFixture::brief(std::string_view method, std::string_view target, std::string_view headers,
                              std::string_view body) {
  const std::string response = fetch(method, target, headers, body);
  const std::size_t head = response.find("\r\n\r\n");
  if (head == response.npos) return "no response: " + response;
  return response.substr(9, 3) + " " + response.substr(head + 4);
}

}  // namespace squall::testing
