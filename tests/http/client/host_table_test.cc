#include <squall/http/client/host_table.h>

#include <squall/ioloop.h>

#include <string>

#include "support/test_loop.h"

namespace squall::http::host_table_test {
namespace {

TEST_CASE("equal keys have one host", "[host_table]") {
  HostTable hosts;
  ClientHost& a = hosts.host("http://a");
  CHECK(&hosts.host("http://a") == &a);
  CHECK(&hosts.host("http://b") != &a);
  CHECK(hosts.size() == 2);
}

TEST_CASE("unused hosts are removed, and a host in use stays at its address", "[host_table]") {
  testing::TestLoop loop;
  AdmissionQueue queue(AdmissionQueue::Limits(), loop);
  HostTable hosts;
  ClientHost& used = hosts.host("used");
  const auto hold = [](AdmissionQueue& queue, AdmissionQueue::Host& host, Event& go) -> Task<> {
    const AdmissionQueue::Slot slot = co_await queue.slot(host);
    co_await go.wait();
  };
  Event go;
  TaskGroup group(loop);
  group.add(hold(queue, used.slots, go));
  for (int i = 0; i < 1000; ++i) hosts.host(std::to_string(i));
  CHECK(hosts.size() < 40);
  CHECK(&hosts.host("used") == &used);
}

}  // namespace
}  // namespace squall::http::host_table_test
