#include "sqlite_database.h"

#include <squall/ioloop/process/run_in_executor.h>

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

using squall::Task;

namespace blog {
namespace {

// A statement that ends leaves no lock and no parameters behind.
class Reset {
 public:
  explicit Reset(sqlite3_stmt* statement) noexcept : statement_(statement) {}
  Reset(const Reset&) = delete;
  Reset& operator=(const Reset&) = delete;
  ~Reset() {
    ::sqlite3_reset(statement_);
    ::sqlite3_clear_bindings(statement_);
  }

 private:
  sqlite3_stmt* statement_;
};

}  // namespace

SqliteDatabase::SqliteDatabase(const std::string& path) {
  sqlite3* opened = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int result = ::sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
  connection_.reset(opened);
  if (result != SQLITE_OK) throw std::runtime_error(path + ": " + ::sqlite3_errstr(result));
  ::sqlite3_busy_timeout(opened, 10000);  // milliseconds, while another program writes
  try {
    run_here("PRAGMA journal_mode = WAL", {});
    run_here("PRAGMA foreign_keys = ON", {});
  } catch (const std::exception& error) {
    throw std::runtime_error(path + ": " + error.what());
  }
}

Task<Rows> SqliteDatabase::run(std::string sql, std::vector<Value> parameters) {
  auto work = [this](const std::string& text, const std::vector<Value>& values) {
    return run_here(text, values);
  };
  Rows rows = co_await squall::run_in_executor(thread_, work, std::move(sql), std::move(parameters));
  co_return rows;
}

Rows SqliteDatabase::run_here(const std::string& sql, const std::vector<Value>& parameters) {
  sqlite3_stmt* const statement = prepared(sql);
  const Reset reset(statement);
  bind(statement, parameters);
  Rows rows;
  int result = SQLITE_ROW;
  while ((result = ::sqlite3_step(statement)) == SQLITE_ROW) {
    Row& row = rows.emplace_back();
    for (int column = 0; column < ::sqlite3_column_count(statement); ++column) {
      const auto* const text = reinterpret_cast<const char*>(::sqlite3_column_text(statement, column));
      const auto size = static_cast<std::size_t>(::sqlite3_column_bytes(statement, column));
      row.emplace_back(text ? text : "", text ? size : 0);
    }
  }
  if (result != SQLITE_DONE) fail();
  return rows;
}

sqlite3_stmt* SqliteDatabase::prepared(const std::string& sql) {
  auto& statement = statements_[sql];
  if (!statement) {
    sqlite3_stmt* made = nullptr;
    const int length = static_cast<int>(sql.size());
    if (::sqlite3_prepare_v3(connection_.get(), sql.data(), length, SQLITE_PREPARE_PERSISTENT, &made,
                             nullptr) != SQLITE_OK)
      fail();
    statement.reset(made);
  }
  return statement.get();
}

void SqliteDatabase::bind(sqlite3_stmt* statement, const std::vector<Value>& parameters) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    // `$1` is a name in SQLite.
    const std::string name = fmt::format("${}", i + 1);
    const int at = ::sqlite3_bind_parameter_index(statement, name.c_str());
    const auto* const number = std::get_if<std::int64_t>(&parameters[i]);
    const auto* const text = std::get_if<std::string>(&parameters[i]);
    const int result =
        number ? ::sqlite3_bind_int64(statement, at, *number)
               : ::sqlite3_bind_text64(statement, at, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
    if (result != SQLITE_OK) fail();
  }
}

void SqliteDatabase::fail() const {
  throw std::runtime_error(std::string("SQLite: ") + ::sqlite3_errmsg(connection_.get()));
}

}  // namespace blog
