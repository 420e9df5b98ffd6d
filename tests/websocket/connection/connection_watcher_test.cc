// The end of a connection is told once.

#include <squall/websocket/connection/connection_watcher.h>

#include <string>

#include "websocket/connection/scene.h"

namespace squall::websocket::connection_watcher_test {
namespace {

using testing::Scene;

struct Watcher final : ConnectionWatcher {
  void on_connection_end() noexcept override {
    ++ends;
    if (removes) removes->remove_watcher(*other);
  }
  int ends = 0;
  WebSocketConnection* removes = nullptr;
  ConnectionWatcher* other = nullptr;
};

TEST_CASE("a watcher is told once: when the connection is destroyed, or closed before",
          "[connection_watcher]") {
  Watcher watcher;
  {
    Scene scene;
    scene.socket->add_watcher(watcher);
    CHECK(watcher.ends == 0);
  }
  CHECK(watcher.ends == 1);
  Scene scene;
  scene.socket->add_watcher(watcher);
  scene.peer.close();
  CHECK(scene.read_to_end() == "end ");
  CHECK(watcher.ends == 2);
  scene.socket->add_watcher(watcher);
  CHECK(watcher.ends == 3);
  scene.socket.reset();
  CHECK(watcher.ends == 3);
}

TEST_CASE("a removed watcher is not told, also if another one removes it at the end",
          "[connection_watcher]") {
  Scene scene;
  Watcher first;
  Watcher second;
  Watcher third;
  for (Watcher* const watcher : {&first, &second, &third}) scene.socket->add_watcher(*watcher);
  third.removes = scene.socket.get();
  third.other = &first;
  scene.socket->remove_watcher(second);
  scene.socket->remove_watcher(second);
  scene.socket.reset();
  CHECK(first.ends == 0);
  CHECK(second.ends == 0);
  CHECK(third.ends == 1);
}

}  // namespace
}  // namespace squall::websocket::connection_watcher_test
