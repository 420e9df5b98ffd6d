#pragma once

#include <string>
#include <string_view>

namespace squall::web {

// JSON that may stand in a `<script>` element of a page, with the same value: `</` becomes `<\/`, so that no
// text in it ends the element (ESC-03, SEC-36). `<!--` and `<script`, which would let a browser overlook the
// end of the element, become `\u003c!--` and `\u003cscript`. `json` must be JSON, which has `<` only in
// strings.
std::string escape_json_for_script(std::string_view json);

}  // namespace squall::web
