#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "connection.h"

namespace bench {

// One connection and the bytes that it still has to send.
struct Peer {
  Peer(const Target& target, unsigned source) : connection(target, source) {}
  Connection connection;
  std::uint64_t to_send = 0;
  std::size_t offset = 0;      // into the payload: the next byte to send
  std::uint64_t received = 0;  // bytes; only for loads that count them
  bool is_blocked = false;     // the poller watches for writability
  std::size_t index = 0;       // in Peers
};

// The clients of a load, all in one thread.
class Peers {
 public:
  // Every peer sends `payload` repeatedly.
  Peers(Target target, std::string payload);
  ~Peers();
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  // Called with each piece that a peer receives and its size; and when the server has closed or the
  // connection is broken, in which case the callee must close the peer.
  std::function<void(Peer&, std::size_t)> on_received;
  std::function<void(Peer&)> on_ended;

  Peer& open();
  void close(Peer& peer);
  // Sends `count` more bytes.
  void send(Peer& peer, std::uint64_t count);
  // Waits for events and handles them. Throws std::runtime_error if none comes for a long time.
  void wait();

 private:
  static constexpr int kPatienceMilliseconds = 20'000;

  void send_rest(Peer& peer);
  void receive(Peer& peer);
  void watch(Peer& peer, bool for_room);

  const Target target_;
  const std::string payload_;
  const int epoll_;
  unsigned opened_ = 0;
  std::vector<std::unique_ptr<Peer>> all_;
  std::vector<char> buffer_;
  Peer* current_ = nullptr;  // the peer whose events are being handled; null after it was closed
};

}  // namespace bench
