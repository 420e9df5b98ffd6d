#pragma once

#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/loop/ioloop.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::testing {

// A name server over UDP on loopback, on the loop of the test, which answers from a table.
class DnsServer {
 public:
  explicit DnsServer(IOLoop& loop);
  ~DnsServer();
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;

  struct Record {
    std::string ip;
    std::uint32_t ttl = 60;
  };
  std::map<std::string, std::vector<Record>> names;  // other names do not exist
  std::set<std::string> broken;                      // names that are answered with a failure
  bool deaf = false;
  int asked = 0;

  // In the format of CaresResolver::Options::servers.
  std::string address() const;

 private:
  void answer();
  std::string reply_to(std::string_view query);

  IOLoop& loop_;
  OwnedFd fd_;
};

}  // namespace squall::testing
