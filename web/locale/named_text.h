#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace squall::web {

// Puts values in place of `%(name)s` and `%(name)d`, and `%` in place of `%%`:
//
//     fill_in(locale.translate("%(name)s wrote"), {{"name", "Ada"}})
//
// The text may come from a translator: everything else, such as names without a value, stays as it is.
std::string fill_in(std::string_view text,
                    std::initializer_list<std::pair<std::string_view, std::string_view>> values);

}  // namespace squall::web
