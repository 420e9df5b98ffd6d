#include <squall/web/handler/method_set.h>

#include <squall/web/handler/handler_type.h>

#include <algorithm>

namespace squall::web {

MethodSet MethodSet::all() {
  MethodSet methods;
  methods.known_.set();
  return methods;
}

void MethodSet::add(const HandlerType& type) {
  for (std::size_t i = 0; i < http::kMethodCount; ++i)
    if (type.verbs[i]) known_.set(i);
  for (const HandlerType::Extra& extra : type.extra_verbs)
    if (std::find(extra_.begin(), extra_.end(), extra.method) == extra_.end()) extra_.push_back(extra.method);
}

[[gnu::cold]] std::string MethodSet::text() const {
  std::string names;
  const auto append = [&names](std::string_view name) {
    if (!names.empty()) names += ", ";
    names += name;
  };
  for (std::size_t i = 0; i < http::kMethodCount; ++i)
    if (known_[i]) append(http::method_name(static_cast<http::Method>(i)));
  for (const std::string_view name : extra_) append(name);
  return names;
}

[[gnu::cold]] std::string allowed_methods(const HandlerType& type) {
  MethodSet methods;
  methods.add(type);
  return methods.text();
}

}  // namespace squall::web
