#pragma once

#include <squall/ioloop/base/log.h>
#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>
#include <squall/ioloop/sync/lock.h>
#include <squall/web/auth/auth_error.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

// A document of a provider that many tasks use. Private: no installed header includes this header.
namespace squall::web::detail {

// Keeps a document, and fetches it again when it is old: one fetch at a time, whose end counts for all tasks
// that have waited for it. A new fetch begins not before `min_age` after the last. If it fails, the old
// document stays; without one, the failure is kept. If the task that fetches is destroyed, the next one that
// waits fetches.
//
// Thread:    one loop's thread.
// Lifetime:  outlives its tasks.
// Errors:    AuthError, as the fetch has thrown it.
template <class T>
class SharedFetch {
 public:
  // The document, fetched by `fetch`, a function that returns a Task<T>, unless it is younger than `max_age`.
  template <class Fetch>
  Task<std::shared_ptr<const T>> get(TimeSpan max_age, TimeSpan min_age, Fetch fetch) {
    if (is_younger(fetched_, max_age)) co_return document_;
    const std::size_t ends = ends_;
    const Permit permit = co_await lock_.acquire();
    if (ends == ends_ && !is_younger(tried_, min_age)) {
      std::optional<T> made;
      try {
        T document = co_await fetch();
        made = std::move(document);
      } catch (const AuthError& error) {
        failure_ = error;
      }
      end(std::move(made));
    }
    if (!document_) throw AuthError(*failure_);
    co_return document_;
  }

 private:
  static bool is_younger(const std::optional<IOLoop::TimePoint>& time, TimeSpan age) {
    return time && IOLoop::current().now() - *time < age;
  }
  void end(std::optional<T> made) {
    ++ends_;
    tried_ = IOLoop::current().now();
    if (made) {
      document_ = std::make_shared<const T>(std::move(*made));
      fetched_ = tried_;
    } else if (document_) {
      log::general().warning("The old document of a provider is kept: {}", failure_->message());
    }
  }

  std::shared_ptr<const T> document_;
  std::optional<AuthError> failure_;
  std::optional<IOLoop::TimePoint> fetched_;
  std::optional<IOLoop::TimePoint> tried_;
  std::size_t ends_ = 0;
  Lock lock_;
};

}  // namespace squall::web::detail
