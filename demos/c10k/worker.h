#pragma once

#include <cstddef>
#include <cstdint>

// The processes of the fleet. Each writes its reports to standard output, and ends at the end of its standard
// input.
namespace c10k {

// Sends all messages of WebSockets back. The first line it writes is its port, which it chooses itself.
// `ping_interval` is the time between two pings of a client, in seconds; 0: no pings.
void run_server(double ping_interval);

struct ClientOptions {
  std::uint16_t port = 0;  // the server's
  std::size_t connections = 0;
  std::size_t messages = 0;  // a second, of all connections together
};

// Opens WebSockets from 127.0.0.2 and the addresses behind it, keeps them open, and sends messages over one
// after the other. A connection that ends is opened again.
void run_clients(const ClientOptions& options);

}  // namespace c10k
