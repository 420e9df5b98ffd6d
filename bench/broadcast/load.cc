// Opens WebSockets to a server that sends every message to all of them, sends messages one after another, and
// prints how long it takes until the last WebSocket has each. The arguments: the port; the numbers of
// WebSockets, of warm-up messages and of messages; the bytes of a message; and `deflate` for an offer of
// permessage-deflate. Waits for a line on standard input behind the warm-up, and prints a line then.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

// Counts the frames of a server. A frame's payload has fewer than 64 KiB.
class FrameCounter {
 public:
  int count(const char* bytes, std::size_t size) {
    int frames = 0;
    while (size > 0) {
      if (head_size_ < wanted_) {
        head_[head_size_++] = static_cast<unsigned char>(*bytes++);
        --size;
        if (head_size_ == 2) wanted_ = head_[1] == 126 ? 4 : 2;
        if (head_size_ == wanted_) left_ = wanted_ == 4 ? head_[2] * 256u + head_[3] : head_[1];
        if (head_size_ < wanted_ || left_ > 0) continue;
      } else {
        const std::size_t taken = std::min(left_, size);
        bytes += taken;
        size -= taken;
        left_ -= taken;
        if (left_ > 0) continue;
      }
      ++frames;
      head_size_ = 0;
      wanted_ = 2;
    }
    return frames;
  }

 private:
  unsigned char head_[4] = {};
  std::size_t head_size_ = 0;
  std::size_t wanted_ = 2;
  std::size_t left_ = 0;
};

int connect_to(std::uint16_t port, int number) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) fail("socket");
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // Closed by a reset: 10,000 ports that wait for a minute would be missing in the next rounds.
  const linger reset{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  // Several addresses, so that the ports suffice.
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + static_cast<std::uint32_t>(number) / 10'000);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail("bind");
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail("connect");
  return fd;
}

void send_all(int fd, std::string_view bytes) {
  if (::send(fd, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) fail("send");
}

void shake_hands(int fd, bool offers_deflate) {
  std::string request =
      "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  if (offers_deflate) request += "Sec-WebSocket-Extensions: permessage-deflate\r\n";
  send_all(fd, request + "\r\n");
  std::string answer;
  while (!answer.ends_with("\r\n\r\n")) {
    char byte = 0;
    if (::recv(fd, &byte, 1, 0) != 1) fail("handshake");
    answer += byte;
  }
  if (!answer.starts_with("HTTP/1.1 101")) fail("handshake");
}

std::string client_frame(std::size_t size) {
  std::string text;
  while (text.size() < size) text += R"({"symbol":"EURUSD","bid":1.0912,"ask":1.0914},)";
  text.resize(size);
  std::string frame = "\x81";
  if (size < 126) {
    frame += static_cast<char>(0x80 | size);
  } else {
    frame += static_cast<char>(0x80 | 126);
    frame += static_cast<char>(size >> 8);
    frame += static_cast<char>(size & 255);
  }
  return frame + std::string(4, '\0') + text;  // a mask of zeros
}

struct Clients {
  Clients(std::uint16_t port, int count, bool offers_deflate) : counters(static_cast<std::size_t>(count)) {
    for (int i = 0; i < count; ++i) {
      fds.push_back(connect_to(port, i));
      shake_hands(fds.back(), offers_deflate);
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u32 = static_cast<std::uint32_t>(i);
      if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fds.back(), &event) != 0) fail("epoll_ctl");
    }
  }

  // The time until the last of them has the message.
  double broadcast(const std::string& frame) {
    const auto begin = Clock::now();
    send_all(fds[0], frame);
    std::size_t got = 0;
    while (got < fds.size()) {
      epoll_event events[512];
      const int ready = ::epoll_wait(epoll, events, 512, 10'000);
      if (ready <= 0) fail("a message is missing");
      for (int i = 0; i < ready; ++i) {
        const std::uint32_t number = events[i].data.u32;
        char bytes[4096];
        const ssize_t size = ::recv(fds[number], bytes, sizeof bytes, MSG_DONTWAIT);
        if (size <= 0) fail("recv");
        got += static_cast<std::size_t>(counters[number].count(bytes, static_cast<std::size_t>(size)));
      }
    }
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
  }

  const int epoll = ::epoll_create1(0);
  std::vector<int> fds;
  std::vector<FrameCounter> counters;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) return std::fprintf(stderr, "usage: load PORT CLIENTS WARMUP MESSAGES BYTES [deflate]\n"), 2;
  Clients clients(static_cast<std::uint16_t>(std::atoi(argv[1])), std::atoi(argv[2]), argc > 6);
  const std::string frame = client_frame(static_cast<std::size_t>(std::atoi(argv[5])));
  for (int i = 0; i < std::atoi(argv[3]); ++i) clients.broadcast(frame);
  std::printf("ready\n");
  std::fflush(stdout);
  if (std::getchar() == EOF) return 1;
  std::vector<double> times;
  for (int i = 0; i < std::atoi(argv[4]); ++i) times.push_back(clients.broadcast(frame));
  std::sort(times.begin(), times.end());
  std::printf("%.3f %.3f\n", times[times.size() / 2], times[times.size() * 99 / 100]);
  std::fflush(stdout);
  std::getchar();  // the connections stay open while the server's time is read
}
