#include <squall/websocket/connection/message_input.h>

#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "websocket/connection/scene.h"

namespace squall::websocket::message_input_test {
namespace {

using testing::close_payload;
using testing::frame;
using testing::Scene;
using Wanted = MessageInput::Wanted;

// An input with a stream of its own, whose host and reads write all down. The scene's connection is what a
// receiver would get.
class Rig final : public MessageInput::Host {
 public:
  explicit Rig(Scene& scene) : Rig(scene, squall::testing::tcp_pair()) {}

  void send(Opcode opcode, std::string_view payload) { peer.send(frame(Role::client, opcode, payload)); }
  // Begins a read, whose result is written down when the read is over.
  void read(Wanted wanted = Wanted::messages) {
    pending_.emplace(wanted);
    pending_->resume.set([](void* self) { static_cast<Rig*>(self)->note_result(); }, this);
    if (input.try_read(*pending_)) return note_result();
    target.read = &*pending_;
    input.wait();
  }
  void withdraw() {
    target.read = nullptr;
    input.leave();
  }
  // All that was written down, once it ends with `last`.
  std::string until(std::string_view last) {
    scene_.loop.run_until([&] { return all_.ends_with(last); });
    return std::exchange(all_, {});
  }

  void note_received() noexcept override { ++received; }
  void note_waiting() noexcept override { ++waited; }
  void answer_ping(std::string_view payload) override { all_.append("pong:").append(payload) += ' '; }
  void peer_closed(const CloseStatus& status) override {
    all_ += "closed:" + std::to_string(status.code.value_or(0)) + ' ';
    input.drop_bytes();
  }
  void fail(const Fault& fault) override {
    all_ += "fault:" + std::to_string(fault.code) + ' ';
    input.drop_bytes();
  }
  void end(std::error_code) noexcept override {
    all_ += "end ";
    input.end();
  }

 private:
  Rig(Scene& scene, std::pair<OwnedFd, OwnedFd> fds)
      : scene_(scene),
        stream_(std::move(fds.first), scene.loop),
        peer(std::move(fds.second)),
        input(*this, *scene.socket, target, stream_, {.max_message_size = 100}) {}

  void note_result() { all_ += testing::describe(pending_->result) + ' '; }

  Scene& scene_;
  IOStream stream_;
  std::optional<PendingRead> pending_;
  std::string all_;

 public:
  testing::RawPeer peer;
  MessageTarget target;
  MessageInput input;
  int received = 0;  // calls of note_received()
  int waited = 0;    // calls of note_waiting()
};

TEST_CASE("a read takes messages that have arrived, and waits for others", "[input]") {
  Scene scene;
  Rig rig(scene);
  rig.read();
  CHECK(rig.waited == 1);
  CHECK(rig.input.is_idle());
  rig.peer.send(frame(Role::client, Opcode::text, "one") + frame(Role::client, Opcode::binary, "two"));
  CHECK(rig.until("text:one ") == "text:one ");
  CHECK(rig.received == 1);
  CHECK(rig.input.has_unread());
  CHECK_FALSE(rig.input.is_idle());
  rig.read();
  CHECK(rig.until("two ") == "binary:two ");
  CHECK(rig.waited == 1);
  CHECK_FALSE(rig.input.has_unread());
}

TEST_CASE("pings go to the host, and to reads that want all", "[input]") {
  Scene scene;
  Rig rig(scene);
  rig.send(Opcode::ping, "p");
  rig.send(Opcode::pong, "q");
  rig.send(Opcode::text, "one");
  rig.read();
  CHECK(rig.until("one ") == "pong:p text:one ");
  rig.send(Opcode::ping, "p");
  rig.send(Opcode::pong, "q");
  rig.read(Wanted::all);
  CHECK(rig.until("ping:p ") == "pong:p ping:p ");
  rig.read(Wanted::all);
  CHECK(rig.until("q ") == "pong:q ");
}

TEST_CASE("a read that is withdrawn leaves its message to the next one", "[input]") {
  Scene scene;
  Rig rig(scene);
  const std::string bytes = frame(Role::client, Opcode::text, "whole");
  rig.read();
  rig.withdraw();
  CHECK_FALSE(rig.input.is_idle());  // no read waits
  rig.peer.send(bytes.substr(0, 3));
  rig.read();
  scene.loop.run_until([&] { return rig.received == 1; });
  CHECK_FALSE(rig.input.is_idle());  // a frame is cut
  rig.withdraw();
  rig.peer.send(bytes.substr(3));
  rig.read();
  CHECK(rig.until("whole ") == "text:whole ");
}

TEST_CASE("behind a fault or a close frame the bytes are dropped up to the end", "[input]") {
  for (const bool is_fault : {false, true}) {
    CAPTURE(is_fault);
    Scene scene;
    Rig rig(scene);
    rig.send(Opcode::text, "one");
    rig.send(is_fault ? Opcode::text : Opcode::close, is_fault ? std::string(101, 'x') : close_payload(1000));
    rig.send(Opcode::text, "dropped");
    rig.read();
    CHECK(rig.until("one ") == "text:one ");
    rig.read();
    CHECK(rig.until(is_fault ? "fault:1009 " : "closed:1000 ").ends_with(is_fault ? "1009 " : "1000 "));
    rig.send(Opcode::text, "dropped");
    rig.peer.half_close();
    CHECK(rig.until("end end ") == "end end ");  // the host's, and the read's
    CHECK((rig.input.fault().code == 1009) == is_fault);
    rig.read();
    CHECK(rig.until("end ") == "end ");
  }
}

TEST_CASE("the end that the host decides is the next result", "[input]") {
  Scene scene;
  Rig rig(scene);
  rig.send(Opcode::text, "one");
  rig.send(Opcode::text, "never seen");
  rig.read();
  CHECK(rig.until("one ") == "text:one ");
  rig.input.end();
  CHECK_FALSE(rig.input.has_unread());
  rig.read();
  CHECK(rig.until("end ") == "end ");
}

}  // namespace
}  // namespace squall::websocket::message_input_test
