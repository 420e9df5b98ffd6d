#pragma once

#include <cstdint>
#include <string>

// The command line and the listening socket of all servers.
namespace bench {

enum class Mode {
  echo,    // sends back what it receives
  sink,    // counts what it receives
  lines,   // reads lines and answers a byte for each thousand
  accept,  // closes each connection at once
};

struct Options {
  Mode mode = Mode::echo;
  std::uint16_t port = 0;   // of 127.0.0.1
  std::string unix_path;    // if not empty, the server listens here instead of on `port`
  std::string certificate;  // if not empty, the server speaks TLS; PEM files
  std::string key;
};

enum class Tls { unknown, known };

// Parses the command line. Invalid options end the process with a line on stderr and status 2. Raises the
// process's descriptor limit to the maximum.
Options parse_options(int argc, char** argv, const char* name, Tls tls = Tls::unknown);

// A non-blocking socket that listens at the address in `options`, which is printed on stderr. An error is
// printed there too, and ends the process.
int listening_socket(const Options& options, const char* name);

// The size of the buffer of a read, and so the most bytes that one write echoes.
inline constexpr std::size_t kBufferSize = 64 * 1024;
inline constexpr std::size_t kLinesPerAnswer = 1000;

}  // namespace bench
