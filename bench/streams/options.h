#pragma once

#include <cstdint>
#include <string>

// What all the servers have in common: their flags, and the socket they listen on.
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
  std::string unix_path;    // listens there instead, if not empty
  std::string certificate;  // speaks TLS, if not empty; PEM files
  std::string key;
};

enum class Tls { unknown, known };

// The options of the command line. Ends the process if they make no sense: with a line on stderr and
// status 2. Allows it as many descriptors as it may have.
Options parse_options(int argc, char** argv, const char* name, Tls tls = Tls::unknown);

// A non-blocking socket that listens where `options` say. Says on stderr where that is, or why it cannot, and
// ends the process then.
int listening_socket(const Options& options, const char* name);

// What is asked of the kernel at a time, and so how much is echoed at most.
inline constexpr std::size_t kBufferSize = 64 * 1024;
inline constexpr std::size_t kLinesPerAnswer = 1000;

}  // namespace bench
