#include <squall/web.h>

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "support/temporary_folder.h"
#include "support/web_fixture.h"

namespace squall::web::file_saver_test {
namespace {

using testing::Live;
using testing::RawPeer;
using testing::TemporaryFolder;
using testing::WebFixture;

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class SaveHandler : public RequestHandler {
 public:
  static constexpr bool stream_request_body = true;
  void initialize(const TemporaryFolder& folder) { folder_ = &folder; }
  void prepare() { set_max_body_size(2'000'000); }
  Task<> put(std::string name) {
    const Live live;
    const std::uint64_t size = co_await save_body_to(*folder_ / name);
    write(fmt::format("{} bytes", size));
  }

 private:
  const TemporaryFolder* folder_ = nullptr;
};

// The same after the body has arrived.
class CollectHandler : public RequestHandler {
 public:
  void initialize(const TemporaryFolder& folder) { folder_ = &folder; }
  Task<> put() {
    const std::uint64_t size = co_await save_body_to(*folder_ / "collected");
    write(fmt::format("{} bytes", size));
  }

 private:
  const TemporaryFolder* folder_ = nullptr;
};

struct Site {
  TemporaryFolder folder;
  WebFixture web{
      {url<CollectHandler>("/collect", std::ref(folder)), url<SaveHandler>("/(.*)", std::ref(folder))}};
};

TEST_CASE("save_body_to() writes the body to a new file", "[file_saver]") {
  Site site;
  std::string data;
  for (int i = 0; data.size() < 1'900'000; ++i) data += fmt::format("{}\r\n", i);
  CHECK(site.web.brief("PUT", "/big", "", data) == fmt::format("200 {} bytes", data.size()));
  CHECK(contents(site.folder / "big") == data);
  CHECK(site.web.brief("PUT", "/empty") == "200 0 bytes");
  CHECK(std::filesystem::file_size(site.folder / "empty") == 0);
  CHECK(site.web.brief("PUT", "/collect", "", "all of it") == "200 9 bytes");
  CHECK(contents(site.folder / "collected") == "all of it");
}

TEST_CASE("save_body_to() replaces no file", "[file_saver]") {
  Site site;
  site.folder.file("taken", "first");
  CHECK(site.web.brief("PUT", "/taken", "", "second").starts_with("500 "));
  site.web.loop.log.expect("File exists");
  site.web.loop.log.expect("500 PUT /taken");
  CHECK(contents(site.folder / "taken") == "first");
}

// A chunked body of three megabytes.
std::string chunks() {
  std::string body;
  for (int i = 0; i < 3; ++i) body += fmt::format("{:x}\r\n{}\r\n", 1'000'000, std::string(1'000'000, 'x'));
  return body + "0\r\n\r\n";
}

TEST_CASE("save_body_to() leaves no file of a body that is too large", "[file_saver]") {
  Site site;
  RawPeer peer = site.web.connect();
  const std::string request = "PUT /big HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks();
  std::string_view rest = request;
  std::string response;
  site.web.loop.run_until([&] {
    rest.remove_prefix(peer.send_some(rest));
    return peer.drain(response) || response.find("\r\n\r\n") != response.npos;
  });
  CHECK(response.starts_with("HTTP/1.1 413 "));
  site.web.loop.run_until([&] { return std::filesystem::is_empty(site.folder / ""); });
  site.web.loop.log.expect("413 PUT /big (127.0.0.1): ");
  site.web.loop.log.expect("413 PUT /big");
}

TEST_CASE("save_body_to() leaves no file of a client that goes away", "[file_saver]") {
  Site site;
  RawPeer peer = site.web.connect();
  peer.send("PUT /big HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" + std::string(400'000, 'x'));
  site.web.loop.run_until([&] { return std::filesystem::exists(site.folder / "big"); });
  peer.reset();
  site.web.loop.run_until([&] { return Live::count == 0 && std::filesystem::is_empty(site.folder / ""); });
  site.web.loop.log.expect("499 PUT /big");
}

}  // namespace
}  // namespace squall::web::file_saver_test
