#pragma once

#include <squall/web/handler/middleware.h>
#include <squall/web/routing/rule.h>

#include <vector>

namespace squall::web {

// The rules, each with `middleware` around it. The first middleware is the outermost, and all are outside of
// the middleware that a rule has already. Throws as Rule::with().
std::vector<Rule> with_middleware(const std::vector<Middleware>& middleware, std::vector<Rule> rules);

}  // namespace squall::web
