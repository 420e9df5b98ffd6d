#pragma once

#include <squall/http/message/percent_encoding.h>

namespace squall::web {

// Values in URLs (ESC-05, ESC-06). A path keeps `+` and slashes: url_escape(text, Plus::is_plus).
using http::Plus;
using http::url_escape;
using http::url_unescape;

}  // namespace squall::web
