#pragma once

#include <squall/ioloop/sync/semaphore.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "database.h"
#include "postgres_connection.h"

namespace blog {

// PostgreSQL by at most kMost connections, which are made when they are needed. A connection on which a
// statement failed or was given up is closed.
class PostgresDatabase final : public Database {
 public:
  static constexpr int kMost = 4;

  // `info` as for PostgresConnection::connect().
  explicit PostgresDatabase(std::string info) : info_(std::move(info)) {}

  // Also throws TimeoutError if the server does not answer within ten seconds.
  squall::Task<Rows> run(std::string sql, std::vector<Value> parameters) override;
  std::string counted_id() const override { return "INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY"; }

 private:
  squall::Task<Rows> run_now(std::string sql, std::vector<Value> parameters);
  std::unique_ptr<PostgresConnection> take_idle();

  const std::string info_;
  squall::Semaphore free_{kMost};
  std::vector<std::unique_ptr<PostgresConnection>> idle_;
};

}  // namespace blog
