#pragma once

#include <squall/ioloop/base/log.h>
#include <squall/ioloop/base/time_span.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/loop/task.h>
#include <squall/ioloop/sync/lock.h>
#include <squall/web/auth/auth_error.h>

#include <fmt/format.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

// A document of a provider that many tasks use. Private: no installed header includes this header.
namespace squall::web::detail {

struct DocumentAges {
  TimeSpan max_age;  // older documents are fetched again
  TimeSpan min_age;  // between two fetches
  TimeSpan grace;    // after `max_age`, for a document that cannot be fetched again
};

// Keeps a document, and fetches it again when it is old: one fetch at a time, whose end counts for all tasks
// that have waited for it. If a fetch fails, the old document is used for the time of `grace`; afterwards,
// and without a document, the failure counts. If the task that fetches is destroyed, the next one that waits
// fetches.
//
// Thread:    one loop's thread.
// Lifetime:  outlives its tasks.
// Errors:    AuthError, as the fetch has thrown it.
template <class T>
class SharedFetch {
 public:
  // The document, fetched by `fetch`, a function that returns a Task<T>, unless it is younger than `fresh`.
  template <class Fetch>
  Task<std::shared_ptr<const T>> get(TimeSpan fresh, DocumentAges ages, Fetch fetch) {
    if (is_younger(fetched_, fresh)) co_return document_;
    const std::size_t ends = ends_;
    const Permit permit = co_await lock_.acquire();
    if (ends == ends_ && !is_younger(tried_, ages.min_age)) {
      std::optional<T> made;
      try {
        T document = co_await fetch();
        made = std::move(document);
      } catch (const AuthError& error) {
        failure_ = error;
      }
      end(std::move(made), ages);
    }
    if (!document_) throw AuthError(*failure_);
    if (!is_usable(ages)) throw_too_old();
    co_return document_;
  }

 private:
  static bool is_younger(const std::optional<IOLoop::TimePoint>& time, TimeSpan age) {
    return time && IOLoop::current().now() - *time < age;
  }
  // The last fetch has succeeded, or the document is not too old. The difference of ages does not overflow.
  bool is_usable(const DocumentAges& ages) const {
    return !failure_ || IOLoop::current().now() - *fetched_ - ages.max_age < ages.grace;
  }
  [[noreturn]] void throw_too_old() const {
    throw AuthError(failure_->fault(),
                    fmt::format("{}; the document from before is too old to be used", failure_->message()),
                    failure_->answered());
  }
  void end(std::optional<T> made, const DocumentAges& ages) {
    ++ends_;
    tried_ = IOLoop::current().now();
    if (made) {
      document_ = std::make_shared<const T>(std::move(*made));
      fetched_ = tried_;
      failure_.reset();
    } else if (document_ && is_usable(ages)) {
      log::general().warning("The old document of a provider is kept: {}", failure_->message());
    }
  }

  std::shared_ptr<const T> document_;
  std::optional<AuthError> failure_;  // of the last fetch
  std::optional<IOLoop::TimePoint> fetched_;
  std::optional<IOLoop::TimePoint> tried_;
  std::size_t ends_ = 0;
  Lock lock_;
};

}  // namespace squall::web::detail
