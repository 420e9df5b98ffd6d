#include "postgres_database.h"

#include <squall/ioloop/coro/with_timeout.h>

#include <chrono>

using namespace std::chrono_literals;
using squall::Task;

namespace blog {

Task<Rows> PostgresDatabase::run(std::string sql, std::vector<Value> parameters) {
  Rows rows = co_await squall::with_timeout(10s, run_now(std::move(sql), std::move(parameters)));
  co_return rows;
}

Task<Rows> PostgresDatabase::run_now(std::string sql, std::vector<Value> parameters) {
  const squall::Permit permit = co_await free_.acquire();
  std::unique_ptr<PostgresConnection> connection = take_idle();
  if (!connection) connection = co_await PostgresConnection::connect(info_);
  Rows rows = co_await connection->run(std::move(sql), std::move(parameters));
  idle_.push_back(std::move(connection));
  co_return rows;
}

// Null without one. The server may have closed some, for example when it was restarted.
std::unique_ptr<PostgresConnection> PostgresDatabase::take_idle() {
  while (!idle_.empty()) {
    std::unique_ptr<PostgresConnection> connection = std::move(idle_.back());
    idle_.pop_back();
    if (connection->is_open()) return connection;
  }
  return nullptr;
}

}  // namespace blog
