#pragma once

#include <squall/http/server/exchange.h>
#include <squall/ioloop/base/frame_pool.h>
#include <squall/web/handler/request_handler.h>

#include <memory>
#include <stdexcept>
#include <utility>

namespace squall::web {
namespace detail {

// The values of one request, by type.
struct RequestLocals final : http::Exchange::Attachment, Pooled {
  struct Entry : Pooled {
    virtual ~Entry() = default;
    const void* key = nullptr;  // of the type
    std::unique_ptr<Entry> next;
  };
  template <class T>
  struct Value final : Entry {
    T value{};
  };
  template <class T>
  static constexpr char kKey = 0;

  Entry* find(const void* key) const noexcept {
    Entry* entry = first.get();
    while (entry && entry->key != key) entry = entry->next.get();
    return entry;
  }

  std::unique_ptr<Entry> first;
};

}  // namespace detail

// The value of type T that belongs to the handler's request: a middleware leaves it there for the handler, or
// for its own before_head(). Null if no request_local<T>() was called before. Valid until the request ends.
template <class T>
T* find_request_local(RequestHandler& handler) noexcept {
  using Locals = detail::RequestLocals;
  auto* const locals = dynamic_cast<Locals*>(handler.exchange().attachment());
  auto* const entry = locals ? locals->find(&Locals::kKey<T>) : nullptr;
  return entry ? &static_cast<Locals::Value<T>*>(entry)->value : nullptr;
}

// The same; the first call makes the value. Few types are used in one request: the search is linear. Uses
// http::Exchange::attach(), and throws std::logic_error if the program has attached data of its own.
template <class T>
T& request_local(RequestHandler& handler) {
  using Locals = detail::RequestLocals;
  if (T* const found = find_request_local<T>(handler)) return *found;
  http::Exchange& exchange = handler.exchange();
  if (!exchange.attachment()) exchange.attach(std::make_unique<Locals>());
  auto* const locals = dynamic_cast<Locals*>(exchange.attachment());
  if (!locals) throw std::logic_error("request_local() needs the attachment of the exchange");
  auto entry = std::make_unique<Locals::Value<T>>();
  entry->key = &Locals::kKey<T>;
  entry->next = std::move(locals->first);
  T& value = entry->value;
  locals->first = std::move(entry);
  return value;
}

}  // namespace squall::web
