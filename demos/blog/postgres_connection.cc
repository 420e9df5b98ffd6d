#include "postgres_connection.h"

#include <poll.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/coro/race.h>
#include <squall/ioloop/coro/wait_ready.h>
#include <squall/ioloop/process/run_in_executor.h>

#include <array>
#include <new>
#include <stdexcept>
#include <string_view>
#include <utility>

using squall::Task;
using squall::wait_readable;
using squall::wait_writable;

namespace blog {
namespace {

struct Clear {
  void operator()(PGresult* result) const noexcept { ::PQclear(result); }
};
using Result = std::unique_ptr<PGresult, Clear>;

// libpq ends its messages by a line end, and may give several lines.
std::string one_line(std::string_view message) {
  std::string line(message.substr(0, message.find_last_not_of('\n') + 1));
  for (char& c : line)
    if (c == '\n') c = ' ';
  return line;
}

// PostgreSQL sends notices such as `relation "authors" already exists, skipping`.
void log_notice(void* /*context*/, const char* message) {
  squall::log::application().debug("PostgreSQL: {}", one_line(message));
}

Rows rows_of(const PGresult* result) {
  Rows rows;
  for (int i = 0; i < ::PQntuples(result); ++i) {
    Row& row = rows.emplace_back();
    for (int column = 0; column < ::PQnfields(result); ++column)
      row.emplace_back(::PQgetvalue(result, i, column),
                       static_cast<std::size_t>(::PQgetlength(result, i, column)));
  }
  return rows;
}

}  // namespace

PostgresConnection::Handle PostgresConnection::start(const std::string& info) {
  // libpq takes `dbname` for a whole connection string. The last value of a word counts. PostgreSQL does not
  // notice that a waiting client is gone, so it ends the statement by itself.
  const std::array<const char*, 5> words = {"fallback_application_name", "options", "dbname",
                                            "client_encoding", nullptr};
  const std::array<const char*, 5> values = {"squall-blog", "-c statement_timeout=10s", info.c_str(), "UTF8",
                                             nullptr};
  return Handle(::PQconnectStartParams(words.data(), values.data(), 1));
}

Task<std::unique_ptr<PostgresConnection>> PostgresConnection::connect(std::string info) {
  Handle handle = co_await squall::run_in_executor(&PostgresConnection::start, std::move(info));
  if (!handle) throw std::bad_alloc();
  PGconn* const connection = handle.get();
  std::unique_ptr<PostgresConnection> made(new PostgresConnection(std::move(handle)));
  if (::PQstatus(connection) == CONNECTION_BAD) made->fail();
  ::PQsetNoticeProcessor(connection, log_notice, nullptr);
  // The first step waits to write. libpq may take another socket in each step.
  PostgresPollingStatusType step = PGRES_POLLING_WRITING;
  while (step != PGRES_POLLING_OK) {
    if (step == PGRES_POLLING_READING) {
      co_await wait_readable(::PQsocket(connection));
    } else {
      co_await wait_writable(::PQsocket(connection));
    }
    step = ::PQconnectPoll(connection);
    if (step == PGRES_POLLING_FAILED) made->fail();
  }
  if (::PQsetnonblocking(connection, 1) != 0) made->fail();
  co_return made;
}

bool PostgresConnection::is_open() noexcept {
  // The server sends nothing unasked but its farewell.
  pollfd input = {.fd = ::PQsocket(connection_.get()), .events = POLLIN, .revents = 0};
  return ::poll(&input, 1, 0) == 0;
}

Task<Rows> PostgresConnection::run(std::string sql, std::vector<Value> parameters) {
  send(sql, parameters);
  co_await flush();
  Rows rows;
  std::string error;
  // Each statement has one result, and null behind it.
  for (;;) {
    co_await wait_for_result();
    const Result result(::PQgetResult(connection_.get()));
    if (!result) break;
    const ExecStatusType status = ::PQresultStatus(result.get());
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
      rows = rows_of(result.get());
    } else {
      error = one_line(::PQresultErrorMessage(result.get()));
    }
  }
  if (!error.empty()) throw std::runtime_error("PostgreSQL: " + error);
  co_return rows;
}

void PostgresConnection::send(const std::string& sql, const std::vector<Value>& parameters) {
  std::vector<std::string> texts;
  for (const Value& value : parameters) {
    const auto* const number = std::get_if<std::int64_t>(&value);
    texts.push_back(number ? std::to_string(*number) : std::get<std::string>(value));
  }
  std::vector<const char*> pointers;
  for (const std::string& text : texts) pointers.push_back(text.c_str());
  if (::PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(pointers.size()), nullptr,
                          pointers.data(), nullptr, nullptr, 0) != 1)
    fail();
}

// A server whose own output is full reads no more, so output and input are waited for together.
Task<> PostgresConnection::flush() {
  int left = ::PQflush(connection_.get());
  while (left == 1) {
    const int fd = ::PQsocket(connection_.get());
    co_await squall::race(wait_readable(fd), wait_writable(fd));
    if (::PQconsumeInput(connection_.get()) != 1) fail();
    left = ::PQflush(connection_.get());
  }
  if (left != 0) fail();
}

Task<> PostgresConnection::wait_for_result() {
  while (::PQisBusy(connection_.get()) == 1) {
    co_await wait_readable(::PQsocket(connection_.get()));
    if (::PQconsumeInput(connection_.get()) != 1) fail();
  }
}

void PostgresConnection::fail() const {
  throw std::runtime_error("PostgreSQL: " + one_line(::PQerrorMessage(connection_.get())));
}

}  // namespace blog
