#include <squall/ioloop/loop/task_group.h>
#include <squall/redis/connect.h>

#include <memory>
#include <string>
#include <utility>

#include "redis/fake_server.h"
#include "support/listeners.h"

// Every await point of the client is destroyed there.
namespace squall::redis::cancellation_test {
namespace {

using squall::testing::Live;
using squall::testing::TestLoop;
using testing::FakeServer;
using testing::result;

Task<> hello(Client& client, Login login, Live) { co_await client.hello(std::move(login)); }
Task<> wait_closed(Client& client, Live) { co_await client.closed(); }
Task<> ask(Client& client, Live) { co_await client.command("GET", "a"); }
Task<> subscribe(Client& client, Live) {
  std::vector<std::string> channels(1, "a");
  co_await client.subscribe(channels);
}
Task<> connect_to(Endpoint endpoint, Live) {
  const std::unique_ptr<Client> client = co_await connect(std::move(endpoint));
}

// Destroys the task where it waits; the connection goes on.
void destroy_where_it_waits(FakeServer& scene, Task<> task) {
  TaskGroup tasks(scene.loop);
  tasks.add(std::move(task));
  REQUIRE(Live::count == 1);
  tasks.destroy();
  CHECK(Live::count == 0);
  CHECK(scene.fault() == "");
}

TEST_CASE("a login may be destroyed at each of its waits", "[cancellation]") {
  FakeServer scene;
  Login login;
  login.password = "p";
  login.database = 1;
  Task<> first = hello(*scene.client, login, Live());
  destroy_where_it_waits(scene, std::move(first));
  scene.send("%0\r\n");  // the answer of the destroyed HELLO
  TaskGroup tasks(scene.loop);
  tasks.add(hello(*scene.client, login, Live()));
  scene.send("%0\r\n");  // it waits for the answer of SELECT
  REQUIRE(scene.client->waiting() == 1);
  tasks.destroy();
  CHECK(Live::count == 0);
  scene.send("+OK\r\n");
  login.prefers_resp3 = false;
  tasks.add(hello(*scene.client, login, Live()));
  tasks.destroy();
  scene.send("+OK\r\n+OK\r\n");
  Future<Value> next = scene.client->command("PING");
  scene.send("+PONG\r\n");
  CHECK(scene.loop.run(result(std::move(next))) == Value{std::string("PONG")});
  CHECK(Live::count == 0);
}

TEST_CASE("a wait for an answer may be destroyed, and the next answer keeps its command", "[cancellation]") {
  FakeServer scene;
  Task<> asks = ask(*scene.client, Live());
  destroy_where_it_waits(scene, std::move(asks));
  Task<> waits = wait_closed(*scene.client, Live());
  destroy_where_it_waits(scene, std::move(waits));
  Future<Value> next = scene.client->command("GET", "b");
  scene.send("+a\r\n+b\r\n");
  CHECK(scene.loop.run(result(std::move(next))) == Value{std::string("b")});
}

TEST_CASE("a wait for a confirmation may be destroyed", "[cancellation]") {
  FakeServer scene;
  Task<> subscribes = subscribe(*scene.client, Live());
  destroy_where_it_waits(scene, std::move(subscribes));
  Future<Value> next = scene.client->subscribe({"b"});
  scene.send(">3\r\n+subscribe\r\n+a\r\n:1\r\n");
  CHECK(!next.done());
  scene.send(">3\r\n+subscribe\r\n+b\r\n:2\r\n");
  CHECK(next.done());
}

TEST_CASE("the client may be destroyed while it reads a part of a reply", "[cancellation]") {
  FakeServer scene;
  Future<Value> answer = scene.client->command("A");
  scene.send("*2\r\n$100\r\nabc");
  scene.client.reset();
  CHECK(scene.loop.run(testing::failure(std::move(answer))) == "Stream is closed");
}

TEST_CASE("connecting may be destroyed at each of its waits, and leaves no descriptor", "[cancellation]") {
  TestLoop loop;
  const squall::testing::Listener listener;
  const int before = squall::testing::count_descriptors();
  for (int turns = 0; turns < 4; ++turns) {
    TaskGroup tasks(loop);
    tasks.add(connect_to({.port = listener.port()}, Live()));
    for (int i = 0; i < turns; ++i) loop.run_turn();
    REQUIRE(tasks.size() == 1);
    tasks.destroy();
    CHECK(Live::count == 0);
  }
  CHECK(squall::testing::count_descriptors() == before);
}

}  // namespace
}  // namespace squall::redis::cancellation_test
