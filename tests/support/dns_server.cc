#include "support/dns_server.h"

#include <squall/iostream/address/address.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include "support/catch.h"

namespace squall::testing {
namespace {

constexpr std::uint16_t kA = 1;
constexpr std::uint16_t kAaaa = 28;

void put16(std::string& out, std::uint16_t value) {
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value & 0xff));
}

std::uint16_t get16(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[at]) << 8 |
                                    static_cast<unsigned char>(bytes[at + 1]));
}

// The address in the format of a record; empty if it is not of that type.
std::string encoded(const std::string& ip, std::uint16_t type) {
  char bytes[16];
  const bool is_v6 = ip.find(':') != ip.npos;
  if (is_v6 != (type == kAaaa)) return {};
  REQUIRE(::inet_pton(is_v6 ? AF_INET6 : AF_INET, ip.c_str(), bytes) == 1);
  return std::string(bytes, is_v6 ? 16 : 4);
}

}  // namespace

DnsServer::DnsServer(IOLoop& loop)
    : loop_(loop), fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  loop_.add_handler(fd_.get(), Events::read, [this](int, Events) { answer(); });
}

DnsServer::~DnsServer() { loop_.remove_handler(fd_.get()); }

std::string DnsServer::address() const { return Address::local_of(fd_.get()).to_string(); }

void DnsServer::answer() {
  char query[1500];
  sockaddr_storage from{};
  socklen_t length = sizeof from;
  auto* const client = reinterpret_cast<sockaddr*>(&from);
  const auto size = ::recvfrom(fd_.get(), query, sizeof query, 0, client, &length);
  if (size < 17) return;
  ++asked;
  if (deaf) return;
  const std::string reply = reply_to(std::string_view(query, static_cast<std::size_t>(size)));
  ::sendto(fd_.get(), reply.data(), reply.size(), 0, client, length);
}

std::string DnsServer::reply_to(std::string_view query) {
  std::string name;
  std::size_t at = 12;
  while (at < query.size() && query[at] != 0) {
    const auto label = static_cast<std::size_t>(query[at]);
    name += (name.empty() ? "" : ".") + std::string(query.substr(at + 1, label));
    at += label + 1;
  }
  const std::uint16_t type = get16(query, at + 1);
  std::string answers;
  std::uint16_t count = 0;
  const auto records = names.find(name);
  if (records != names.end() && !broken.contains(name)) {
    for (const Record& record : records->second) {
      const std::string data = encoded(record.ip, type);
      if (data.empty()) continue;
      ++count;
      put16(answers, 0xc00c);  // the name in the question
      put16(answers, type);
      put16(answers, 1);
      put16(answers, static_cast<std::uint16_t>(record.ttl >> 16));
      put16(answers, static_cast<std::uint16_t>(record.ttl & 0xffff));
      put16(answers, static_cast<std::uint16_t>(data.size()));
      answers += data;
    }
  }
  const int code = broken.contains(name) ? 2 : records == names.end() ? 3 : 0;
  std::string reply(query.substr(0, 2));
  put16(reply, static_cast<std::uint16_t>(0x8580 | code));
  put16(reply, 1);
  put16(reply, count);
  put16(reply, 0);
  put16(reply, 0);
  reply += query.substr(12, at + 5 - 12);
  return reply + answers;
}

}  // namespace squall::testing
