#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "connection.h"

namespace bench {

// One connection and what it has yet to send.
struct Peer {
  Peer(const Target& target, unsigned source) : connection(target, source) {}
  Connection connection;
  std::uint64_t to_send = 0;
  std::size_t offset = 0;      // of the payload, where it goes on
  std::uint64_t received = 0;  // for who counts
  bool is_blocked = false;     // watched for room
  std::size_t index = 0;       // among all
};

// The clients of a load, all in one thread.
class Peers {
 public:
  // What they send is `payload`, over and over.
  Peers(Target target, std::string payload);
  ~Peers();
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  // Called with each piece a peer receives, and its size; and when the server has closed, or the connection
  // is broken: that peer must be closed.
  std::function<void(Peer&, std::size_t)> on_received;
  std::function<void(Peer&)> on_ended;

  Peer& open();
  void close(Peer& peer);
  // Sends that many bytes more.
  void send(Peer& peer, std::uint64_t count);
  // Waits, and handles what has happened. Throws std::runtime_error if nothing does for long.
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
  Peer* current_ = nullptr;  // whose events are handled; null once it is closed
};

}  // namespace bench
