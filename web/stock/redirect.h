#pragma once

#include <squall/web/routing/rule.h>

#include <string>

namespace squall::web {

enum class Redirection {
  permanent,  // 301
  temporary,  // 302
};

// A route that answers GET and HEAD with a redirection (WEB-171).
//
//     redirect("/old/(.*)", "/new/{0}")
//     redirect(R"(/(\d+)/(\d+))", "https://archive.example.com/{1}/{0}", Redirection::temporary)
//
// In `target`, `{0}` is replaced by the first group of the pattern, as the client sent it, or by nothing if
// the group took no part. `{{` and `}}` are braces. The request's query is added to the target's query.
//
// A client must not choose the host, so a number may only stand behind the host's slash, and a request whose
// target would begin with `//` gets a 403. Throws std::invalid_argument for a target that is malformed. The
// application throws for a number without a group.
Rule redirect(std::string pattern, const std::string& target, Redirection kind = Redirection::permanent);

}  // namespace squall::web
