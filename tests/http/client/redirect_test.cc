// Redirects by the table (SHC-40 to SHC-46), and credentials, which must not cross origins (SEC-70).

#include <squall/http.h>

#include <fmt/format.h>
#ifdef SQUALL_HAS_CURL
#include <curl/curl.h>
#endif

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/answer_server.h"
#include "support/environment_variable.h"
#include "support/http_clients.h"
#include "support/temporary_folder.h"
#include "support/tls_pair.h"

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

TEMPLATE_TEST_CASE(
    "a redirect changes method and body by the table, and keeps a QUERY but for 303 (SHC-40 to SHC-43; RFC "
    "10008, 2.5)",
    "[redirect]", HTTP_CLIENTS) {
  struct Row {
    const char* method;
    const char* after_301_302;
    const char* after_303;
    const char* after_307_308;
  };
  for (const Row& row : {Row{"GET", "GET", "GET", "GET"}, Row{"HEAD", "HEAD", "HEAD", "HEAD"},
                         Row{"POST", "GET", "GET", "POST"}, Row{"PUT", "PUT", "GET", "PUT"},
                         Row{"PATCH", "PATCH", "GET", "PATCH"}, Row{"DELETE", "DELETE", "GET", "DELETE"},
                         Row{"QUERY", "QUERY", "GET", "QUERY"}}) {
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
      const bool has_body = expects_content(method);
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
  request.headers.add("Cookie2", "$Version=1");
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
  // The Host of the caller is for the first origin too.
  for (const std::size_t i : {0u, 1u}) CHECK(has(fixture.server.requests[i], "\r\nHost: named.example\r\n"));
  CHECK(has(other.requests[0], "\r\nHost: " + other.authority() + "\r\n"));
  CHECK(has(fixture.server.requests[2], "\r\nHost: " + fixture.server.authority() + "\r\n"));
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

// A server that asks for certificates, and notes whether the client has shown one.
struct CertifiedServer : AnswerServer {
  CertifiedServer(IOLoop& loop, const testing::TLSSides& sides)
      : AnswerServer(loop, [](const std::string&) { return std::string(); }) {
    TLSServerOptions options = sides.server_options;
    options.cert_reqs = CertReqs::optional;
    options.ca_pem = sides.authority.pem();
    use_tls(TLSContext::server(options));
    set_script([this](IOStream& stream) { return serve(stream); });
  }

  std::string secure_url(std::string_view path) const {
    return fmt::format("https://{}{}", authority(), path);
  }

  Task<> serve(IOStream& stream) {
    for (;;) {
      const std::string request = co_await testing::read_request(stream);
      if (request.empty()) co_return;
      requests.push_back(request);
      shown.push_back(stream.tls()->peer_certificate().has_value());
      std::string bytes = ok("end");
      if (request.starts_with("GET /same ")) bytes = redirect(302, "/from");
      if (request.starts_with("GET /from ")) bytes = redirect(302, next);
      co_await stream.write(bytes);
    }
  }

  std::string next;         // the Location of /from; /same leads to /from
  std::vector<bool> shown;  // for each request: whether its connection has the client's certificate
};

// Two origins, and the files of a client's certificate.
struct CertifiedScene {
  CertifiedScene() {
    first.next = other.secure_url("/from");
    other.next = first.secure_url("/home");
    const TLSCertificate certificate = sides.authority.issue({.common_name = "the client"});
    files.ca_certs = folder.file("ca.pem", sides.authority.pem());
    files.client_cert = folder.file("client.pem", certificate.cert_pem);
    files.client_key = folder.file("key.pem", certificate.key_pem);
    sides.client_options.certificate = certificate;
  }

  // Fetches by `options`, beginning with a request that leaves a connection and a session with the
  // certificate at the other origin.
  void check(AsyncHTTPClient& client, const FetchOptions& options) {
    const auto fetch = [&](const std::string& url) {
      HTTPRequest request(url);
      static_cast<FetchOptions&>(request) = options;
      CHECK(loop.run(client.fetch(std::move(request))).body() == "end");
    };
    fetch(other.secure_url("/"));
    CHECK(other.shown == std::vector<bool>{true});
    fetch(first.secure_url("/same"));
    CHECK(first.shown == std::vector<bool>{true, true, false});
    CHECK(other.shown == std::vector<bool>{true, false});
    fetch(first.secure_url("/same"));
    CHECK(first.shown == std::vector<bool>{true, true, false, true, true, false});
    CHECK(other.shown == std::vector<bool>{true, false, false});
    fetch(other.secure_url("/"));
    CHECK(other.shown.back());
  }

  testing::TestLoop loop;
  testing::TLSSides sides;
  testing::TemporaryFolder folder;
  CertifiedServer first{loop, sides};
  CertifiedServer other{loop, sides};
  FetchOptions files;
};

TEMPLATE_TEST_CASE(
    "a client's certificate is not shown to another origin, nor back at the first one (SEC-70)", "[redirect]",
    HTTP_CLIENTS) {
  CertifiedScene scene;
  AsyncHTTPClient::Options options;
  options.keep_alive = GENERATE(true, false);
  FetchOptions of_request;
  SECTION("the files are options of the request") { of_request = scene.files; }
  SECTION("the files are defaults of the client") { options.defaults = scene.files; }
  TestType client(options, scene.loop);
  scene.check(client, of_request);
}

TEST_CASE("the certificate of a TLSContext is not shown to another origin (SEC-70)", "[redirect]") {
  CertifiedScene scene;
  AsyncHTTPClient::Options options;
  options.keep_alive = GENERATE(true, false);
  FetchOptions of_request;
  const auto context = std::make_shared<const TLSContext>(scene.sides.client());
  SECTION("of the request") { of_request.tls = context; }
  SECTION("of the client's defaults") { options.defaults.tls = context; }
  SimpleAsyncHTTPClient client(options, scene.loop);
  scene.check(client, of_request);
}

#ifdef SQUALL_HAS_CURL
TEST_CASE("credentials that a prepare_curl_callback sets are not sent to another origin (SEC-70)",
          "[redirect]") {
  CertifiedScene scene;
  CurlAsyncHTTPClient client(AsyncHTTPClient::Options(), scene.loop);
  HTTPRequest request(scene.first.secure_url("/same"));
  request.ca_certs = scene.files.ca_certs;
  request.headers.add("X-Other", "kept");
  const bool sets_headers = GENERATE(false, true);
  curl_slist* const headers = curl_slist_append(nullptr, "Authorization: Bearer x");
  request.prepare_curl_callback = [&](void* easy) {
    curl_easy_setopt(easy, CURLOPT_SSLCERT, scene.files.client_cert.value()->c_str());
    curl_easy_setopt(easy, CURLOPT_SSLKEY, scene.files.client_key.value()->c_str());
    curl_easy_setopt(easy, CURLOPT_COOKIE, "session=1");
    curl_easy_setopt(easy, CURLOPT_COOKIELIST, "Set-Cookie: engine=1");  // for all hosts
    if (sets_headers) {
      curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    } else {
      curl_easy_setopt(easy, CURLOPT_USERPWD, "me:pw");
    }
  };
  CHECK(scene.loop.run(client.fetch(request)).body() == "end");
  curl_slist_free_all(headers);
  CHECK(scene.first.shown == std::vector<bool>{true, true, false});
  CHECK(scene.other.shown == std::vector<bool>{false});
  CHECK(has(scene.first.requests.at(1), "\r\nAuthorization: "));
  CHECK(has(scene.first.requests.at(1), "session=1"));
  CHECK(has(scene.first.requests.at(1), "engine=1"));
  for (const std::string& sent : {scene.other.requests.at(0), scene.first.requests.at(2)}) {
    CHECK_FALSE(has(sent, "Authorization"));
    CHECK_FALSE(has(sent, "Cookie"));
    CHECK(has(sent, "\r\nX-Other: kept\r\n"));
  }
  // Nor does another request send what the callback has set.
  HTTPRequest next(scene.first.secure_url("/end"));
  next.ca_certs = scene.files.ca_certs;
  scene.loop.run(client.fetch(next));
  CHECK_FALSE(has(scene.first.requests.at(3), "Cookie"));
}
#endif

TEMPLATE_TEST_CASE("the credentials of a proxy go only to that proxy (SEC-70)", "[redirect]", HTTP_CLIENTS) {
  testing::TestLoop loop;
  AnswerServer direct(loop, [](const std::string&) { return ok("end"); });
  AnswerServer proxy(loop, [&direct](const std::string&) { return redirect(302, direct.url()); });
  const std::string by = fmt::format("http://me:pw@{}", proxy.authority());
  const testing::EnvironmentVariable http_proxy("http_proxy", by.c_str());
  const testing::EnvironmentVariable no_proxy("no_proxy", "127.0.0.1");
  TestType client(AsyncHTTPClient::Options(), loop);
  HTTPRequest request("http://first.example.test/");
  request.proxy_from_environment = true;
  CHECK(loop.run(client.fetch(request)).body() == "end");
  CHECK(has(proxy.requests.at(0), "\r\nProxy-Authorization: Basic bWU6cHc=\r\n"));
  CHECK_FALSE(has(direct.requests.at(0), "Proxy-Authorization"));
}

TEMPLATE_TEST_CASE("a server behind a Unix socket gets no Proxy-Authorization header", "[redirect]",
                   HTTP_CLIENTS) {
  const testing::TemporaryFolder folder;
  testing::ClientFixture<TestType> fixture([](const std::string&) { return ok("end"); });
  fixture.server.listen_unix(folder / "socket");
  HTTPRequest request("http://first.example.test/x");
  request.unix_socket = folder / "socket";
  request.headers.add("Proxy-Authorization", "Basic x");
  ProxyOptions proxy;
  proxy.host = "127.0.0.1";
  proxy.port = 1;
  proxy.username = "me";
  request.proxy = proxy;
  CHECK(fixture.fetch(request).body() == "end");
  CHECK(first_line(fixture.server.requests.at(0)) == "GET /x HTTP/1.1");
  CHECK_FALSE(has(fixture.server.requests.at(0), "Proxy-Authorization"));
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

TEMPLATE_TEST_CASE("callbacks get only the final response (SHC-28)", "[redirect]", HTTP_CLIENTS) {
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
  // With the fragment of the old URL the new URL would be longer than the limit.
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
