#include <squall/options/option_parser.h>

#include "options.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <vector>

namespace bench {
namespace {

constexpr int kBacklog = 4096;

[[noreturn]] void fail(const char* name, const std::string& where) {
  std::fprintf(stderr, "%s: cannot listen on %s: %s\n", name, where.c_str(), std::strerror(errno));
  std::exit(1);
}

void allow_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

int listen_unix(const Options& options, const char* name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  errno = ENAMETOOLONG;
  if (options.unix_path.size() >= sizeof address.sun_path) fail(name, options.unix_path);
  options.unix_path.copy(address.sun_path, options.unix_path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd, kBacklog) != 0)
    fail(name, options.unix_path);
  std::fprintf(stderr, "Serving on %s\n", options.unix_path.c_str());
  return fd;
}

int listen_tcp(const Options& options, const char* name) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(options.port);
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd, kBacklog) != 0)
    fail(name, "127.0.0.1:" + std::to_string(options.port));
  socklen_t length = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  std::fprintf(stderr, "Serving on port %d\n", ntohs(address.sin_port));
  return fd;
}

}  // namespace

Options parse_options(int argc, char** argv, const char* name, Tls tls) {
  const std::map<std::string, Mode> modes = {
      {"echo", Mode::echo}, {"sink", Mode::sink}, {"lines", Mode::lines}, {"accept", Mode::accept}};
  Options options;
  std::string mode = "echo";
  std::vector<std::string> files;
  squall::options::OptionParser line(name, "A server for bench/streams.");
  line.bind("mode", mode, "echo, sink, lines or accept").one_of({"echo", "sink", "lines", "accept"});
  line.bind("port", options.port, "port of 127.0.0.1; 0 for any");
  line.bind("unix", options.unix_path, "path of a Unix socket, instead of a port");
  if (tls == Tls::known)
    line.bind("tls", files, "speaks TLS: the PEM files of certificate and key")
        .words(2, 2)
        .metavar("CERT KEY");
  if (const std::optional<int> status = line.parse(argc, argv)) std::exit(*status);
  options.mode = modes.at(mode);
  if (!files.empty()) {
    options.certificate = files[0];
    options.key = files[1];
  }
  allow_descriptors();
  return options;
}

int listening_socket(const Options& options, const char* name) {
  return options.unix_path.empty() ? listen_tcp(options, name) : listen_unix(options, name);
}

}  // namespace bench
