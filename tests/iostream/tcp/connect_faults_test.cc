// Each system call of a connection attempt fails with each errno of its man page, and each allocation fails.

#include "support/faults.h"

#include <squall/iostream/address/system_resolver.h>
#include <squall/iostream/tcp/tcp_client.h>

#include <netdb.h>

#include <cstring>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>

#include "support/fake_resolver.h"
#include "support/listeners.h"
#include "support/test_loop.h"

namespace squall::connect_faults_test {
namespace {

using testing::address;
using testing::FakeResolver;
using testing::Listener;
using testing::Live;
using testing::TestLoop;
using testing::faults::AllocationFault;
using testing::faults::Call;
using testing::faults::in_turn;
using testing::faults::Injection;
using testing::faults::kAlways;
using testing::faults::open_descriptors;

std::string named(Call call, int error) {
  return std::string(testing::faults::name_of(call)) + " fails: " + std::strerror(error);
}

// The errno of the ConnectError; 0 for a connection.
int errno_of(TestLoop& loop, Task<IOStream> connecting) {
  try {
    const IOStream stream = loop.run(std::move(connecting));
    CHECK(stream.fd() >= 0);
  } catch (const ConnectError& error) {
    CHECK(error.code().category() == std::generic_category());
    return error.code().value();
  }
  return 0;
}

const std::initializer_list<int> kConnectErrors = {
    EACCES,   EPERM,        EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EAGAIN,
    EBADF,    ECONNREFUSED, ECONNRESET, EFAULT,        EHOSTUNREACH, EINVAL,
    ENETDOWN, ENETUNREACH,  ENOBUFS,    ENOTSOCK,      EPROTOTYPE,   ETIMEDOUT};

TEST_CASE("the errno of a failed system call is the error's reason, and no descriptor is left",
          "[faults][poller]") {
  struct Row {
    Call call;
    std::initializer_list<int> errors;
  };
  const Row rows[] = {
      {Call::socket, {EACCES, EAFNOSUPPORT, EINVAL, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTONOSUPPORT}},
      {Call::bind, {EACCES, EADDRINUSE, EADDRNOTAVAIL, EBADF, EINVAL, ENOTSOCK}},
      {Call::connect, kConnectErrors},
      {Call::getpeername, {EBADF, EFAULT, EINVAL, ENOBUFS, ENOTCONN, ENOTSOCK}},
      {Call::poller_update, {EBADF, EEXIST, EINVAL, ENOMEM, ENOSPC, EPERM}},
  };
  const Listener listener;
  ConnectOptions options;
  options.source_ip = "127.0.0.1";
  for (const Row& row : rows) {
    for (const int error : row.errors) {
      INFO(named(row.call, error));
      TestLoop loop;
      // For kqueue this is a descriptor whose reader has gone.
      if (row.call == Call::poller_update && error == EBADF && loop.poller_name() == "kqueue") continue;
      const int open = open_descriptors();
      {
        const Injection fault(row.call, error);
        CHECK(errno_of(loop, TCPClient::connect(listener.address(), options)) == error);
        CHECK(fault.hits() == 1);
      }
      CHECK(open_descriptors() == open);
      CHECK(errno_of(loop, TCPClient::connect(listener.address(), options)) == 0);
    }
  }
}

TEST_CASE("a source port that cannot be shared is the error's reason", "[faults]") {
  const Listener listener;
  TestLoop loop;
  ConnectOptions options;
  const testing::DeadEnd own("0.0.0.0");
  options.source_port = own.port();
  const Injection fault(Call::setsockopt, ENOPROTOOPT);
  CHECK(errno_of(loop, TCPClient::connect(listener.address(), options)) == ENOPROTOOPT);
}

TEST_CASE("errors of optional socket options are ignored", "[faults]") {
  const Listener listener;
  const Address where = listener.address();
  ConnectOptions options;
  options.source_ip = "127.0.0.1";
  for (const Call call : {Call::setsockopt, Call::getsockopt, Call::getsockname}) {
    TestLoop loop;
    const Injection fault(call, EINVAL, {.times = kAlways});
    CHECK(errno_of(loop, TCPClient::connect(where, options)) == 0);
    CHECK(fault.hits() > 0);
  }
}

TEST_CASE("an interrupted connect continues", "[faults]") {
  const Listener listener;
  {
    TestLoop loop;
    const Injection fault(Call::connect, EINTR, {.times = 3});
    CHECK(errno_of(loop, TCPClient::connect(listener.address())) == 0);
    CHECK(fault.hits() == 3);
  }
  // The repeated call reports that the connection is under way.
  for (const int error : {EALREADY, EINPROGRESS}) {
    INFO(named(Call::connect, error));
    TestLoop loop;
    const Injection fault(Call::connect, error);
    // No call was made, so there is no connection; check_connected() notices.
    CHECK(errno_of(loop, TCPClient::connect(listener.address())) == ENOTCONN);
  }
}

TEST_CASE("after any failure of an address the next one is tried", "[faults]") {
  const Listener listener;
  for (const int error : kConnectErrors) {
    INFO(named(Call::connect, error));
    TestLoop loop;
    FakeResolver resolver;
    resolver.answers["server.test"].addresses = {listener.address(), listener.address()};
    ConnectOptions options;
    options.resolver = &resolver;
    const Injection fault(Call::connect, error);
    CHECK(errno_of(loop, TCPClient::connect("server.test", 80, options)) == 0);
    CHECK(fault.hits() == 1);
  }
}

TEST_CASE("a lookup that fails is a ResolveError with getaddrinfo's reason (NET-21)", "[faults]") {
  BlockingResolver blocking;
  ThreadedResolver here(std::make_shared<DummyExecutor>());
  for (Resolver* resolver : {static_cast<Resolver*>(&blocking), static_cast<Resolver*>(&here)}) {
    for (const int error : {EAI_ADDRFAMILY, EAI_AGAIN, EAI_BADFLAGS, EAI_FAIL, EAI_FAMILY, EAI_MEMORY,
                            EAI_NODATA, EAI_NONAME, EAI_SERVICE, EAI_SOCKTYPE}) {
      INFO(::gai_strerror(error));
      TestLoop loop;
      ConnectOptions options;
      options.resolver = resolver;
      const Injection fault(Call::getaddrinfo, error);
      try {
        loop.run(TCPClient::connect("server.test", 80, options));
        FAIL("found");
      } catch (const ResolveError& thrown) {
        CHECK(thrown.code() == std::error_code(error, resolver_category()));
        CHECK(thrown.is_definite() ==
              (error == EAI_NONAME || error == EAI_NODATA || error == EAI_ADDRFAMILY));
        CHECK(thrown.what() == std::string("cannot look up server.test: ") + ::gai_strerror(error));
      }
    }
    TestLoop loop;
    const Injection fault(Call::getaddrinfo, EAI_SYSTEM);
    errno = EMFILE;
    try {
      loop.run(resolver->resolve("server.test", 80));
      FAIL("found");
    } catch (const ResolveError& thrown) {
      CHECK(thrown.code() == std::errc::too_many_files_open);
    }
  }
}

Task<> connect_to_name(Resolver& resolver, bool& done, Live = {}) {
  ConnectOptions options;
  options.resolver = &resolver;
  const IOStream stream = co_await TCPClient::connect("server.test", 80, options);
  done = true;
}

TEST_CASE("without memory a connect fails with std::bad_alloc or succeeds, and leaves no descriptor",
          "[faults]") {
  const Listener listener;
  const testing::DeadEnd dead;
  const int calls = in_turn([&](int after) {
    CAPTURE(after);
    TestLoop loop;
    FakeResolver resolver;
    resolver.answers["server.test"].addresses = {dead.address(), listener.address()};
    resolver.asked.reserve(4);
    const int open = open_descriptors();
    bool done = false;
    bool out_of_memory = false;
    int hits = 0;
    {
      AllocationFault fault(after);
      try {
        loop.run_sync(connect_to_name(resolver, done, Live()), std::chrono::seconds(10));
      } catch (const std::bad_alloc&) {
        out_of_memory = true;
      }
      hits = fault.disarm();
    }
    CHECK(done != out_of_memory);
    CHECK(open_descriptors() == open);
    CHECK(Live::count == 0);
    loop.log.expect_any("");
    return hits > 0;
  });
  CHECK(calls > 5);
}

TEST_CASE("a socket that cannot be bound to its interface is bound to an address of it", "[faults]") {
  TestLoop loop;
  const Listener listener;
  ConnectOptions options;
  options.source_interface = testing::loopback_interface();
  const Injection refused(Call::setsockopt, EPERM);
  const IOStream stream = loop.run(TCPClient::connect(listener.address(), options));
  CHECK(refused.hits() == 1);
  CHECK(listener.accept().peer.ip() == "127.0.0.1");
  const std::string name = testing::loopback_interface();
  CHECK(address_of_interface(name, AF_INET).ip() == "127.0.0.1");
  if (testing::has_ipv6()) CHECK(address_of_interface(name, AF_INET6).ip() == "::1");
}

}  // namespace
}  // namespace squall::connect_faults_test
