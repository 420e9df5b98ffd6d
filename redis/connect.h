#pragma once

#include <squall/ioloop/loop/task.h>
#include <squall/iostream/tcp/tcp_client.h>
#include <squall/redis/client.h>
#include <squall/redis/endpoint.h>

#include <memory>
#include <string>
#include <string_view>

namespace squall::redis {

// How to connect. In a coroutine, name the options before the statement that awaits (docs/coroutines.md).
struct ConnectSettings {
  // `timeout` and `deadline` limit the login too. For `rediss://` without `tls` the system's authorities are
  // trusted.
  ConnectOptions connection{};
  ClientOptions client{};
  std::string client_name{};  // for CLIENT LIST
  bool prefers_resp3 = true;
};

// Connects and logs in.
//
//     const std::unique_ptr<redis::Client> client = co_await redis::connect("redis://:secret@localhost/2");
//
// Errors:    std::invalid_argument, before the task begins, for a malformed URL; as TCPClient; ReplyError if
//            the server refuses the login or the database; TimeoutError at the deadline.
Task<std::unique_ptr<Client>> connect(std::string_view url);
Task<std::unique_ptr<Client>> connect(std::string_view url, ConnectSettings settings);
Task<std::unique_ptr<Client>> connect(Endpoint endpoint);
Task<std::unique_ptr<Client>> connect(Endpoint endpoint, ConnectSettings settings);

}  // namespace squall::redis
