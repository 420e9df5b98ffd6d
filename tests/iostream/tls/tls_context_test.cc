#include <squall/iostream/tls/tls_context.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/temporary_folder.h"
#include "support/tls_pair.h"

namespace squall::tls_context_test {
namespace {

using testing::CertificateAuthority;
using testing::connected_pair;
using testing::encrypted_key;
using testing::secure_both;
using testing::self_signed;
using testing::TemporaryFolder;
using testing::TestLoop;
using testing::TLSSides;

TLSServerOptions of(TLSCertificate certificate) {
  TLSServerOptions options;
  options.certificates.push_back(std::move(certificate));
  return options;
}

TLSCertificate files(const std::string& certfile, const std::string& keyfile = {}) {
  TLSCertificate certificate;
  certificate.certfile = certfile;
  certificate.keyfile = keyfile;
  return certificate;
}

template <class Function>
std::string message_of(Function function) {
  try {
    function();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("the error of a server's context names the file and the reason (TSV-01, NET-31)", "[tls]") {
  TemporaryFolder folder;
  const TLSCertificate one = self_signed();
  const TLSCertificate other = self_signed();
  const std::string cert = folder.file("cert.pem", one.cert_pem);
  const std::string key = folder.file("key.pem", one.key_pem);
  const std::string other_key = folder.file("other.pem", other.key_pem);
  const std::string encrypted = folder.file("encrypted.pem", encrypted_key(one.key_pem, "sesame"));
  const std::string nothing = folder.file("nothing.pem", "what is this\n");
  const std::string broken =
      folder.file("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  const std::string missing = folder / "missing.pem";
  const auto fails = [](const TLSCertificate& certificate, const std::string& text) {
    CHECK_THROWS_WITH(TLSContext::server(of(certificate)), text);
    CHECK_THROWS_AS(TLSContext::server(of(certificate)), std::invalid_argument);
    CHECK(::ERR_peek_error() == 0);
  };
  CHECK_THROWS_WITH(TLSContext::server({}), "missing key \"certfile\" in ssl_options");
  fails(files(""), "missing key \"certfile\" in ssl_options");
  fails(files(missing, key), "certfile \"" + missing + "\" does not exist");
  fails(files(cert, missing), "keyfile \"" + missing + "\" does not exist");
  fails(files(cert + "/x"), "certfile \"" + cert + "/x\" does not exist");
  fails(files(folder / ""), "certfile \"" + folder / "" + "\" cannot be read: Is a directory");
  fails(files(cert), "certfile \"" + cert + "\" has no private key in PEM");
  fails(files(nothing, key), "certfile \"" + nothing + "\" has no certificate in PEM");
  fails(files(cert, nothing), "keyfile \"" + nothing + "\" has no private key in PEM");
  fails(files(cert, other_key), "keyfile \"" + other_key + "\" is not the key of certfile \"" + cert + "\"");
  fails(files(cert, encrypted), "keyfile \"" + encrypted + "\" is encrypted, and there is no password");
  TLSCertificate wrong = files(cert, encrypted);
  wrong.password = "sesam";
  fails(wrong, "keyfile \"" + encrypted + "\" is not for this password");
  CHECK(message_of([&] {
          TLSContext::server(of(files(broken, key)));
        }).starts_with("certfile \"" + broken + "\" has a certificate that cannot be read: "));
  TLSCertificate text;
  text.cert_pem = one.cert_pem;
  text.key_pem = other.key_pem;
  fails(text, "key_pem is not the key of cert_pem");

  CHECK_NOTHROW(TLSContext::server(of(files(cert, key))));
  CHECK_NOTHROW(TLSContext::server(of(files(folder.file("both.pem", one.key_pem + one.cert_pem)))));
  TLSCertificate right = files(cert, encrypted);
  right.password = "sesame";
  CHECK_NOTHROW(TLSContext::server(of(right)));
}

TEST_CASE("invalid options are refused", "[tls]") {
  TLSServerOptions server = of(self_signed());
  TLSClientOptions client;
  std::string text;
  SECTION("no authorities for clients' certificates") {
    server.cert_reqs = CertReqs::required;
    text = "cert_reqs needs ca_certs, ca_path or ca_pem";
  }
  SECTION("a list of ciphers") {
    server.ciphers = "NO-SUCH-CIPHER";
    text = "ciphers \"NO-SUCH-CIPHER\": no cipher match";
  }
  SECTION("min_version above max_version") {
    server.min_version = TLSVersion::tls1_3;
    server.max_version = TLSVersion::tls1_2;
    text = "min_version is above max_version";
  }
  SECTION("an empty protocol") {
    server.alpn = {"h2", ""};
    text = "\"\" is not a protocol name for ALPN: those have 1 to 255 bytes";
  }
  SECTION("a missing file of trusted certificates") {
    server.ca_certs = "/no/such/file";
    text = "ca_certs \"/no/such/file\" does not exist";
  }
  SECTION("a missing folder") {
    server.ca_path = "/no/such/folder";
    text = "ca_path \"/no/such/folder\" is not a folder";
  }
  CHECK_THROWS_WITH(TLSContext::server(server), text);
  CHECK(::ERR_peek_error() == 0);
}

TEST_CASE("customize() can change settings that have no option", "[tls]") {
  TLSServerOptions options = of(self_signed());
  options.certificates.push_back(self_signed());
  int calls = 0;
  options.customize = [&](SSL_CTX* context) {
    ++calls;
    CHECK((::SSL_CTX_get_options(context) & SSL_OP_NO_RENEGOTIATION) != 0);
    CHECK((::SSL_CTX_get_options(context) & SSL_OP_NO_COMPRESSION) != 0);
    CHECK((::SSL_CTX_get_mode(context) & SSL_MODE_RELEASE_BUFFERS) != 0);
    CHECK(SSL_CTX_get_min_proto_version(context) == TLS1_2_VERSION);
  };
  const TLSContext context = TLSContext::server(options);
  CHECK(calls == 2);
  CHECK(context.is_server());
  CHECK(context.handshake_timeout() == std::chrono::seconds(10));
}

TEST_CASE("a context without a handshake timeout has none", "[tls]") {
  TLSClientOptions options;
  options.handshake_timeout = std::nullopt;
  CHECK_FALSE(TLSContext::client(options).handshake_timeout());
}

// The subject of the certificate that a client gets for `host`.
std::string subject_for(TestLoop& loop, const TLSContext& client, const TLSContext& server,
                        const std::string& host) {
  auto [a, b] = connected_pair(loop);
  loop.run(secure_both(a, b, client, server, host));
  return a.tls()->peer_certificate()->subject;
}

TEST_CASE("a server's certificate is chosen by the name that the client asks for", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  const auto issue = [&](const char* subject, std::vector<std::string> names) {
    return sides.authority.issue({.common_name = subject, .names = std::move(names)});
  };
  sides.server_options.certificates = {
      issue("first", {"DNS:first.example"}),
      issue("wild", {"DNS:*.wild.example", "DNS:wild.example"}),
      issue("exact", {"DNS:exact.wild.example"}),
      issue("late", {"DNS:wild.example"}),
  };
  sides.client_options.check_hostname = false;
  const TLSContext client = sides.client();
  const TLSContext server = sides.server();
  CHECK(subject_for(loop, client, server, "first.example") == "CN=first");
  CHECK(subject_for(loop, client, server, "wild.example") == "CN=wild");
  CHECK(subject_for(loop, client, server, "any.wild.example") == "CN=wild");
  CHECK(subject_for(loop, client, server, "ANY.Wild.Example") == "CN=wild");
  CHECK(subject_for(loop, client, server, "exact.wild.example") == "CN=exact");
  CHECK(subject_for(loop, client, server, "two.labels.wild.example") == "CN=first");
  CHECK(subject_for(loop, client, server, "unknown.example") == "CN=first");
  CHECK(subject_for(loop, client, server, "") == "CN=first");
  CHECK(subject_for(loop, client, server, "127.0.0.1") == "CN=first");
}

TEST_CASE("a session is resumed only with the host that it was made for", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  sides.client_options.max_version = TLSVersion::tls1_2;  // with TLS 1.2 the session is part of the handshake
  sides.server_options.certificates = {sides.authority.issue({.names = {"DNS:a.example"}}),
                                       sides.authority.issue({.names = {"DNS:b.example"}})};
  const TLSContext client = sides.client();
  const TLSContext server = sides.server();
  testing::ListeningPort port;
  const auto resumed = [&](const char* host) {
    auto [a, b] = port.connect(loop);
    loop.run(secure_both(a, b, client, server, host));
    CHECK(a.tls()->peer_certificate()->names.front() == std::string("DNS:") + host);
    return a.tls()->session_reused();
  };
  CHECK_FALSE(resumed("a.example"));
  CHECK_FALSE(resumed("b.example"));
  CHECK(resumed("a.example"));
  CHECK(resumed("b.example"));
}

TEST_CASE("a reload affects new connections; existing ones go on", "[tls]") {
  TestLoop loop;
  TemporaryFolder folder;
  TLSSides sides;
  const auto write = [&](const char* subject) {
    const TLSCertificate certificate = sides.authority.issue({.common_name = subject});
    folder.file("cert.pem", certificate.cert_pem);
    folder.file("key.pem", certificate.key_pem);
  };
  write("old");
  sides.server_options.certificates = {files(folder / "cert.pem", folder / "key.pem")};
  const TLSContext client = sides.client();
  TLSContext server = sides.server();
  const TLSContext copy = server;
  auto [a, b] = connected_pair(loop);
  loop.run(secure_both(a, b, client, copy));
  CHECK(a.tls()->peer_certificate()->subject == "CN=old");
  write("new");
  CHECK(subject_for(loop, client, copy, "localhost") == "CN=old");
  SECTION("when the reload succeeds") {
    server.reload();
    CHECK(subject_for(loop, client, copy, "localhost") == "CN=new");
  }
  SECTION("when the reload fails, nothing changes") {
    folder.file("key.pem", self_signed().key_pem);
    CHECK(message_of([&] { server.reload(); }).find("is not the key of") != std::string::npos);
    CHECK(subject_for(loop, client, copy, "localhost") == "CN=old");
  }
  const auto talk = [](IOStream& from, IOStream& to) -> Task<std::string> {
    (void)from.write("still here\n");
    std::string text = co_await to.read_until("\n");
    co_return text;
  };
  CHECK(loop.run(talk(a, b)) == "still here\n");
  CHECK(loop.run(talk(b, a)) == "still here\n");
}

TEST_CASE("no session from before a reload is resumed", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  sides.client_options.max_version = TLSVersion::tls1_2;  // with TLS 1.2 the session is part of the handshake
  const TLSContext client = sides.client();
  TLSContext server = sides.server();
  testing::ListeningPort port;
  const auto resumed = [&] {
    auto [a, b] = port.connect(loop);
    loop.run(secure_both(a, b, client, server));
    return a.tls()->session_reused();
  };
  CHECK_FALSE(resumed());
  CHECK(resumed());
  server.reload();
  CHECK_FALSE(resumed());
  CHECK(resumed());
}

// A client whose trusted authorities are in a file.
struct ClientWithFile {
  ClientWithFile() {
    trust(sides.authority);
    sides.client_options.ca_pem.clear();
    sides.client_options.ca_certs = folder / "ca.pem";
  }
  void trust(const CertificateAuthority& authority) const { folder.file("ca.pem", authority.pem()); }

  TemporaryFolder folder;
  TLSSides sides;
  CertificateAuthority other{"another authority"};
};

// Whether the client refuses the server's certificate.
bool refuses(TestLoop& loop, IOStream& client_side, IOStream& server_side, const TLSContext& client,
             const TLSContext& server) {
  (void)server_side.start_tls(server);
  if (!loop.run(testing::throws<TLSError>(testing::secure(client_side, client, "localhost")))) return false;
  loop.run_until([&server_side] { return server_side.closed(); });
  loop.log.expect("the peer sent the alert \"unknown CA\"");
  return true;
}

TEST_CASE("a client's reload ends the trust in a server whose session it has", "[tls]") {
  TestLoop loop;
  ClientWithFile files;
  const TLSVersion version = GENERATE(TLSVersion::tls1_2, TLSVersion::tls1_3);
  files.sides.client_options.max_version = version;
  TLSContext client = files.sides.client();
  const TLSContext server = files.sides.server();
  testing::ListeningPort port;
  const auto receive_ticket = [](IOStream& from, IOStream& to) -> Task<> {
    (void)from.write("the ticket comes before this line\n");
    (void)co_await to.read_until("\n");
  };
  auto [a, b] = port.connect(loop);
  loop.run(secure_both(a, b, client, server));
  auto [c, d] = port.connect(loop);
  SECTION("the session was made before the reload") {
    loop.run(receive_ticket(b, a));
    CHECK(client.sessions() == 1);
    files.trust(files.other);
    client.reload();
  }
  SECTION("the session is received after the reload, by a connection from before") {
    files.trust(files.other);
    client.reload();
    loop.run(receive_ticket(b, a));
  }
  CHECK(client.sessions() == 0);
  CHECK(refuses(loop, c, d, client, server));
}

TEST_CASE("sessions are of the options that they were verified with: each reload begins without any",
          "[tls]") {
  TestLoop loop;
  ClientWithFile files;
  files.sides.client_options.max_version = TLSVersion::tls1_2;
  TLSContext client = files.sides.client();
  const TLSContext server = files.sides.server();
  testing::ListeningPort port;
  const auto resumed = [&] {
    auto [a, b] = port.connect(loop);
    loop.run(secure_both(a, b, client, server));
    return a.tls()->session_reused();
  };
  CHECK_FALSE(resumed());
  CHECK(resumed());
  client.reload();
  CHECK_FALSE(resumed());
  CHECK(resumed());
  SECTION("a reload that fails keeps them") {
    files.folder.file("ca.pem", "no certificate");
    CHECK_FALSE(message_of([&] { client.reload(); }).empty());
    CHECK(resumed());
  }
}

// ---- without_certificate().

// A client that identifies itself, and a server that asks for it.
struct IdentifiedSides : TLSSides {
  IdentifiedSides() {
    server_options.cert_reqs = CertReqs::optional;
    server_options.ca_pem = authority.pem();
    identity = authority.issue({.common_name = "the client"});
    parsed(identity.cert_pem, certificate, ::PEM_read_bio_X509);
    parsed(identity.key_pem, key, ::PEM_read_bio_PrivateKey);
    shown = this;
  }
  ~IdentifiedSides() {
    ::X509_free(certificate);
    ::EVP_PKEY_free(key);
  }
  template <class Object, class Read>
  static void parsed(const std::string& pem, Object*& object, Read read) {
    BIO* const bio = ::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    object = read(bio, nullptr, nullptr, nullptr);
    ::BIO_free(bio);
  }

  TLSCertificate identity;
  X509* certificate = nullptr;
  EVP_PKEY* key = nullptr;
  static inline IdentifiedSides* shown = nullptr;
};

int show_certificate(SSL*, X509** certificate, EVP_PKEY** key) {
  *certificate = IdentifiedSides::shown->certificate;
  *key = IdentifiedSides::shown->key;
  ::X509_up_ref(*certificate);
  ::EVP_PKEY_up_ref(*key);
  return 1;
}

TEST_CASE(
    "without_certificate() hides the client's certificate, also by a session, and trusts the same servers",
    "[tls]") {
  TestLoop loop;
  IdentifiedSides sides;
  sides.client_options.max_version = GENERATE(TLSVersion::tls1_2, TLSVersion::tls1_3);
  SECTION("a certificate of the options") { sides.client_options.certificate = sides.identity; }
  SECTION("a certificate of the SSL_CTX") {
    sides.client_options.customize = [&sides](SSL_CTX* context) {
      ::SSL_CTX_use_certificate(context, sides.certificate);
      ::SSL_CTX_use_PrivateKey(context, sides.key);
    };
  }
  SECTION("a callback for a certificate") {
    sides.client_options.customize = [](SSL_CTX* context) {
      ::SSL_CTX_set_client_cert_cb(context, show_certificate);
    };
  }
  SECTION("a callback that sets a certificate") {
    sides.client_options.customize = [&sides](SSL_CTX* context) {
      const auto use = [](SSL* ssl, void* self) {
        const auto& own = *static_cast<IdentifiedSides*>(self);
        return ::SSL_use_certificate(ssl, own.certificate) & ::SSL_use_PrivateKey(ssl, own.key);
      };
      ::SSL_CTX_set_cert_cb(context, use, &sides);
    };
  }
  const TLSContext client = sides.client();
  const TLSContext server = sides.server();
  testing::ListeningPort port;
  const auto connect = [&](const TLSContext& context, bool& resumed) {
    auto [a, b] = port.connect(loop);
    loop.run(secure_both(a, b, context, server));
    const auto receive_ticket = [](IOStream& from, IOStream& to) -> Task<> {
      (void)from.write("the ticket comes before this line\n");
      (void)co_await to.read_until("\n");
    };
    loop.run(receive_ticket(b, a));
    resumed = a.tls()->session_reused();
    return b.tls()->peer_certificate().has_value();
  };
  bool resumed = false;
  CHECK(connect(client, resumed));
  CHECK_FALSE(resumed);
  CHECK_FALSE(connect(client.without_certificate(), resumed));
  CHECK_FALSE(resumed);
  CHECK_FALSE(connect(client.without_certificate(), resumed));
  CHECK(resumed);
  CHECK(connect(client, resumed));
  CHECK(resumed);
  CHECK(client.sessions() == 1);
  CHECK(client.without_certificate().sessions() == 1);
}

TEST_CASE("without_certificate() verifies the server, and sees a reload()", "[tls]") {
  TestLoop loop;
  ClientWithFile files;
  TLSContext client = files.sides.client();
  const TLSContext anonymous = client.without_certificate();
  const TLSContext server = files.sides.server();
  CHECK_THROWS_AS(server.without_certificate(), std::logic_error);
  {
    auto [a, b] = connected_pair(loop);
    loop.run(secure_both(a, b, anonymous, server));
  }
  files.trust(files.other);
  client.reload();
  auto [a, b] = connected_pair(loop);
  CHECK(refuses(loop, a, b, anonymous, server));
}

TEST_CASE("a client keeps the sessions of the servers used last, up to session_cache", "[tls]") {
  TestLoop loop;
  TLSSides sides;
  sides.client_options.max_version = TLSVersion::tls1_2;
  sides.client_options.session_cache = 3;
  const TLSContext client = sides.client();
  const TLSContext server = sides.server();
  // A session is of a host and a port, and the kernel gives one port twice at times.
  std::set<std::uint16_t> ports;
  while (ports.size() < 10) {
    auto [a, b] = connected_pair(loop);
    if (!ports.insert(b.peer_address().port()).second) continue;
    loop.run(secure_both(b, a, client, server));
    CHECK(client.sessions() == std::min<std::size_t>(ports.size(), 3));
  }
}

TEST_CASE("one context serves the loops of several threads, while it is reloaded", "[tls][threads]") {
  TLSSides sides;
  TLSContext client = sides.client();
  TLSContext server = sides.server();
  using Sockets = std::vector<std::pair<OwnedFd, OwnedFd>>;
  // Made here, because only one thread may use Catch's assertions.
  Sockets sockets[2];
  for (int i = 0; i < 20; ++i) sockets[i % 2].push_back(testing::tcp_pair());
  const auto work = [&](Sockets& pairs) {
    TestLoop loop;
    for (auto& [first, second] : pairs) {
      IOStream a(std::move(first), loop);
      IOStream b(std::move(second), loop);
      loop.run(secure_both(a, b, client, server));
    }
  };
  std::thread one(work, std::ref(sockets[0]));
  std::thread two(work, std::ref(sockets[1]));
  for (int i = 0; i < 10; ++i) {
    server.reload();
    client.reload();
  }
  one.join();
  two.join();
}

TEST_CASE(
    "a thread reloads a client: no later connection resumes a session of an authority that is not trusted",
    "[tls][threads]") {
  TestLoop loop;
  ClientWithFile files;
  TLSContext client = files.sides.client();
  const TLSContext server = files.sides.server();
  testing::ListeningPort port;
  const std::string trusted = files.sides.authority.pem();
  const std::string untrusted = files.other.pem();
  std::atomic<int> epoch = 0;  // odd: the last reload trusts another authority
  std::atomic<int> connections = 0;
  std::atomic<bool> ended = false;
  std::thread reloader([&] {
    const auto wait_for_connections = [&](int count) {
      for (const int end = connections + count; connections < end;) std::this_thread::yield();
    };
    for (int i = 0; i < 30; ++i) {
      files.folder.file("ca.pem", trusted);
      client.reload();
      wait_for_connections(2);
      files.folder.file("ca.pem", untrusted);
      client.reload();
      ++epoch;
      wait_for_connections(2);
      ++epoch;
    }
    ended = true;
  });
  int accepted = 0;
  int refused = 0;
  int wrongly_accepted = 0;
  while (!ended) {
    auto [a, b] = port.connect(loop);
    const int before = epoch;
    const bool fails = refuses(loop, a, b, client, server);
    const int after = epoch;
    if (!fails) {
      const auto receive_ticket = [](IOStream& from, IOStream& to) -> Task<> {
        (void)from.write("x\n");
        (void)co_await to.read_until("\n");
      };
      loop.run(receive_ticket(b, a));
    }
    ++(fails ? refused : accepted);
    if (!fails && before == after && before % 2 == 1) ++wrongly_accepted;
    ++connections;
  }
  reloader.join();
  CHECK(wrongly_accepted == 0);
  CHECK(accepted > 0);
  CHECK(refused > 0);
}

}  // namespace
}  // namespace squall::tls_context_test
