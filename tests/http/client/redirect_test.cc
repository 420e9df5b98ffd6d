// Redirects by the table (SHC-40 to SHC-46), and credentials, which must not cross origins (SEC-70).

#include <squall/http.h>

#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/answer_server.h"
#include "support/http_clients.h"

namespace squall::http::redirect_test {
namespace {

using testing::answer;
using testing::AnswerServer;
using testing::ClientFixture;
using testing::ok;

std::string first_line(const std::string& request) { return request.substr(0, request.find("\r\n")); }
bool has(const std::string& request, std::string_view text) { return request.find(text) != request.npos; }

std::string redirect(int status, std::string_view to) {
  return answer(fmt::format("{} Moved", status), "elsewhere", fmt::format("Location: {}\r\n", to));
}

TEMPLATE_TEST_CASE("a redirect changes method and body by the table (SHC-40 to SHC-43)", "[redirect]",
                   HTTP_CLIENTS) {
  struct Row {
    const char* method;
    const char* after_301_302;
    const char* after_303;
    const char* after_307_308;
  };
  for (const Row& row : {Row{"GET", "GET", "GET", "GET"}, Row{"HEAD", "HEAD", "HEAD", "HEAD"},
                         Row{"POST", "GET", "GET", "POST"}, Row{"PUT", "PUT", "GET", "PUT"},
                         Row{"PATCH", "PATCH", "GET", "PATCH"}, Row{"DELETE", "DELETE", "GET", "DELETE"}}) {
    for (const int status : {301, 302, 303, 307, 308}) {
      CAPTURE(row.method, status);
      ClientFixture<TestType> fixture([status](const std::string& request) -> std::string {
        const bool is_head = request.starts_with("HEAD");
        if (!has(request, " /from "))
          return is_head ? "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" : ok("here");
        return is_head ? fmt::format("HTTP/1.1 {} x\r\nLocation: /to\r\n\r\n", status)
                       : redirect(status, "/to");
      });
      const std::string method = row.method;
      const std::string expected = status == 303  ? row.after_303
                                   : status < 303 ? row.after_301_302
                                                  : row.after_307_308;
      HTTPRequest request(fixture.server.url("/from"));
      request.method = method;
      const bool has_body = method == "POST" || method == "PUT" || method == "PATCH";
      if (has_body) {
        request.body = "body";
        request.headers.add("Content-Type", "text/x");
        request.headers.add("Content-Encoding", "x");
      }
      const HTTPResponse response = fixture.fetch(request);
      REQUIRE(fixture.server.requests.size() == 2);
      const std::string& second = fixture.server.requests[1];
      CHECK(first_line(second) == expected + " /to HTTP/1.1");
      const bool keeps_body = has_body && expected == method;
      CHECK(second.ends_with("\r\n\r\nbody") == keeps_body);
      CHECK(has(second, "Content-Length: 4") == keeps_body);
      CHECK(has(second, "Content-Type: text/x") == keeps_body);
      CHECK(has(second, "Content-Encoding: x") == keeps_body);
      CHECK(response.body() == (method == "HEAD" ? "" : "here"));
      CHECK(response.effective_url() == fixture.server.url("/to"));
      CHECK(response.request().url == fixture.server.url("/from"));
      CHECK(response.request().method == method);
      CHECK(response.redirects() == 1);
    }
  }
}

TEMPLATE_TEST_CASE("a Location may be relative, and the fragment is kept (RFC 9110, 10.2.2)", "[redirect]",
                   HTTP_CLIENTS) {
  struct Row {
    const char* location;
    const char* target;
    const char* fragment;
  };
  for (const Row& row :
       {Row{"/x?y", "/x?y", "#frag"}, Row{"x", "/a/x", "#frag"}, Row{"../x", "/x", "#frag"},
        Row{"?z", "/a/b?z", "#frag"}, Row{"x#own", "/a/x", "#own"}, Row{"./", "/a/", "#frag"}}) {
    CAPTURE(row.location);
    ClientFixture<TestType> fixture([&row](const std::string& request) {
      return request.starts_with("GET /a/b?q ") ? redirect(302, row.location) : ok("");
    });
    const HTTPResponse response = fixture.fetch(fixture.server.url("/a/b?q#frag"));
    CHECK(first_line(fixture.server.requests.at(1)) == fmt::format("GET {} HTTP/1.1", row.target));
    CHECK(response.effective_url() == fixture.server.url(row.target) + row.fragment);
  }
}

TEMPLATE_TEST_CASE("credentials are not sent to another origin, nor back at the first one (SHC-44, SEC-70)",
                   "[redirect]", HTTP_CLIENTS) {
  std::string there;
  ClientFixture<TestType> fixture([&there](const std::string& request) {
    return request.starts_with("GET /same ")    ? redirect(302, "/again")
           : request.starts_with("GET /again ") ? redirect(302, there)
                                                : ok("back home");
  });
  AnswerServer other(fixture.loop,
                     [&fixture](const std::string&) { return redirect(302, fixture.server.url("/back")); });
  there = fmt::format("http://evil:secret@{}/", other.authority());
  HTTPRequest request(fixture.server.url("/same"));
  request.auth_username = "me";
  request.auth_password = "pw";
  request.headers.add("Cookie", "session=1");
  request.headers.add("Proxy-Authorization", "Basic x");
  request.headers.add("Host", "named.example");
  request.headers.add("X-Other", "kept");
  CHECK(fixture.fetch(request).body() == "back home");
  REQUIRE(fixture.server.requests.size() == 3);
  REQUIRE(other.requests.size() == 1);
  for (const std::size_t i : {0u, 1u}) {
    CHECK(has(fixture.server.requests[i], "\r\nAuthorization: Basic bWU6cHc=\r\n"));
    CHECK(has(fixture.server.requests[i], "\r\nCookie: session=1\r\n"));
  }
  CHECK(has(fixture.server.requests[0], "\r\nHost: named.example\r\n"));
  CHECK(has(fixture.server.requests[1], "\r\nHost: " + fixture.server.authority() + "\r\n"));
  for (const std::string& sent : {other.requests[0], fixture.server.requests[2]}) {
    CHECK_FALSE(has(sent, "Authorization"));
    CHECK_FALSE(has(sent, "Cookie"));
    CHECK_FALSE(has(sent, "Referer"));
    CHECK(has(sent, "\r\nX-Other: kept\r\n"));
  }
}

TEMPLATE_TEST_CASE("an Authorization header of the caller is not sent to another origin (SEC-70)",
                   "[redirect]", HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string&) { return ok("never"); });
  AnswerServer other(fixture.loop, [](const std::string&) { return ok("other"); });
  HTTPRequest request(fixture.server.url());
  request.headers.add("Authorization", "Bearer x");
  fixture.server.set_script([&other](IOStream& stream) -> Task<> {
    const std::string got = co_await testing::read_request(stream);
    co_await stream.write(redirect(307, other.url()));
  });
  CHECK(fixture.fetch(request).body() == "other");
  CHECK_FALSE(has(other.requests.at(0), "Authorization"));
}

