#include <squall/web/handler/multipart_reader.h>

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/temporary_folder.h"
#include "support/web_fixture.h"

namespace squall::web::multipart_reader_test {
namespace {

using testing::Live;
using testing::RawPeer;
using testing::TemporaryFolder;
using testing::TestLoop;
using testing::WebFixture;

const std::string kType = "multipart/form-data; boundary=x";

std::string part(std::string_view disposition, std::string_view data) {
  return fmt::format("--x\r\nContent-Disposition: form-data; {}\r\n\r\n{}\r\n", disposition, data);
}

// Gives the pieces of a body.
class Pieces {
 public:
  Pieces(std::string body, std::size_t size) : body_(std::move(body)), size_(size) {}

  Task<std::string_view> next() {
    co_await moment();
    // A view into memory of its own, so that a use after the next call is an error.
    piece_ = body_.substr(0, size_);
    body_.erase(0, piece_.size());
    co_return piece_;
  }
  MultipartReader reader(const http::MultipartLimits& limits = {}) {
    return MultipartReader(kType, [this] { return next(); }, limits);
  }

 private:
  std::string body_;
  std::size_t size_;
  std::string piece_;
};

Task<> describe(MultipartReader& reader, std::string& text) {
  for (;;) {
    const http::MultipartPart* const part = co_await reader.next_part();
    if (!part) break;
    const std::string data = co_await reader.read_text();
    text += fmt::format("{}{}{}: {};", part->name, part->is_file() ? "=" : "", part->filename, data);
  }
}

TEST_CASE("parts come in their order, however the body is cut", "[multipart_reader]") {
  TestLoop loop;
  const std::string body = part("name=a", "1") + part("name=f; filename=g.txt", "two\r\n--lines") +
                           part("name=empty", "") + "--x--\r\nignored";
  for (const std::size_t size : {1, 2, 7, 1000}) {
    Pieces pieces(body, size);
    MultipartReader reader = pieces.reader();
    std::string text;
    loop.run(describe(reader, text));
    CHECK(text == "a: 1;f=g.txt: two\r\n--lines;empty: ;");
  }
}

Task<std::string> skip(MultipartReader& reader) {
  std::string names;
  for (;;) {
    const http::MultipartPart* const part = co_await reader.next_part();
    if (!part) break;
    names += part->name;
    // The first piece only.
    if (part->name == "b") static_cast<void>(co_await reader.read());
  }
  const http::MultipartPart* const after = co_await reader.next_part();
  co_return after ? "another part" : names;
}

TEST_CASE("the rest of a part may be skipped", "[multipart_reader]") {
  TestLoop loop;
  Pieces pieces(part("name=a", "1") + part("name=b", std::string(1000, 'b')) + part("name=c", "") + "--x--",
                10);
  MultipartReader reader = pieces.reader();
  CHECK(loop.run(skip(reader)) == "abc");
}

Task<> read_once(MultipartReader& reader) { static_cast<void>(co_await reader.read()); }
Task<> read_to_end(MultipartReader& reader) {
  std::string ignored;
  co_await describe(reader, ignored);
}

TEST_CASE("reading without a part throws std::logic_error", "[multipart_reader]") {
  TestLoop loop;
  Pieces pieces("--x--", 100);
  MultipartReader reader = pieces.reader();
  CHECK(loop.run(testing::throws<std::logic_error>(read_once(reader))));
  loop.run(read_to_end(reader));
  CHECK(loop.run(testing::throws<std::logic_error>(read_once(reader))));
}

std::string fault_of(TestLoop& loop, const std::string& body, const http::MultipartLimits& limits = {}) {
  Pieces pieces(body, 10);
  MultipartReader reader = pieces.reader(limits);
  for (int i = 0; i < 2; ++i) {
    // The second call fails too.
    try {
      loop.run(read_to_end(reader));
      return "no fault";
    } catch (const HTTPError& error) {
      if (i == 1) return fmt::format("{} {}", error.status(), error.message());
    }
  }
  return "";
}

TEST_CASE("a malformed form, and a form beyond a limit, are 400 (HUT-62, HUT-64)", "[multipart_reader]") {
  TestLoop loop;
  const std::string start = "400 Invalid body: Invalid multipart/form-data: ";
  CHECK(fault_of(loop, part("name=a", "1")) == start + "no final boundary found");
  CHECK(fault_of(loop, "") == start + "no final boundary found");
  CHECK(fault_of(loop, "text" + part("name=a", "1") + "--x--") ==
        start + "multipart/form-data missing headers");
  CHECK(fault_of(loop, part("filename=a", "1") + "--x--") == start + "multipart/form-data missing name");
  http::MultipartLimits limits;
  limits.max_parts = 3;
  limits.max_part_header_size = 60;
  limits.max_size = 500;
  CHECK(fault_of(loop, part("name=a", "") + part("name=b", "") + "--x--", limits) == "no fault");
  CHECK(fault_of(loop, part("name=a", "") + part("name=b", "") + part("name=c", "") + "--x--", limits) ==
        start + "multipart/form-data has too many parts");
  CHECK(fault_of(loop, part("name=" + std::string(100, 'a'), "") + "--x--", limits) ==
        start + "part header too large");
  CHECK(fault_of(loop, part("name=a", std::string(500, 'a')) + "--x--", limits) ==
        start + "multipart/form-data too large");
}

TEST_CASE("a Content-Type without multipart/form-data or a boundary is 400 (HUT-62)", "[multipart_reader]") {
  for (const char* type :
       {"", "text/plain; boundary=x", "multipart/form-data", "multipart/form-dataxyz; boundary=x"})
    CHECK_THROWS_AS(MultipartReader(type, nullptr), HTTPError);
}

Task<> read_text(MultipartReader& reader, std::size_t max_size, std::string& text) {
  static_cast<void>(co_await reader.next_part());
  text = co_await reader.read_text(max_size);
}

TEST_CASE("a text has a limit, and more is 413", "[multipart_reader]") {
  TestLoop loop;
  std::string text;
  for (const std::size_t size : {1, 1000}) {
    Pieces fits(part("name=a", "12345") + "--x--", size);
    MultipartReader reader = fits.reader();
    loop.run(read_text(reader, 5, text));
    CHECK(text == "12345");
    Pieces too_long(part("name=a", "123456") + "--x--", size);
    MultipartReader other = too_long.reader();
    try {
      loop.run(read_text(other, 5, text));
      FAIL("taken");
    } catch (const HTTPError& error) {
      CHECK(error.status() == 413);
      CHECK(error.message() == "the part 'a' is larger than 5 bytes");
    }
  }
}

// ---- In a handler.

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Saves each file under the name of its field.
class SaveHandler : public RequestHandler {
 public:
  static constexpr bool stream_request_body = true;
  void initialize(const TemporaryFolder& folder) { folder_ = &folder; }
  Task<> post() {
    const Live live;
    MultipartReader reader(*this);
    for (;;) {
      const http::MultipartPart* const part = co_await reader.next_part();
      if (!part) break;
      const std::string name = part->name;
      if (!part->is_file()) {
        const std::string text = co_await reader.read_text(10);
        write(fmt::format("{}={} ", name, text));
        continue;
      }
      const std::uint64_t size = co_await reader.save_to(*folder_ / name, 2'000'000);
      write(fmt::format("{}: {} ", name, size));
    }
  }

