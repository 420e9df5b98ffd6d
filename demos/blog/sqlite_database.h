#pragma once

#include <sqlite3.h>
#include <squall/ioloop/process/thread_pool.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "database.h"

namespace blog {

// A file of SQLite. Its connection belongs to a pool of one thread, so that statements run one after another,
// also those whose task was destroyed.
class SqliteDatabase final : public Database {
 public:
  // Makes the file if it is missing. Throws std::runtime_error if it cannot be opened.
  explicit SqliteDatabase(const std::string& path);

  squall::Task<Rows> run(std::string sql, std::vector<Value> parameters) override;
  std::string counted_id() const override { return "INTEGER PRIMARY KEY"; }

 private:
  struct Close {
    void operator()(sqlite3* connection) const noexcept { ::sqlite3_close(connection); }
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept { ::sqlite3_finalize(statement); }
  };

  // These run on the pool's thread, after the constructor.
  Rows run_here(const std::string& sql, const std::vector<Value>& parameters);
  sqlite3_stmt* prepared(const std::string& sql);
  void bind(sqlite3_stmt* statement, const std::vector<Value>& parameters);
  [[noreturn]] void fail() const;

  std::unique_ptr<sqlite3, Close> connection_;
  std::map<std::string, std::unique_ptr<sqlite3_stmt, Finalize>> statements_;
  // Last: its destructor waits for the statement that runs.
  squall::ThreadPool thread_{{.max_threads = 1}};
};

}  // namespace blog