TEMPLATE_TEST_CASE("after max_redirects the last redirect is the error (HCL-42, SHC-46)", "[redirect]",
                   HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string&) { return redirect(302, "/loop"); });
  HTTPRequest request(fixture.server.url());
  request.max_redirects = 3;
  bool thrown = false;
  try {
    fixture.fetch(request);
  } catch (const HTTPClientError& error) {
    thrown = true;
    CHECK(error.status() == 302);
    REQUIRE(error.response());
    CHECK(error.response()->redirects() == 3);
    CHECK(error.response()->body() == "elsewhere");
  }
  CHECK(thrown);
  CHECK(fixture.server.requests.size() == 4);
  request.follow_redirects = false;
  CHECK(fixture.fetch(request, RaiseError::no).redirects() == 0);
}

TEMPLATE_TEST_CASE("a redirect that cannot be followed is an error", "[redirect]", HTTP_CLIENTS) {
  for (const char* location :
       {"ftp://127.0.0.1/", "http://", "http://a b/", "javascript:alert(1)", "//127.0.0.1:0/"}) {
    CAPTURE(location);
    ClientFixture<TestType> fixture([location](const std::string&) { return redirect(302, location); });
    bool thrown = false;
    try {
      fixture.fetch(fixture.server.url());
    } catch (const HTTPClientError& error) {
      thrown = true;
      CHECK(error.status() == 599);
      CHECK(error.phase() == FetchPhase::redirect);
    }
    CHECK(thrown);
  }
  // Without a Location there is nothing to follow.
  ClientFixture<TestType> fixture([](const std::string&) { return answer("302 Found", "here"); });
  CHECK(fixture.fetch(HTTPRequest(fixture.server.url()), RaiseError::no).body() == "here");
}

