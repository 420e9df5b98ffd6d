#pragma once

#include <squall/ioloop/loop/task.h>

#include <string>
#include <utility>

namespace squall::testing {

// const bool thrown = co_await throws<Error>(task()): whether awaiting the task throws an Error. For GCC 12,
// which miscompiles a co_await in an assertion macro.
template <class Error, class T>
Task<bool> throws(Task<T> task) {
  try {
    co_await std::move(task);
  } catch (const Error&) {
    co_return true;
  }
  co_return false;
}

// As throws(), but returns the text of the exception; empty if nothing was thrown.
template <class Error, class T>
Task<std::string> message_thrown(Task<T> task) {
  std::string text;
  try {
    co_await std::move(task);
  } catch (const Error& error) {
    text = error.what();
  }
  co_return text;
}

}  // namespace squall::testing
