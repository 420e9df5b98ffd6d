#include <squall/web/handler/entity_tag.h>

#include <fmt/format.h>

#include <optional>
#include <string>

#include "support/web_fixture.h"

namespace squall::web::entity_tag_test {
namespace {

using testing::WebFixture;

TEST_CASE("the entity tag of a body is its SHA-1 (WEB-75)", "[entity_tag]") {
  for (int i = 0; i < 2; ++i) {
    CHECK(entity_tag("Hello, world") == "\"e02aa1b106d5c7c6a98def2b13005d5b84fd8dc8\"");
    CHECK(entity_tag("") == "\"da39a3ee5e6b4b0d3255bfef95601890afd80709\"");
  }
}

class TaggedHandler : public RequestHandler {
 public:
  void get(std::string what) {
    if (what == "hello") return write("Hello, world");
    if (what == "own") {
      set_header("Etag", "\"own\"");
      return write("Hello, world");
    }
    if (what == "other") set_status(201);
    if (what == "cookie") {
      set_header("Vary", "Cookie");
      set_header("Content-Language", "en");
      set_cookie("a", "b");
    }
    write(std::string(2000, 'x'));
  }
  void post(std::string) { write(std::string(2000, 'x')); }
  Task<> put(std::string) {
    write(std::string(2000, 'x'));
    co_await flush();
  }
};

// The status of the response, and its Etag.
std::string tag_of(const std::string& response) {
  const std::size_t begin = response.find("\r\nEtag: ");
  const std::string status = response.substr(9, 3);
  if (begin == response.npos) return status;
  return status + " " + response.substr(begin + 8, response.find("\r\n", begin + 2) - begin - 8);
}

TEST_CASE("a whole 200 to GET and HEAD has an Etag, from 1 KiB on (WEB-75)", "[entity_tag]") {
  WebFixture web({url<TaggedHandler>("/(.*)")});
  const std::string tag = *entity_tag(std::string(2000, 'x'));
  CHECK(tag_of(web.fetch("GET", "/long")) == "200 " + tag);
  CHECK(tag_of(web.fetch("HEAD", "/long")) == "200 " + tag);
  CHECK(tag_of(web.fetch("GET", "/hello")) == "200");
  CHECK(tag_of(web.fetch("GET", "/own")) == "200 \"own\"");
  CHECK(tag_of(web.fetch("GET", "/other")) == "201");
  CHECK(tag_of(web.fetch("POST", "/long")) == "200");
  CHECK(tag_of(web.fetch("PUT", "/long")) == "200");
}

TEST_CASE("etag_min_size chooses the bodies that get a tag: 0 is all of them, as in Tornado",
          "[entity_tag]") {
  WebFixture all({url<TaggedHandler>("/(.*)")}, {.etag_min_size = 0});
  CHECK(all.fetch("GET", "/hello") ==
        "HTTP/1.1 200 OK\r\nServer: Squall/0.1.0\r\nContent-Type: text/html; charset=UTF-8\r\nEtag: "
        "\"e02aa1b106d5c7c6a98def2b13005d5b84fd8dc8\"\r\nContent-Length: 12\r\nConnection: close\r\n\r\n"
        "Hello, world");
  WebFixture none({url<TaggedHandler>("/(.*)")}, {.etag_min_size = std::nullopt});
  CHECK(tag_of(none.fetch("GET", "/long")) == "200");
  CHECK(tag_of(none.fetch("GET", "/own")) == "200 \"own\"");
}

TEST_CASE("If-None-Match with the tag makes the response a 304 without body (WEB-76)", "[entity_tag]") {
  WebFixture web({url<TaggedHandler>("/(.*)")}, {.etag_min_size = 0});
  const std::string tag = "\"e02aa1b106d5c7c6a98def2b13005d5b84fd8dc8\"";
  const auto get = [&](std::string_view path, const std::string& tags) {
    return web.fetch("GET", path, tags.empty() ? "" : "If-None-Match: " + tags + "\r\n");
  };
  const std::string unchanged =
      "HTTP/1.1 304 Not Modified\r\nServer: Squall/0.1.0\r\nEtag: " + tag + "\r\nConnection: close\r\n\r\n";
  CHECK(get("/hello", tag) == unchanged);
  CHECK(get("/hello", "W/" + tag) == unchanged);
  CHECK(get("/hello", "\"a\", " + tag) == unchanged);
  CHECK(get("/hello", "*") == unchanged);
  CHECK(web.fetch("HEAD", "/hello", "If-None-Match: " + tag + "\r\n") == unchanged);
  CHECK(tag_of(get("/hello", "\"a\"")) == "200 " + tag);
  CHECK(tag_of(get("/hello", "\"a\", *")) == "200 " + tag);
  CHECK(tag_of(get("/hello", "")) == "200 " + tag);
  CHECK(tag_of(get("/own", "\"own\"")) == "304 \"own\"");
  CHECK(tag_of(web.fetch("POST", "/long", "If-None-Match: *\r\n")) == "200");
}

TEST_CASE("a 304 keeps the headers that a cache needs, and the cookies", "[entity_tag]") {
  WebFixture web({url<TaggedHandler>("/(.*)")});
  const std::string response = web.fetch("GET", "/cookie", "If-None-Match: *\r\n");
  CHECK(response.starts_with("HTTP/1.1 304 "));
  CHECK(response.find("\r\nVary: Cookie\r\n") != response.npos);
  CHECK(response.find("\r\nSet-Cookie: a=b;") != response.npos);
  CHECK(response.find("Content-") == response.npos);
}

class VersionHandler : public RequestHandler {
 public:
  std::optional<std::string> compute_etag() {
    ++calls;
    if (request().query() == "none") return std::nullopt;
    return "\"v7\"";
  }
  void get() {
    if (request().query() == "early") {
      set_etag_header();
      if (check_etag_header()) {
        set_status(304);
        return;
      }
    }
    write(std::string(2000, 'x'));
  }
  inline static int calls = 0;
};

TEST_CASE("compute_etag() of a class replaces the hash, and may say that there is no tag (WEB-75, WEB-77)",
          "[entity_tag]") {
  WebFixture web({url<VersionHandler>("/")});
  CHECK(tag_of(web.fetch("GET", "/?none")) == "200");
  CHECK(tag_of(web.fetch("GET", "/")) == "200 \"v7\"");
  CHECK(tag_of(web.fetch("GET", "/", "If-None-Match: \"v7\"\r\n")) == "304 \"v7\"");
  VersionHandler::calls = 0;
  CHECK(tag_of(web.fetch("GET", "/?early", "If-None-Match: \"v7\"\r\n")) == "304 \"v7\"");
  CHECK(tag_of(web.fetch("GET", "/?early", "If-None-Match: \"v6\"\r\n")) == "200 \"v7\"");
  CHECK(VersionHandler::calls == 2);
}

}  // namespace
}  // namespace squall::web::entity_tag_test