TEMPLATE_TEST_CASE("callbacks see only the final response (SHC-28)", "[redirect]", HTTP_CLIENTS) {
  ClientFixture<TestType> fixture([](const std::string& request) {
    return request.starts_with("GET /to ") ? ok("here") : redirect(302, "/to");
  });
  std::string body;
  std::string head;
  HTTPRequest request(fixture.server.url());
  request.streaming_callback = [&body](std::string_view piece) { body += piece; };
  request.header_callback = [&head](std::string_view line) { head += line; };
  fixture.fetch(request);
  CHECK(body == "here");
  CHECK(head == "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
}

TEMPLATE_TEST_CASE("a Location with characters that no URL has is escaped, as other clients do", "[redirect]",
                   HTTP_CLIENTS) {
  for (const auto& [location, target] : std::vector<std::pair<std::string, std::string>>{
           {"/list?ids[]=1", "/list?ids%5B%5D=1"}, {"/s?q=100%", "/s?q=100%25"}, {"/#a#b", "/"}}) {
    CAPTURE(location);
    ClientFixture<TestType> fixture([&location](const std::string& request) {
      return has(request, " /from ") ? redirect(302, location) : ok("here");
    });
    CHECK(fixture.fetch(fixture.server.url("/from")).body() == "here");
    CHECK(first_line(fixture.server.requests.at(1)) == fmt::format("GET {} HTTP/1.1", target));
  }
}

TEMPLATE_TEST_CASE("an invalid Location is an error of the server, not of the caller", "[redirect]",
                   HTTP_CLIENTS) {
  for (const char* user : {"a%3Ab:c@", "%3A@"}) {
    ClientFixture<TestType> fixture([user, &fixture](const std::string&) {
      return redirect(302, fmt::format("http://{}{}/", user, fixture.server.authority()));
    });
    CHECK_THROWS_AS(fixture.fetch(fixture.server.url("/from")), HTTPClientError);
  }
  // With the old one's fragment it would be longer than a URL may be.
  ClientFixture<TestType> fixture(
      [](const std::string&) { return redirect(302, "/" + std::string(60'000, 'a')); });
  CHECK_THROWS_AS(fixture.fetch(fixture.server.url("/from#" + std::string(10'000, 'f'))), HTTPClientError);
}

TEST_CASE("an invalid username in a Location is an error of the server, not of the caller", "[redirect]") {
  ClientFixture<SimpleAsyncHTTPClient> fixture([&fixture](const std::string&) {
    return redirect(302, fmt::format("http://me:pw@{}/", fixture.server.authority()));
  });
  HTTPRequest request(fixture.server.url("/from"));
  request.auth_mode = AuthMode::digest;
  CHECK_THROWS_AS(fixture.fetch(request), HTTPClientError);
}

}  // namespace
}  // namespace squall::http::redirect_test
