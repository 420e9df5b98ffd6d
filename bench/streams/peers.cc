#include "peers.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <stdexcept>
#include <utility>

namespace bench {
namespace {

constexpr std::size_t kBufferSize = 256 * 1024;
// Source addresses in 127.0.0.0/8: one address has too few ports for the largest test.
constexpr unsigned kSources = 16;

}  // namespace

Peers::Peers(Target target, std::string payload)
    : target_(std::move(target)),
      payload_(std::move(payload)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      buffer_(kBufferSize) {}

Peers::~Peers() { ::close(epoll_); }

Peer& Peers::open() {
  auto peer = std::make_unique<Peer>(target_, 2 + opened_++ % kSources);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = peer.get();
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, peer->connection.fd(), &event);
  peer->index = all_.size();
  all_.push_back(std::move(peer));
  return *all_.back();
}

void Peers::close(Peer& peer) {
  if (current_ == &peer) current_ = nullptr;
  all_.back()->index = peer.index;
  std::swap(all_[peer.index], all_.back());
  all_.pop_back();
}

void Peers::send(Peer& peer, std::uint64_t count) {
  peer.to_send += count;
  send_rest(peer);
}

void Peers::wait() {
  std::array<epoll_event, 256> events;
  const int count = ::epoll_wait(epoll_, events.data(), events.size(), kPatienceMilliseconds);
  if (count == 0) throw std::runtime_error("the server has not answered for too long");
  for (int i = 0; i < count; ++i) {
    current_ = static_cast<Peer*>(events[static_cast<std::size_t>(i)].data.ptr);
    if (current_->to_send > 0) send_rest(*current_);
    if (current_ && events[static_cast<std::size_t>(i)].events != EPOLLOUT) receive(*current_);
  }
  current_ = nullptr;
}

void Peers::send_rest(Peer& peer) {
  while (peer.to_send > 0) {
    const std::size_t size = std::min<std::uint64_t>(peer.to_send, payload_.size() - peer.offset);
    const ssize_t sent = peer.connection.send(payload_.data() + peer.offset, size);
    if (sent < 0) {
      // The error of a broken connection is reported by the read.
      if (errno == EAGAIN) watch(peer, peer.connection.wants_write());
      return;
    }
    peer.to_send -= static_cast<std::uint64_t>(sent);
    peer.offset = (peer.offset + static_cast<std::size_t>(sent)) % payload_.size();
  }
  watch(peer, false);
}

// With TLS, reads until EAGAIN: OpenSSL may hold bytes that epoll does not report.
void Peers::receive(Peer& peer) {
  do {
    const ssize_t got = peer.connection.receive(buffer_.data(), buffer_.size());
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return on_ended(peer);
    on_received(peer, static_cast<std::size_t>(got));
  } while (target_.tls && current_);
}

void Peers::watch(Peer& peer, bool for_room) {
  if (peer.is_blocked == for_room) return;
  peer.is_blocked = for_room;
  epoll_event event{};
  event.events = for_room ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.ptr = &peer;
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, peer.connection.fd(), &event);
}

}  // namespace bench
