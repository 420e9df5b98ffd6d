#include <squall/web/handler/handler_type.h>

#include <algorithm>

namespace squall::web {

HandlerType::Verb HandlerType::extra_verb(std::string_view method) const noexcept {
  for (const Extra& extra : extra_verbs)
    if (extra.method == method) return extra.verb;
  return nullptr;
}

bool HandlerType::has_verbs() const noexcept {
  return !extra_verbs.empty() || std::any_of(verbs.begin(), verbs.end(), [](Verb verb) { return verb; });
}

}  // namespace squall::web
