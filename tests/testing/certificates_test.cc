#include <squall/testing/certificates.h>

#include <squall/iostream/tls/tls_transport.h>

#include <string>
#include <vector>

#include "support/tls_pair.h"

namespace squall::certificates_test {
namespace {

using testing::CertificateAuthority;
using testing::CertificateWishes;
using testing::connected_pair;
using testing::secure_both;
using testing::self_signed;
using testing::TestLoop;

// The certificate that a client with this trust, which asks for foo.example.com, gets from a server.
TLSPeerCertificate received(TLSCertificate certificate, std::string ca_pem) {
  TestLoop loop;
  TLSServerOptions server;
  server.certificates.push_back(std::move(certificate));
  TLSClientOptions client;
  client.ca_pem = std::move(ca_pem);
  auto [near, far] = connected_pair(loop);
  loop.run(secure_both(near, far, TLSContext::client(client), TLSContext::server(server), "foo.example.com"));
  return near.tls()->peer_certificate().value();
}

TEST_CASE("a self-signed certificate is for the names that the test wishes", "[certificates]") {
  const CertificateWishes wishes{.common_name = "foo.example.com", .names = {"DNS:foo.example.com"}};
  const TLSCertificate certificate = self_signed(wishes);
  const TLSPeerCertificate got = received(certificate, certificate.cert_pem);
  CHECK(got.subject == "CN=foo.example.com");
  CHECK(got.issuer == got.subject);
  CHECK(got.names == wishes.names);
  CHECK(self_signed(wishes).key_pem != certificate.key_pem);
}

TEST_CASE("an authority issues certificates, and so does its intermediate authority", "[certificates]") {
  const CertificateAuthority authority("our authority");
  const CertificateWishes wishes{.names = {"DNS:foo.example.com"}};
  CHECK(received(authority.issue(wishes), authority.pem()).issuer == "CN=our authority");
  CHECK(received(authority.intermediate().issue(wishes), authority.pem()).issuer ==
        "CN=squall test intermediate");
}

}  // namespace
}  // namespace squall::certificates_test
