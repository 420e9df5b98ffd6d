#include <squall/iostream/tls/tls_stream.h>

#include <openssl/err.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

#include "support/faults.h"
#include "support/temporary_folder.h"
#include "support/tls_pair.h"

// TLS with failing system calls and allocations.
namespace squall::tls_faults_test {
namespace {

using testing::connected_pair;
using testing::secure_both;
using testing::TestLoop;
using testing::TLSSides;
namespace faults = testing::faults;
using faults::Call;

// Does the handshake and sends `data` in both directions. Any failure ends both sides with an error.
Task<bool> converse(IOStream& client, IOStream& server, const TLSContext& a, const TLSContext& b,
                    const std::string& data) {
  try {
    co_await secure_both(client, server, a, b);
    (void)client.write(data);
    const std::string there = co_await server.read_bytes(data.size());
    (void)server.write(there);
    const std::string back = co_await client.read_bytes(data.size());
    co_return back == data;
  } catch (const TLSError&) {
  } catch (const StreamClosedError&) {
  } catch (const std::bad_alloc&) {
  } catch (const std::runtime_error&) {
    // An error of OpenSSL, which could not be set up.
  }
  client.close();
  server.close();
  co_return false;
}

void clear(TestLoop& loop) { loop.log.expect_any(""); }

TEST_CASE("each recv and send of a TLS connection may fail", "[tls][faults]") {
  const TLSSides sides;
  const TLSContext client = sides.client();
  const TLSContext server = sides.server();
  const std::string data(300'000, 'x');
  const auto call = GENERATE(Call::recv, Call::send);
  const auto error = GENERATE(ECONNRESET, EPIPE, ETIMEDOUT, ENOMEM, EINTR, EAGAIN);
  const int descriptors = faults::open_descriptors();
  int completed = 0;
  const int failures = faults::in_turn([&](int after) {
    TestLoop loop;
    auto [a, b] = connected_pair(loop);
    const faults::Injection fault(call, error, {.after = after});
    const bool done = loop.run(converse(a, b, client, server, data));
    completed += done;
    // After these two the call is repeated.
    if (error == EINTR || error == EAGAIN) CHECK(done);
    clear(loop);
    return fault.hits() > 0;
  });
  CHECK(failures > 5);
  CHECK(completed >= 1);
  CHECK(faults::open_descriptors() == descriptors);
  CHECK(::ERR_peek_error() == 0);
}

TEST_CASE("a TLS connection transfers all bytes with short recv and send calls", "[tls][faults]") {
  const TLSSides sides;
  TestLoop loop;
  auto [a, b] = connected_pair(loop);
  const std::size_t most = GENERATE(1, 5, 1000);
  const faults::Short receiving(Call::recv, most);
  const faults::Short sending(Call::send, most);
  CHECK(loop.run(converse(a, b, sides.client(), sides.server(), std::string(most * 500, 'x'))));
}

TEST_CASE("each allocation of a TLS connection may fail", "[tls][faults]") {
  const TLSSides sides;
  const TLSContext client = sides.client();
  const TLSContext server = sides.server();
  const std::string data(100'000, 'x');
  const int descriptors = faults::open_descriptors();
  const int failures = faults::in_turn([&](int after) {
    TestLoop loop;
    auto [a, b] = connected_pair(loop);
    Task<bool> task = converse(a, b, client, server, data);
    faults::AllocationFault fault(after);
    bool ended = false;
    try {
      loop.run(std::move(task));
      ended = true;
    } catch (const std::bad_alloc&) {
      ended = true;  // of the loop itself
    }
    const int hits = fault.disarm();
    CHECK(ended);
    clear(loop);
    return hits > 0;
  });
  CHECK(failures > 5);
  CHECK(faults::open_descriptors() == descriptors);
}

TEST_CASE("a context without memory throws, and a failed reload changes nothing", "[tls][faults]") {
  const TLSSides sides;
  const int failures = faults::in_turn([&](int after) {
    TLSServerOptions options = sides.server_options;
    faults::AllocationFault fault(after);
    try {
      const TLSContext context = TLSContext::server(std::move(options));
    } catch (const std::bad_alloc&) {
    }
    return fault.disarm() > 0;
  });
  CHECK(failures > 3);
}

TEST_CASE("a file of a certificate that cannot be read is an error with the option, the file and the reason",
          "[tls][faults]") {
  const TLSSides sides;
  const testing::TemporaryFolder folder;
  TLSServerOptions options;
  const TLSCertificate& own = sides.server_options.certificates.at(0);
  options.certificates.push_back(
      {.certfile = folder.file("cert.pem", own.cert_pem), .keyfile = folder.file("key.pem", own.key_pem)});
  const int descriptors = faults::open_descriptors();
  for (const Call call : {Call::open, Call::read}) {
    for (const int error : {EACCES, EIO, EMFILE, ENOMEM}) {
      const int failures = faults::in_turn([&](int after) {
        const faults::Injection fault(call, error, {.after = after});
        std::string said;
        try {
          const TLSContext context = TLSContext::server(options);
        } catch (const std::invalid_argument& refused) {
          said = refused.what();
        }
        if (fault.hits() > 0) {
          CHECK(said.find(folder / "") != std::string::npos);
          CHECK(said.find(std::generic_category().message(error)) != std::string::npos);
        } else {
          CHECK(said.empty());
        }
        return fault.hits() > 0;
      });
      CHECK(failures >= 2);
    }
  }
  const faults::Injection interrupted(Call::read, EINTR, {.times = 2});
  const TLSContext context = TLSContext::server(options);
  CHECK(interrupted.hits() == 2);
  TLSClientOptions trusting;
  trusting.ca_path = folder / "";
  const faults::Injection unknown(Call::stat, EACCES);
  CHECK_THROWS_AS(TLSContext::client(trusting), std::invalid_argument);
  CHECK(faults::open_descriptors() == descriptors);
}

}  // namespace
}  // namespace squall::tls_faults_test
