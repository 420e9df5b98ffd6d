#include <squall/iostream/tls/tls_options.h>

#include <type_traits>

#include "support/catch.h"

namespace squall::options_test {
namespace {

TEST_CASE("the options of TLS contexts are aggregates that take designated initialisers", "[options]") {
  static_assert(std::is_aggregate_v<TLSCertificate>);
  CHECK(TLSCertificate{.certfile = "chain.pem", .keyfile = "key.pem"}.keyfile == "key.pem");
  static_assert(std::is_aggregate_v<TLSServerOptions>);
  CHECK(TLSServerOptions{.certificates = {{.certfile = "chain.pem"}}, .alpn = {"h2"}, .ktls = true}.ktls);
  static_assert(std::is_aggregate_v<TLSClientOptions>);
  CHECK(TLSClientOptions{.check_hostname = false, .ca_certs = "ca.pem"}.ca_certs == "ca.pem");
}

}  // namespace
}  // namespace squall::options_test