 private:
  const TemporaryFolder* folder_ = nullptr;
};

// Sends a request whose body has no length in the head.
void send_all(WebFixture& web, RawPeer& peer, std::string_view bytes, std::string& response) {
  web.loop.run_until([&] {
    bytes.remove_prefix(peer.send_some(bytes));
    return peer.drain(response) || (bytes.empty() && response.find("\r\n\r\n") != response.npos);
  });
}

std::string upload(const std::string& body, std::size_t length) {
  return fmt::format("POST / HTTP/1.1\r\nHost: h\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n{}", kType,
                     length, body);
}

TEST_CASE("save_to() writes a part to a new file", "[multipart_reader]") {
  const TemporaryFolder folder;
  WebFixture web({url<SaveHandler>("/", std::ref(folder))});
  std::string data;
  for (int i = 0; i < 200'000; ++i) data += fmt::format("{}\r\n", i % 10'000);
  const std::string body = part("name=title", "Hello") + part("name=big; filename=../x", data) +
                           part("name=empty; filename=y", "") + "--x--\r\n";
  RawPeer peer = web.connect();
  std::string response;
  send_all(web, peer, upload(body, body.size()), response);
  CHECK(response.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(response.ends_with(fmt::format("\r\n\r\ntitle=Hello big: {} empty: 0 ", data.size())));
  CHECK(contents(folder / "big") == data);
  CHECK(std::filesystem::exists(folder / "empty"));

  // The connection serves another request, whose file exists already.
  response.clear();
  send_all(web, peer, upload(body, body.size()), response);
  CHECK(response.starts_with("HTTP/1.1 500 "));
  web.loop.log.expect("File exists");
  web.loop.log.expect("500 POST /");
  CHECK(contents(folder / "big") == data);
}

TEST_CASE("a file beyond the limit is 413, and is deleted", "[multipart_reader]") {
  const TemporaryFolder folder;
  WebFixture web({url<SaveHandler>("/", std::ref(folder))});
  const std::string body = part("name=big; filename=x", std::string(2'000'001, 'x')) + "--x--\r\n";
  RawPeer peer = web.connect();
  std::string response;
  send_all(web, peer, upload(body, body.size()), response);
  CHECK(response.starts_with("HTTP/1.1 413 "));
  web.loop.log.expect("the part 'big' is larger than 2000000 bytes");
  web.loop.log.expect("413 POST /");
  web.loop.run_until([&] { return std::filesystem::is_empty(folder / ""); });
}

TEST_CASE("the file of a client that goes away is deleted", "[multipart_reader]") {
  const TemporaryFolder folder;
  WebFixture web({url<SaveHandler>("/", std::ref(folder))});
  RawPeer peer = web.connect();
  peer.send(upload(part("name=big; filename=x", "begin").substr(0, 70), 100'000));
  web.loop.run_until([&] { return std::filesystem::exists(folder / "big"); });
  peer.reset();
  web.loop.run_until([&] { return Live::count == 0 && std::filesystem::is_empty(folder / ""); });
  web.loop.log.expect("499 POST /");
}

TEST_CASE("100,000 parts in 500 KB are refused at the limit of parts (SEC-20)", "[multipart_reader]") {
  const TemporaryFolder folder;
  WebFixture web({url<SaveHandler>("/", std::ref(folder))});
  std::string body;
  for (int i = 0; i < 100'000; ++i) body += "--x\r\n";
  body += "--x--\r\n";
  RawPeer peer = web.connect();
  std::string response;
  send_all(web, peer, upload(body, body.size()), response);
  CHECK(response.starts_with("HTTP/1.1 400 "));
  web.loop.log.expect("multipart/form-data has too many parts");
  web.loop.log.expect("400 POST /");
}

}  // namespace
}  // namespace squall::web::multipart_reader_test
