#include <squall/iostream/address/errors.h>
#include <squall/redis/client.h>

#include <string>
#include <utility>

#include "redis/fake_server.h"

// Servers that break the protocol: every command that waits fails with the reason, and nothing else happens.
namespace squall::redis::hostile_server_test {
namespace {

using testing::failure;
using testing::FakeServer;
using testing::result;

void check_fault(std::string_view bytes, const std::string& why, const ClientOptions& options = {}) {
  FakeServer scene(options);
  Future<Value> first = scene.client->command("A");
  Future<Value> second = scene.client->command("B");
  scene.send("+ok\r\n" + std::string(bytes));
  CHECK(scene.fault() == why);
  CHECK(scene.loop.run(result(std::move(first))) == Value{std::string("ok")});
  CHECK(scene.loop.run(failure(std::move(second))) == why);
  CHECK_THROWS_WITH(scene.client->command("C"), why);
  std::string rest;
  scene.loop.run_until([&] { return scene.peer.drain(rest); });  // the client has closed
}

TEST_CASE("a reply that breaks the protocol closes the connection", "[hostile]") {
  check_fault("what\r\n", "a Redis server sent a reply of the unknown type 0x77");
  check_fault(std::string(100'000, '+'), "a Redis server sent a line exceeds the limit of 65536 bytes");
}

TEST_CASE("replies beyond the limits close the connection", "[hostile]") {
  ClientOptions options;
  options.limits.max_string = 10;
  check_fault("$11\r\n", "a Redis server sent a string of 11 bytes exceeds the limit of 10", options);
  options.limits.max_depth = 2;
  check_fault("*1\r\n*1\r\n*1\r\n", "a Redis server sent aggregates exceed the limit of 2 levels", options);
}

TEST_CASE("an answer without a command closes the connection", "[hostile]") {
  FakeServer scene;
  scene.send("+OK\r\n");
  CHECK(scene.fault() == "a Redis server sent an answer without a command");
}

TEST_CASE("an error without a command is why the server refuses the connection", "[hostile]") {
  FakeServer scene;
  scene.send("-ERR max number of clients reached\r\n");
  CHECK(scene.fault() == "a Redis server refused the connection: ERR max number of clients reached");
}

TEST_CASE("the end of the server's bytes, also within a reply, ends the commands that wait", "[hostile]") {
  FakeServer scene;
  Future<Value> answer = scene.client->command("A");
  scene.peer.send("$5\r\nab");
  scene.peer.half_close();
  CHECK(scene.loop.run(failure(std::move(answer))) == "Stream is closed");
}

TEST_CASE("a reset ends the commands that wait", "[hostile]") {
  FakeServer scene;
  Future<Value> answer = scene.client->command("A");
  scene.received(1);
  scene.peer.reset();
  CHECK(scene.loop.run(failure(std::move(answer))).find("reset") != std::string::npos);
}

TEST_CASE("confirmations that nobody waits for are ignored", "[hostile]") {
  FakeServer scene;
  Future<Value> ready = scene.client->subscribe({"a"});
  scene.send(">3\r\n+unsubscribe\r\n+a\r\n:0\r\n>1\r\n+subscribe\r\n>0\r\n>3\r\n:1\r\n_\r\n*0\r\n");
  CHECK(scene.loop.run(result(std::move(ready))) == Value{});
  scene.send(">3\r\n+subscribe\r\n+a\r\n:1\r\n>2\r\n+message\r\n*0\r\n>1\r\n+pmessage\r\n");
  CHECK(scene.fault() == "");
}

TEST_CASE("an answer in place of a confirmation is the result of the subscription", "[hostile]") {
  FakeServer scene;
  Future<Value> ready = scene.client->subscribe({"a", "b"});
  scene.send("+QUEUED\r\n");
  CHECK(scene.loop.run(result(std::move(ready))) == Value{std::string("QUEUED")});
}

}  // namespace
}  // namespace squall::redis::hostile_server_test
