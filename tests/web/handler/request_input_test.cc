#include <squall/web/handler/request_input.h>

#include <squall/http/message/latin1.h>

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/web_fixture.h"

namespace squall::web::request_input_test {

struct Color {
  std::string name;
};

}  // namespace squall::web::request_input_test

template <>
struct squall::web::ArgumentConverter<squall::web::request_input_test::Color> {
  static std::optional<request_input_test::Color> convert(std::string decoded) {
    if (decoded != "red") return std::nullopt;
    return request_input_test::Color{decoded};
  }
};

namespace squall::web::request_input_test {
namespace {

using namespace std::chrono_literals;
using testing::RawPeer;
using testing::WebFixture;

// ---- The groups of the path.

// Writes its groups before the verb, in prepare().
class GroupsHandler : public RequestHandler {
 public:
  void initialize() {
    for (const auto& value : path_args()) write(value ? "[" + *value + "]" : "[none]");
  }
  Task<> prepare() {
    co_await moment();
    if (request().query() == "named")
      write(fmt::format(" {} {}", path_argument<int>("year"), path_argument("title")));
    if (request().query() == "index") write(fmt::format(" {} {}", path_argument<int>(0), path_argument(1)));
    if (request().query() == "optional") {
      const auto none = path_argument<std::optional<std::string>>("more");
      write(none ? *none : " without more");
    }
    if (request().query() == "more") write(path_argument("more"));
    if (request().query() == "number") write(fmt::to_string(path_argument<int>("title")));
    if (request().query() == "unknown") write(path_argument("unknown"));
    if (request().query() == "beyond") write(path_argument(3));
  }
  void get() { write("."); }
};

TEST_CASE("the decoded groups of the path are there before the verb, by name and by index (WEB-17, WEB-33)",
          "[request_input]") {
  WebFixture web({url<GroupsHandler>(R"(/(?<year>\d+)/(?<title>[^/]*)(?:/(?<more>x))?)")});
  CHECK(web.brief("GET", "/2026/a%20b%2Fc+d") == "200 [2026][a b/c+d][none].");
  CHECK(web.brief("GET", "/2026/t?named") == "200 [2026][t][none] 2026 t.");
  CHECK(web.brief("GET", "/2026/t?index") == "200 [2026][t][none] 2026 t.");
  CHECK(web.brief("GET", "/2026/t?optional") == "200 [2026][t][none] without more.");
  CHECK(web.brief("GET", "/2026/t/x?optional") == "200 [2026][t][x]x.");
  for (const std::string query : {"more", "number"}) {
    CHECK(web.brief("GET", "/2026/t?" + query).starts_with("404 "));
    web.loop.log.expect("404 GET");
  }
  for (const std::string query : {"unknown", "beyond"}) {
    CHECK(web.brief("GET", "/2026/t?" + query).starts_with("500 "));
    web.loop.log.expect(query == "unknown" ? "the route has no group 'unknown'"
                                           : "the route has 3 groups, and none at index 3");
    web.loop.log.expect("500 GET");
  }
  CHECK(web.brief("GET", "/2026/%ff").starts_with("400 "));
  web.loop.log.expect("400 GET /2026/%ff (127.0.0.1): Invalid unicode in url: \xff");
  web.loop.log.expect("400 GET");
}

class UnnamedGroupsHandler : public RequestHandler {
 public:
  static constexpr bool stream_request_body = true;
  void prepare() { write(path_argument(0) + path_argument<std::string>(1)); }
  Task<> post() {
    co_await moment();
    write(path_argument(1));
  }
};

TEST_CASE("a handler that streams its body has the groups of the path too", "[request_input]") {
  WebFixture web({url<UnnamedGroupsHandler>("/(a+)(b+)")});
  CHECK(web.brief("POST", "/aabbb") == "200 aabbbbbb");
}

// ---- Arguments.

class ArgumentsHandler : public RequestHandler {
 public:
  void get() {
    for (const std::string& value : get_arguments("x")) write("[" + value + "]");
    write(" last=" + get_argument("x", "none"));
    write(" query=" + get_query_argument("x", "none"));
    write(" body=" + get_body_argument("x", "none"));
    write(fmt::format(" counts={},{}", get_query_arguments("x").size(), get_body_arguments("x").size()));
  }
  void post() { get(); }
};
class RequiredHandler : public RequestHandler {
 public:
  void get() { write(get_argument("name")); }
  void post() { write(get_body_argument("name")); }
  void put() { write(get_query_argument("name")); }
};

class TypedHandler : public RequestHandler {
 public:
  void get(std::string what) {
    if (what == "required") write(fmt::format("{}", argument<int>("page")));
    if (what == "otherwise") write(fmt::format("{}", argument<int>("page", 1)));
    if (what == "text") write(argument("page", "none") + "," + argument("page"));
    if (what == "real") write(fmt::format("{}", argument<double>("page")));
    if (what == "flag") write(fmt::format("{}", argument<bool>("page", false)));
    if (what == "color") write(argument<Color>("page", {"no color"}).name);
    if (what == "optional") {
      const auto number = argument<std::optional<int>>("page");
      const auto text = argument<std::optional<std::string>>("page");
      write(fmt::format("{},{}", number ? fmt::to_string(*number) : "none", text.value_or("none")));
    }
    if (what == "all")
      write(fmt::format("{} {} {}", fmt::join(arguments<int>("page"), "+"),
                        fmt::join(query_arguments<int>("page"), "+"),
                        fmt::join(body_arguments<unsigned>("page"), "+")));
    if (what == "sources")
      write(fmt::format("{} {} {} {}", query_argument<int>("page"), query_argument<int>("none", -1),
                        body_argument<int>("page"), body_argument<int>("none", -2)));
  }
  void post(std::string what) { get(what); }
};

const std::string kForm = "Content-Type: application/x-www-form-urlencoded\r\n";

TEST_CASE("an argument has the type that the handler asks for", "[request_input]") {
  WebFixture web({url<TypedHandler>("/(.*)")});
  CHECK(web.brief("GET", "/required?page=3") == "200 3");
  CHECK(web.brief("GET", "/required?page=+-3+") == "200 -3");
  CHECK(web.brief("GET", "/otherwise?page=3") == "200 3");
  CHECK(web.brief("GET", "/otherwise") == "200 1");
  CHECK(web.brief("GET", "/text?page=x") == "200 x,x");
  CHECK(web.brief("GET", "/real?page=2.5") == "200 2.5");
  CHECK(web.brief("GET", "/flag?page=on") == "200 true");
  CHECK(web.brief("GET", "/flag") == "200 false");
  CHECK(web.brief("GET", "/color?page=red") == "200 red");
  CHECK(web.brief("GET", "/color") == "200 no color");
  CHECK(web.brief("GET", "/optional") == "200 none,none");
  CHECK(web.brief("GET", "/optional?page=") == "200 none,");
  CHECK(web.brief("GET", "/optional?page=5") == "200 5,5");
  CHECK(web.brief("POST", "/all?page=1&page=2", kForm, "page=3") == "200 1+2+3 1+2 3");
  CHECK(web.brief("GET", "/all") == "200   ");
  CHECK(web.brief("POST", "/sources?page=1", kForm, "page=2") == "200 1 -1 2 -2");
}

TEST_CASE("an argument that is not of its type is a 400 that names it", "[request_input]") {
  WebFixture web({url<TypedHandler>("/(.*)")});
  for (const std::string target : {"/required?page=x", "/otherwise?page=x", "/optional?page=x",
                                   "/color?page=x", "/flag?page=x", "/all?page=1&page=x", "/real?page=x"}) {
    CHECK(web.brief("GET", target).starts_with("400 "));
    web.loop.log.expect(fmt::format("400 GET {} (127.0.0.1): Invalid argument page: 'x'", target));
    web.loop.log.expect("400 GET");
  }
  for (const std::string value : {"nan", "inf", "-Infinity", "1e999"}) {
    CHECK(web.brief("GET", "/real?page=" + value).starts_with("400 "));
    web.loop.log.expect("Invalid argument page: '" + value + "'");
    web.loop.log.expect("400 GET");
  }
  CHECK(web.brief("GET", "/required?page=").starts_with("400 "));
  web.loop.log.expect("Invalid argument page: ''");
  web.loop.log.expect("400 GET");
  CHECK(web.brief("GET", "/required").starts_with("400 "));
  web.loop.log.expect("Missing argument page");
  web.loop.log.expect("400 GET");
  CHECK(web.brief("GET", "/required?page=" + std::string(100, '9')).starts_with("400 "));
  web.loop.log.expect("Invalid argument page: '" + std::string(40, '9') + "'");
  web.loop.log.expect("400 GET");
}

class BlanksHandler : public RequestHandler {
 public:
  void get() {
    for (const std::string& value : get_arguments("x", Blanks::kept)) write("[" + value + "]");
    write("[" + get_argument("x", Blanks::kept) + "][" + get_query_argument("x", "none", Blanks::kept) +
          "][" + get_body_argument("x", "none", Blanks::kept) + "]");
  }
};

TEST_CASE("blanks at both ends of an argument can be kept (WEB-30, WEB-32)", "[request_input]") {
  WebFixture web({url<BlanksHandler>("/")});
  CHECK(web.brief("GET", "/?x=%20a%20&x=b%00c%0d&x=+z+") == "200 [ a ][b c\r][ z ][ z ][ z ][none]");
}

// Takes arguments and path groups in ISO-8859-1.
class Latin1Handler : public RequestHandler {
 public:
  void get(std::string group) { write(group + " " + argument("x")); }
  std::string decode_argument(std::string bytes, std::string_view name) override {
    std::string text = name.empty() ? "url:" : std::string(name) + ":";
    for (const char byte : bytes) http::append_latin1(text, static_cast<unsigned char>(byte));
    return text;
  }
};

TEST_CASE("decode_argument() may be overridden (WEB-07, WEB-32)", "[request_input]") {
  WebFixture web({url<Latin1Handler>("/(.*)")});
  CHECK(web.brief("GET", "/%e9?x=%e8") == "200 url:\xC3\xA9 x:\xC3\xA8");
}

TEST_CASE("arguments are taken from the query, then from a form (WEB-30, WEB-31)", "[request_input]") {
  WebFixture web({url<ArgumentsHandler>("/")});
  CHECK(web.brief("GET", "/?x=1&y=2&x=3") == "200 [1][3] last=3 query=3 body=none counts=2,0");
  CHECK(web.brief("GET", "/") == "200  last=none query=none body=none counts=0,0");
  CHECK(web.brief("POST", "/?x=1", kForm, "x=2&x=3") == "200 [1][2][3] last=3 query=1 body=3 counts=1,2");
  CHECK(web.brief("POST", "/?x=1", "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n",
                  "x=2") == "200 [1][2] last=2 query=1 body=2 counts=1,1");
  CHECK(web.brief("POST", "/?x=1", "Content-Type: text/plain\r\n", "x=2") ==
        "200 [1] last=1 query=1 body=none counts=1,0");
}

TEST_CASE("arguments are decoded, cleaned and trimmed (WEB-32)", "[request_input]") {
  WebFixture web({url<ArgumentsHandler>("/")});
  CHECK(web.brief("GET", "/?x=%20a%20&x=b%00c%0d&x=+z+").starts_with("200 [a][b c][z] last=z"));
  CHECK(web.brief("GET", "/?x=%C3%A9").starts_with("200 [\xC3\xA9]"));
}

TEST_CASE("a missing argument, and an argument that is not UTF-8, are 400 (WEB-30, WEB-32)",
          "[request_input]") {
  WebFixture web({url<RequiredHandler>("/")});
  for (const char* method : {"GET", "POST", "PUT"}) {
    CHECK(web.brief(method, "/").starts_with("400 "));
    web.loop.log.expect(fmt::format("400 {} / (127.0.0.1): Missing argument name", method));
    web.loop.log.expect(fmt::format("400 {} / (127.0.0.1) ", method));
  }
  CHECK(web.brief("GET", "/?name=%ff").starts_with("400 "));
  web.loop.log.expect("Invalid unicode in name: \xff");
  web.loop.log.expect("400 GET /?name=%ff");
}

class SourceHandler : public RequestHandler {
 public:
  void post(std::string source) {
    write(source == "query"  ? get_query_argument("a", "none")
          : source == "body" ? get_body_argument("a", "none")
                             : get_argument("a", "none"));
  }
};

TEST_CASE("more arguments than allowed are 400, in the query and in a form, when the handler reads them",
          "[request_input]") {
  Settings settings;
  settings.max_arguments = 3;
  WebFixture web({url<SourceHandler>("/(.*)")}, settings);
  const auto post = [&](std::string_view target, std::string_view body) {
    return web.brief("POST", target, kForm, body).substr(0, 5);
  };
  CHECK(post("/both?a=1&b&c", "a=2&b&c") == "200 2");
  CHECK(post("/query?a=1&b&c", "a&b&c&d") == "200 1");
  CHECK(post("/body?a&b&c&d", "a=2&b&c") == "200 2");
  CHECK(web.loop.log.empty());
  for (const std::string target : {"/query", "/both"}) {
    CHECK(post(target + "?a=1&b&c&d", "x=1") == "400 <");
    web.loop.log.expect("): Too many arguments in the query");
    web.loop.log.expect("400 POST");
  }
  for (const std::string target : {"/body", "/both"}) {
    CHECK(post(target + "?a=1", "a&b&c&d") == "400 <");
    web.loop.log.expect("): Invalid body: Too many arguments");
    web.loop.log.expect("400 POST");
  }
}

TEST_CASE("a form of very many fields is refused before it fills the memory", "[request_input]") {
  WebFixture web({url<SourceHandler>("/(.*)")});
  std::string body;
  for (int i = 0; i < 1'000'000; ++i) body += "a&";
  RawPeer peer = web.connect();
  const std::string request = fmt::format("POST /body HTTP/1.1\r\nHost: h\r\n{}Content-Length: {}\r\n\r\n{}",
                                          kForm, body.size(), body);
  std::string_view rest = request;
  std::string all;
  web.loop.run_until([&] {
    rest.remove_prefix(peer.send_some(rest));
    peer.drain(all);
    return all.ends_with("</html>");
  });
  CHECK(all.starts_with("HTTP/1.1 400 "));
  web.loop.log.expect("Invalid body: Too many arguments");
  web.loop.log.expect("400 POST");
}

TEST_CASE("a form with a Content-Encoding is refused (HUT-61, SEC-26)", "[request_input]") {
  WebFixture web({url<RequiredHandler>("/")});
  CHECK(web.brief("POST", "/", kForm + "Content-Encoding: gzip\r\n", "name=x").starts_with("400 "));
  web.loop.log.expect("Invalid body: Unsupported Content-Encoding: gzip");
  web.loop.log.expect("400 POST /");
}

TEST_CASE("the fields of a multipart form are body arguments (HUT-60)", "[request_input]") {
  WebFixture web({url<RequiredHandler>("/")});
  const std::string type = "Content-Type: multipart/form-data; boundary=x\r\n";
  const std::string body = "--x\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nAda\r\n--x--\r\n";
  CHECK(web.brief("POST", "/", type, body) == "200 Ada");
  CHECK(web.brief("POST", "/", type, "--y\r\n").starts_with("400 "));
  web.loop.log.expect("Invalid body: Invalid multipart/form-data: ");
  web.loop.log.expect("400 POST /");
}

// ---- Cookies.

class CookiesHandler : public RequestHandler {
 public:
  void get() {
    for (const auto& [name, value] : cookies()) write(name + "=" + value + ";");
    write(fmt::format(" a={} b={}", get_cookie("a").value_or("none"), get_cookie("b", "otherwise")));
  }
};

TEST_CASE("the cookies of the request are found by name (WEB-34, HUT-38)", "[request_input]") {
  WebFixture web({url<CookiesHandler>("/")});
  CHECK(web.brief("GET", "/") == "200  a=none b=otherwise");
  CHECK(web.brief("GET", "/", "Cookie: a=1; b=\"x\\054y\"; a=2\r\n") == "200 b=x,y;a=2; a=2 b=x,y");
  CHECK(web.brief("GET", "/", "Cookie: a=1; no name; b c=2\r\nCookie: b=3\r\n") == "200 a=1;b=3; a=1 b=3");
}

TEST_CASE("more than a thousand cookies are none", "[request_input]") {
  WebFixture web({url<CookiesHandler>("/")});
  std::string many = "Cookie: a=1";
  for (int i = 0; i < 1000; ++i) many += fmt::format("; c{}=", i);
  CHECK(web.brief("GET", "/", many + "\r\n") == "200  a=none b=otherwise");
}

// ---- Files.

class FilesHandler : public RequestHandler {
 public:
  void post() {
    write(fmt::format("{} files;", files().size()));
    for (const http::HTTPFile& file : files("photo"))
      write(fmt::format(" {} ({}): {};", file.filename, file.content_type, file.body));
    const http::HTTPFile& last = file("photo");
    write(fmt::format(" last {}; title {}", last.filename, argument("title")));
  }
};

// A body with the boundary `x`.
std::string multipart(const std::vector<std::pair<std::string, std::string>>& parts) {
  std::string body;
  for (const auto& [disposition, data] : parts)
    body += fmt::format("--x\r\nContent-Disposition: form-data; {}\r\n\r\n{}\r\n", disposition, data);
  return body + "--x--\r\n";
}
const std::string kMultipart = "Content-Type: multipart/form-data; boundary=x\r\n";

TEST_CASE("files and fields of a multipart form (HUT-37)", "[request_input]") {
  WebFixture web({url<FilesHandler>("/")});
  const std::string body = multipart({{"name=title", "Holidays"},
                                      {"name=photo; filename=a.png", "A"},
                                      {"name=other; filename=b.png", "B"},
                                      {"name=photo; filename=c.png", "C\r\nC"}});
  CHECK(web.brief("POST", "/", kMultipart, body) ==
        "200 3 files; a.png (application/unknown): A; c.png (application/unknown): C\r\nC; last c.png; "
        "title Holidays");
  CHECK(web.brief("POST", "/", kMultipart, multipart({{"name=title", "x"}})).starts_with("400 "));
  web.loop.log.expect("400 POST / (127.0.0.1): Missing argument photo");
  web.loop.log.expect("400 POST");
}

TEST_CASE("the limits of multipart forms are settings (HUT-64)", "[request_input]") {
  Settings settings;
  settings.multipart.max_parts = 3;
  WebFixture web({url<FilesHandler>("/")}, settings);
  const std::pair<std::string, std::string> part("name=photo; filename=a", "A");
  CHECK(
      web.brief("POST", "/", kMultipart, multipart({part, {"name=title", "x"}})).starts_with("200 1 files;"));
  CHECK(web.brief("POST", "/", kMultipart, multipart({part, part, part})).starts_with("400 "));
  web.loop.log.expect("Invalid multipart/form-data: multipart/form-data has too many parts");
  web.loop.log.expect("400 POST");
}

// ---- Bodies that the handler reads.

class CountHandler : public RequestHandler {
 public:
  static constexpr bool stream_request_body = true;
  Task<> post() {
    std::size_t count = 0;
    for (;;) {
      const std::string_view piece = co_await read_body();
      if (piece.empty()) break;
      count += piece.size();
    }
    write(std::to_string(count));
  }
  void put() { throw HTTPError(403); }
};

TEST_CASE("a handler with stream_request_body reads the body itself, and errors in it are answered",
          "[request_input]") {
  WebFixture web({url<CountHandler>("/count")});
  CHECK(web.brief("POST", "/count", "", "hello") == "200 5");
  CHECK(web.brief("POST", "/count") == "200 0");
  RawPeer bad = web.connect();
  bad.send("POST /count HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nx\r\n");
  CHECK(web.read_to_end(bad).starts_with("HTTP/1.1 400 Bad Request\r\n"));
  web.loop.log.expect("400 POST /count (127.0.0.1): Invalid character in chunk size");
  web.loop.log.expect("400 POST /count (127.0.0.1) ");
  RawPeer peer = web.connect();
  peer.send("PUT /count HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\npart");
  std::string all;
  web.loop.run_until([&] {
    peer.drain(all);
    return all.ends_with("</html>");
  });
  CHECK(all.starts_with("HTTP/1.1 403 Forbidden\r\n"));
  CHECK(all.find("\r\nConnection: close\r\n") != all.npos);
  web.loop.log.expect("403 PUT /count");
}

// Limits its body to the bytes that the query says, and to 40 ms of waiting.
class LimitedHandler : public RequestHandler {
 public:
  static constexpr bool stream_request_body = true;
  Task<> post() {
    set_max_body_size(std::stoul(get_argument("most")));
    set_body_timeout(40ms);
    std::string all;
    for (;;) {
      const std::string_view piece = co_await read_body();
      if (piece.empty()) break;
      all += piece;
    }
    write(all);
  }
};

TEST_CASE("a handler that reads the body itself may set its limits", "[request_input]") {
  http::HTTPServer::Options options;
  options.max_body_size = 4;
  options.idle_timeout = 40ms;
  WebFixture web({url<LimitedHandler>("/")}, {}, options);
  CHECK(web.brief("POST", "/?most=5", "", "hello") == "200 hello");
  CHECK(web.brief("POST", "/?most=3", "", "four").starts_with("413 "));
  web.loop.log.expect("413 POST /?most=3 (127.0.0.1): Body too large");
  web.loop.log.expect("413 POST /?most=3 (127.0.0.1) ");
  RawPeer peer = web.connect();
  peer.send("POST /?most=9 HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\npart");
  CHECK(web.read_to_end(peer).starts_with("HTTP/1.1 408 Request Timeout\r\n"));
  web.loop.log.expect("408 POST /?most=9 (127.0.0.1) ");
}

}  // namespace
}  // namespace squall::web::request_input_test
