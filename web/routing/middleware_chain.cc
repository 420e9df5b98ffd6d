#include <squall/web/routing/middleware_chain.h>

#include <squall/web/handler/call_and_log.h>

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <utility>

namespace squall::web {
namespace {

// The hooks of a handler class, replaced by hooks that also run the middleware.
struct ChainedType : HandlerType {
  const HandlerType* inner = nullptr;
  const std::vector<Middleware>* middleware = nullptr;
};

const ChainedType& chained_type_of(const RequestHandler& handler) noexcept {
  return static_cast<const ChainedType&>(handler.type());
}

// Runs before() of the middleware from `next` on. If one waits, stores its task, and returns the index of the
// one behind it; otherwise returns the number of all.
std::size_t run_before(RequestHandler& handler, std::size_t next, Task<>& pending) {
  const std::vector<Middleware>& all = *chained_type_of(handler).middleware;
  while (next < all.size() && !handler.finished()) {
    all[next++].before(handler, pending);
    if (pending) return next;
  }
  return all.size();
}

// Awaits `waiting`, then runs the middleware from `next` on.
Task<> rest_of_chain(RequestHandler& handler, std::size_t next, Task<> waiting) {
  while (waiting) {
    Task<> now = std::exchange(waiting, Task<>());
    co_await std::move(now);
    next = run_before(handler, next, waiting);
  }
}

Called chained_before(RequestHandler& handler, Task<>& pending) {
  Task<> waiting;
  const std::size_t next = run_before(handler, 0, waiting);
  if (!waiting) return Called::done;
  pending = rest_of_chain(handler, next, std::move(waiting));
  return Called::pending;
}

void chained_before_head(void* context, std::optional<std::uint64_t> size) {
  auto& handler = *static_cast<RequestHandler*>(context);
  for (const Middleware& middleware : *chained_type_of(handler).middleware | std::views::reverse)
    middleware.before_head(handler, size);
  handler.add_cookies_to_head();  // of before_head()
}

void chained_begin(RequestHandler& handler) noexcept {
  handler.exchange().set_head_hook({&chained_before_head, &handler});
}

Called chained_finish(RequestHandler& handler, Task<>& pending) {
  handler.exchange().set_head_hook({});  // the handler ends before the exchange
  const ChainedType& type = chained_type_of(handler);
  for (const Middleware& middleware : *type.middleware | std::views::reverse)
    call_and_log("after() of a middleware", [&] { middleware.after(handler); });
  return type.inner->on_finish ? type.inner->on_finish(handler, pending) : Called::done;
}

ChainedType make_chained_type(const HandlerType& inner, const std::vector<Middleware>& middleware) {
  ChainedType type{inner, &inner, &middleware};
  type.before = &chained_before;
  type.has_hooks_before_verb = true;
  type.on_begin = &chained_begin;
  type.on_finish = &chained_finish;
  return type;
}

class ChainedFactory final : public HandlerFactory {
 public:
  ChainedFactory(std::vector<Middleware> middleware, std::shared_ptr<const HandlerFactory> inner)
      : middleware_(std::move(middleware)),
        inner_(std::move(inner)),
        type_(make_chained_type(inner_->type(), middleware_)),
        plain_type_(make_chained_type(inner_->plain_type(), middleware_)) {}

  std::unique_ptr<RequestHandler> make() const override { return inner_->make(); }
  Called initialize(RequestHandler& handler, Task<>& pending) const override {
    chained_begin(handler);
    return inner_->initialize(handler, pending);
  }
  const HandlerType& type() const noexcept override { return type_; }
  const HandlerType& plain_type() const noexcept override { return plain_type_; }
  void check_groups(std::size_t groups) const override { inner_->check_groups(groups); }

  const std::vector<Middleware>& middleware() const noexcept { return middleware_; }
  const std::shared_ptr<const HandlerFactory>& inner() const noexcept { return inner_; }

 private:
  std::vector<Middleware> middleware_;
  std::shared_ptr<const HandlerFactory> inner_;
  ChainedType type_;
  ChainedType plain_type_;
};

}  // namespace

// A chain around a chain is one chain, because a handler has one type.
std::shared_ptr<const HandlerFactory> detail::chain(std::vector<Middleware> middleware,
                                                    std::shared_ptr<const HandlerFactory> inner) {
  if (middleware.empty()) return inner;
  if (const auto* const chained = dynamic_cast<const ChainedFactory*>(inner.get())) {
    middleware.insert(middleware.end(), chained->middleware().begin(), chained->middleware().end());
    return std::make_shared<ChainedFactory>(std::move(middleware), chained->inner());
  }
  return std::make_shared<ChainedFactory>(std::move(middleware), std::move(inner));
}

Rule&& Rule::with(std::vector<Middleware> middleware) && {
  if (delegate_ && !middleware.empty())
    throw std::invalid_argument(
        fmt::format("route '{}': a delegate gets its requests without middleware", pattern_));
  if (rules_) rules_ = std::make_shared<const Rules>(with_middleware(middleware, *rules_));
  if (factory_) factory_ = Middleware::around(middleware, std::move(factory_));
  return std::move(*this);
}

Rule&& Rule::with_where_possible(const std::vector<Middleware>& middleware) && {
  if (rules_) {
    Rules inner = *rules_;
    for (Rule& rule : inner) static_cast<void>(std::move(rule).with_where_possible(middleware));
    rules_ = std::make_shared<const Rules>(std::move(inner));
  }
  if (factory_) factory_ = Middleware::around(middleware, std::move(factory_));
  return std::move(*this);
}

std::vector<Rule> with_middleware(const std::vector<Middleware>& middleware, std::vector<Rule> rules) {
  for (Rule& rule : rules) static_cast<void>(std::move(rule).with(middleware));
  return rules;
}

}  // namespace squall::web
