#pragma once

#include <libpq-fe.h>
#include <squall/ioloop/loop/task.h>

#include <memory>
#include <string>
#include <vector>

#include "database.h"

namespace blog {

// A connection to PostgreSQL by libpq, which the loop watches: neither the loop nor another thread waits for
// the server.
//
// A task that is destroyed while a statement runs leaves the connection in the middle of it: destroy the
// connection too.
class PostgresConnection {
 public:
  // `info` is a connection string of libpq, whose environment variables and password file complete it. Names
  // of hosts are looked up on a thread of the executor. Throws std::runtime_error.
  static squall::Task<std::unique_ptr<PostgresConnection>> connect(std::string info);

  // As Database::run().
  squall::Task<Rows> run(std::string sql, std::vector<Value> parameters);
  // Between two statements: false once the server has closed the connection.
  bool is_open() noexcept;

 private:
  struct Finish {
    void operator()(PGconn* connection) const noexcept { ::PQfinish(connection); }
  };
  using Handle = std::unique_ptr<PGconn, Finish>;

  explicit PostgresConnection(Handle connection) noexcept : connection_(std::move(connection)) {}
  static Handle start(const std::string& info);
  void send(const std::string& sql, const std::vector<Value>& parameters);
  squall::Task<> flush();
  squall::Task<> wait_for_result();
  [[noreturn]] void fail() const;

  Handle connection_;
};

}  // namespace blog
