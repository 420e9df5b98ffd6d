#pragma once

#include <squall/ioloop/loop/task.h>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace blog {

// The value of a parameter.
using Value = std::variant<std::int64_t, std::string>;
using Row = std::vector<std::string>;
using Rows = std::vector<Row>;

// A SQL database that does not block the loop. The statements of Blog are for any class of it.
//
// Thread:    the loop's thread.
// Lifetime:  outlives the tasks of run().
class Database {
 public:
  Database() = default;
  virtual ~Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs one statement, whose parameters are `$1`, `$2` and so on, and returns its rows with all values as
  // text. If the task is destroyed, the statement may have run or not. Throws std::runtime_error with the
  // message of the database.
  //
  // `sql` is one of a few texts that do not depend on what users send (DEM-59).
  virtual squall::Task<Rows> run(std::string sql, std::vector<Value> parameters) = 0;
  // The type of a column whose values the database counts up.
  virtual std::string counted_id() const = 0;
};

}  // namespace blog
