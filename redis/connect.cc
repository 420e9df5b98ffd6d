#include <squall/redis/connect.h>

#include <squall/ioloop/coro/with_timeout.h>
#include <squall/iostream/tls/tls_context.h>

#include <algorithm>
#include <utility>

namespace squall::redis {
namespace {

IOLoop::TimePoint deadline_of(const ConnectOptions& options) {
  IOLoop::TimePoint deadline = options.deadline.value_or(IOLoop::TimePoint::max());
  if (options.timeout) deadline = std::min(deadline, IOLoop::current().deadline_after(*options.timeout));
  return deadline;
}

}  // namespace

// No coroutines: GCC 12 destroys an aggregate twice that is built in a statement with co_await.
Task<std::unique_ptr<Client>> connect(std::string_view url) {
  return connect(parse_url(url), ConnectSettings());
}
Task<std::unique_ptr<Client>> connect(std::string_view url, ConnectSettings settings) {
  return connect(parse_url(url), std::move(settings));
}
Task<std::unique_ptr<Client>> connect(Endpoint endpoint) {
  return connect(std::move(endpoint), ConnectSettings());
}

Task<std::unique_ptr<Client>> connect(Endpoint endpoint, ConnectSettings settings) {
  const Deadline deadline = deadline_of(settings.connection);
  settings.connection.timeout.reset();
  if (!deadline.never()) settings.connection.deadline = deadline.when();
  if (endpoint.is_tls && !settings.connection.tls) settings.connection.tls = TLSContext::client();
  Task<IOStream> connecting = endpoint.unix_path.empty()
                                  ? TCPClient::connect(endpoint.host, endpoint.port, settings.connection)
                                  : TCPClient::connect_unix(endpoint.unix_path, settings.connection);
  IOStream stream = co_await std::move(connecting);
  auto client = std::make_unique<Client>(std::move(stream), settings.client);
  Login login;
  login.user = endpoint.user;
  login.password = endpoint.password;
  login.client_name = settings.client_name;
  login.database = endpoint.database;
  login.prefers_resp3 = settings.prefers_resp3;
  Task<> greeting = client->hello(std::move(login));
  try {
    co_await with_timeout(deadline, std::move(greeting));
  } catch (const AnswerTimeoutError&) {
    throw;
  } catch (const TimeoutError&) {
    throw TimeoutError(to_string(endpoint) + " did not answer the login in time");
  }
  co_return std::move(client);
}

}  // namespace squall::redis
